//! Payment through its API, with testpay behind it.

mod authorize;
mod challenge;
mod clock;
mod concurrent;
mod events;
mod killed;
mod ledger;
mod money;
mod refused;
mod shop;
mod webhooks;
