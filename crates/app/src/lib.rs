//! The command line of souk, and the one list of its roles.

pub mod audit;
pub mod cli;
pub mod client;
pub mod console;
pub mod demo;
pub mod files;
pub mod import;
pub mod load;
pub mod log;
pub mod process;
pub mod retail;
pub mod roles;
pub mod table;
pub mod up;
