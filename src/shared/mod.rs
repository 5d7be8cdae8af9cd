//! A value in a mapping that several processes have.
