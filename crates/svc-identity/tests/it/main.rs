//! The role `identity` through its client.

mod accounts;
mod clock;
mod damage;
mod keys;
mod refusals;
mod restart;
mod secrets;
mod sessions;
mod throttle;
mod world;
