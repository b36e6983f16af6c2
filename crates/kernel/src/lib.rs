//! The words everyone shares.
//!
//! Money that cannot drift, ids that say what they are, errors with a stable reason, time as a parameter. Nothing here
//! does I/O or knows an async runtime, a transport or a database, so that every `domain.rs` can be written with this
//! crate alone.

pub mod country;
mod currency;
mod email;
mod error;
mod histogram;
mod id;
pub mod letters;
mod money;
mod page;
pub mod postal;
mod rate;
pub mod sku;
pub mod text;
mod time;
mod violations;

pub use currency::Currency;
pub use email::Email;
pub use error::{Code, Error, FieldViolation, Result};
pub use histogram::{Counts, Histogram};
pub use id::*;
pub use money::{Money, MoneyError, UnitPrice, allocate};
pub use page::{DEFAULT_LIMIT, LIMIT_MAX, Page, PageRequest};
pub use rate::{Rate, Rounding, RoundingLevel};
pub use time::{Clock, Timestamp};
pub use violations::{
    ID_BYTES_MAX, OPTION_NAME_CHARS_MAX, OPTION_VALUE_CHARS_MAX, Violations, check_id_length,
};
