//! The settings of a role: what its section of `souk.toml` may hold.

use std::ops::RangeInclusive;

use kernel::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A role's settings. What they refuse, `souk check` and the start of the role refuse alike.
pub trait Settings: Default + Serialize + DeserializeOwned {
    /// Checks values that have the right types already. `section` is the name of the role.
    ///
    /// # Errors
    /// `INVALID_CONFIG` naming the section and the key; [`invalid_setting`] makes it.
    fn check(&self, section: &str) -> Result<()>;
}

/// The error for a setting that is wrong: `[section] key` and what is wrong with it.
#[must_use]
pub fn invalid_setting(section: &str, key: &str, what: impl std::fmt::Display) -> Error {
    Error::invalid("INVALID_CONFIG", format!("{section}.{key} {what}"))
}

/// Checks numbers against their ranges.
///
/// # Errors
/// `INVALID_CONFIG` naming the first that is out of its range, with the range.
pub fn check_ranges<const N: usize>(
    section: &str,
    values: [(&str, u64, RangeInclusive<u64>); N],
) -> Result<()> {
    match values.into_iter().find(|(_, value, range)| !range.contains(value)) {
        Some((key, value, range)) => {
            let (from, to) = (range.start(), range.end());
            Err(invalid_setting(section, key, format_args!("is {value}; it must be between {from} and {to}")))
        }
        None => Ok(()),
    }
}
