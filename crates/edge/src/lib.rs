//! The kit of every gateway.
//!
//! A gateway is a list of [`Route`]s: the screens of its kind of client. What all of them need stands here, once: sessions of
//! browsers, forgery, quotas, bodies, fan-out ([`Need`]), what is kept for others ([`Keep`]), problems (RFC 9457), entity
//! tags, compression, security fields, CORS, idempotency keys, WebSockets ([`Live`]), and a description of itself
//! (OpenAPI 3.1). The layers are assembled in [`Gateway`]; one layer is one file.

mod access_log;
mod allowed;
mod answer;
mod ask;
mod body;
mod cached;
mod chrome;
mod client;
mod compress;
mod cookies;
mod cors;
mod device;
mod docs;
mod follow;
mod forgery;
mod gateway;
mod generations;
mod headers;
mod health;
mod input;
mod live;
mod metered;
mod metrics;
mod need;
mod news;
mod number;
mod openapi;
mod problem;
mod query;
mod quota;
mod reply;
mod response_cache;
mod route;
mod seen;
mod session;
mod settings;
mod socket;
mod table;

pub use answer::Answer;
pub use ask::{Ask, checked_key};
pub use bytes::Bytes;
pub use chrome::{Chrome, NoPages, Personal};
pub use docs::docs;
pub use follow::{Follower, follow};
pub use gateway::{Gateway, RequestId};
pub use health::health;
pub use live::{Live, Reporter};
pub use need::{Absence, Need};
pub use news::News;
pub use number::whole;
pub use openapi::{About, openapi};
pub use problem::{FieldProblem, Problem, status};
pub use route::{Input, Keep, Key, Kind, Nothing, Route, Shown};
pub use session::Session;
pub use settings::Settings;
