//! A whole shop in one process.

mod access;
mod audit;
mod dynamic;
mod hostile;
mod kills;
mod placing;
