//! The words everyone shares.
//!
//! Money that cannot drift, ids that say what they are, errors with a stable reason, time as a parameter. Nothing here
//! does I/O or knows an async runtime, a transport or a database, so that every `domain.rs` can be written with this
//! crate alone.

pub mod country;
mod currency;
mod error;
mod histogram;
mod id;
mod money;
mod page;
mod rate;
mod time;

pub use currency::Currency;
pub use error::{Code, Error, FieldViolation, Result, Violations};
pub use histogram::{Counts, Histogram};
pub use id::*;
pub use money::{Money, MoneyError, UnitPrice, allocate};
pub use page::{DEFAULT_LIMIT, LIMIT_MAX, Page, PageRequest};
pub use rate::{Rate, Rounding, RoundingLevel};
pub use time::{Clock, Timestamp};
