//! A merchant's own picture: what it is named by, and what it is written as.

use serde::{Deserialize, Serialize};

use super::limits::URL_BYTES_MAX;

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// WebP.
    Webp,
    /// JPEG.
    Jpeg,
}

impl Format {
    /// Its media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Webp => "image/webp",
            Self::Jpeg => "image/jpeg",
        }
    }
}

/// What is known of a picture that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// In pixels, as it is seen.
    pub width: i32,
    /// In pixels, as it is seen.
    pub height: i32,
    /// Widths in which it is kept, the narrowest first.
    pub widths: Vec<i32>,
}

/// Whether a text can be the SHA-256 of something, in lower-case hexadecimal.
#[must_use]
pub fn content_hash_is_good(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a text can be the address of a picture elsewhere: https, in ASCII, of at most [`URL_BYTES_MAX`] bytes.
#[must_use]
pub fn address_is_good(url: &str) -> bool {
    url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty())
        && url.len() <= URL_BYTES_MAX
        && url.chars().all(|c| c.is_ascii_graphic())
}
