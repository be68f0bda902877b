//! The `lorgnette` command line.
fn main() {}
