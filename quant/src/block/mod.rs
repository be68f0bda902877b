//! The block formats.
