//! What every role stands on.
//!
//! A role is a library with one [`Service`] constant. [`run`] starts any set of them in this process and returns their
//! addresses and the handle to drain them; the binary, the development run and the tests call this one function. A role
//! reaches everything outside through its [`Context`]: time, ids, randomness, storage, secrets, calls, events.

pub mod audit;
mod clock;
mod config;
mod connection;
mod connections;
mod consume;
mod context;
mod cursors;
mod databases;
mod descriptors;
mod drain;
mod entropy;
mod events;
mod exposition;
mod greeting;
mod guarded;
mod health;
mod held_bytes;
mod house;
mod keys;
mod listener;
mod listeners;
mod log;
mod metrics;
mod process;
mod progress;
mod record_key;
mod reflection;
mod request;
mod run;
mod secrets;
mod sent;
mod serve;
mod service;
mod settings;
mod steady;
mod subscribe;
pub mod testing;
mod web;

pub use clock::{SystemClock, VirtualClock};
pub use config::{Config, FILE_BYTES_MAX as CONFIG_BYTES_MAX, Origin};
pub use consume::{Applied, Consume};
pub use context::Context;
pub use contract::status;
pub use cursors::Cursors;
pub use drain::Drain;
pub use entropy::Entropy;
pub use house::check_data_url;
pub use listeners::{LISTENERS, ListenerSettings};
pub use log::{LogAddresses, LogFormat, LogSettings};
pub use process::Build;
pub use record_key::{Record, RecordKey, SEAL_BYTES};
pub use request::{Reply, event, request_key};
pub use run::{Addresses, HttpAddress, Options, Running, run};
pub use secrets::{Secret, write_private};
pub use service::{Role, Service, Starting};
pub use settings::{Settings, check_ranges, invalid_setting};
pub use store::{Kv, Position, Quota, Taken, tighten_path};
pub use subscribe::Subscription;
pub use web::{ConnectionPlace, SocketHold};
