//! What a person has seen: the newest versions of the things they changed or looked at. A read that is older is not shown as
//! if it were the newest.

use std::fmt::Write;

/// Pairs that are kept; the oldest goes first.
const PAIRS_MAX: usize = 16;
/// Longest id that is kept, in bytes.
const ID_BYTES_MAX: usize = 40;

/// Ids with the versions that were seen, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen(Vec<(String, i64)>);

impl Seen {
    /// Reads the cookie's text; what is malformed in it is left out, since it can only cost freshness.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('.').filter_map(|pair| pair.split_once('-'));
        let good = pairs.filter_map(|(id, version)| Some((id.to_owned(), version.parse().ok()?)));
        let good = good.filter(|(id, version)| is_id(id) && *version > 0);
        Self(good.take(PAIRS_MAX).collect())
    }

    /// Notes a version; whether it was news.
    pub fn note(&mut self, id: &str, version: i64) -> bool {
        if !is_id(id) || version <= 0 || self.version(id) >= version {
            return false;
        }
        self.0.retain(|(known, _)| known != id);
        if self.0.len() == PAIRS_MAX {
            self.0.remove(0);
        }
        self.0.push((id.to_owned(), version));
        true
    }

    /// The newest version seen of a thing; 0 when none was.
    #[must_use]
    pub fn version(&self, id: &str) -> i64 {
        self.0.iter().find(|(known, _)| known == id).map_or(0, |(_, version)| *version)
    }

    /// Whether nothing was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As text: for the cookie, and for `souk-min-version`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (id, version) in &self.0 {
            let dot = if text.is_empty() { "" } else { "." };
            // Writing to a String cannot fail.
            let _ = write!(text, "{dot}{id}-{version}");
        }
        text
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= ID_BYTES_MAX
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_only_rise() {
        let mut seen = Seen::default();
        assert!(seen.note("crt_1", 2) && !seen.note("crt_1", 1) && !seen.note("crt_1", 2));
        assert!(seen.note("crt_1", 3));
        assert_eq!(seen.version("crt_1"), 3);
        assert_eq!(Seen::parse(&seen.text()), seen);
    }

    #[test]
    fn the_oldest_goes_first() {
        let mut seen = Seen::default();
        for number in 0..20 {
            seen.note(&format!("crt_{number}"), 1);
        }
        assert_eq!((seen.version("crt_3"), seen.version("crt_4")), (0, 1));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in ".{0,400}") {
            let seen = Seen::parse(&text);
            prop_assert_eq!(Seen::parse(&seen.text()), seen);
        }
    }
}
