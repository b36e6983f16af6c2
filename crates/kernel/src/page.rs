//! Paging.

use crate::{Error, Result};

/// Items in a page when the caller does not say.
pub const DEFAULT_LIMIT: u32 = 20;
/// The most items a page has.
pub const LIMIT_MAX: u32 = 100;

/// A checked request for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Items wanted, 1 to [`LIMIT_MAX`].
    pub limit: u32,
    /// Opaque cursor of the page before; empty for the first.
    pub cursor: String,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` when this was the last.
    pub next: Option<String>,
}

impl PageRequest {
    /// Checks what a caller asked for; 0 means [`DEFAULT_LIMIT`].
    ///
    /// # Errors
    /// `INVALID_LIMIT` outside 0 to [`LIMIT_MAX`], naming `/page/limit`; `INVALID_CURSOR` above 1 KiB.
    pub fn new(limit: i32, cursor: impl Into<String>) -> Result<Self> {
        let cursor = cursor.into();
        let limit = match u32::try_from(limit) {
            Ok(0) => DEFAULT_LIMIT,
            Ok(limit) if limit <= LIMIT_MAX => limit,
            _ => return Err(Error::field("/page/limit", "INVALID_LIMIT", "must be between 1 and 100")),
        };
        if cursor.len() > 1024 {
            return Err(Error::field("/page/cursor", "INVALID_CURSOR", "is not a cursor of this list"));
        }
        Ok(Self { limit, cursor })
    }
}

impl<T> Page<T> {
    /// The same page with other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}
