//! The role `user` through its client.

mod access;
mod addresses;
mod profiles;
mod world;
