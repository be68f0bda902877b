//! Agreement of the instruction levels.
