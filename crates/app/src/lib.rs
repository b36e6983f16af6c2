//! The command line of souk, and the one list of its roles.

pub mod client;
pub mod console;
pub mod files;
pub mod retail;
