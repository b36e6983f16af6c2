//! A whole shop in one process.

mod access;
mod audit;
mod audit_goods;
mod commits;
mod crowd;
mod dynamic;
mod hostile;
mod kills;
mod placing;
mod reflection;
mod window;
