//! What every role stands on.
//!
//! A role is a library with one [`Service`] constant. [`run`] starts any set of them in this process and returns their
//! addresses and the handle to drain them; the binary, the development run and the tests call this one function. A role
//! reaches everything outside through its [`Context`]: time, ids, randomness, storage, secrets, calls, events.

mod clock;
mod config;
mod consume;
mod context;
mod cursors;
mod drain;
mod entropy;
mod events;
mod house;
mod keys;
mod metrics;
mod record_key;
mod reflection;
mod request;
mod run;
mod secrets;
mod serve;
mod service;
mod subscribe;
pub mod testing;
mod web;

pub use clock::{SystemClock, VirtualClock};
pub use config::{Config, Origin};
pub use consume::{Applied, Consume};
pub use context::Context;
pub use contract::status;
pub use cursors::Cursors;
pub use drain::Drain;
pub use entropy::Entropy;
pub use record_key::{Record, RecordKey, SEAL_BYTES};
pub use request::{Reply, event, request_key};
pub use run::{Addresses, HttpAddress, Options, Running, run};
pub use secrets::{Secret, write_private};
pub use service::{Role, Service, Starting};
pub use store::{Kv, Position, Quota, Taken};
pub use subscribe::Subscription;
