//! Pictures over time.
