//! A whole shop in one process.

mod access;
mod audit;
mod audit_goods;
mod clock;
mod commits;
mod crowd;
mod dynamic;
mod hostile;
mod kills;
mod logs;
mod ownership;
mod placing;
mod reflection;
mod texts;
mod window;
