//! How an account is found by what somebody types as their address.

use kernel::{Email, Result};
use unicode_normalization::UnicodeNormalization;

/// The longest text that was ever taken as an address, in bytes.
const BYTES_MAX: usize = 254;

/// What somebody who signs in gave as their address: the keys under which their account may be stored. Accounts that were
/// made under an older rule and could not take the new form keep the old key, and are found by it.
pub struct SignInName {
    keys: Vec<String>,
}

impl SignInName {
    /// Reads an address by the rule of today, or else by that of yesterday.
    ///
    /// # Errors
    /// `INVALID_EMAIL` naming `pointer` where it is one by neither.
    pub fn parse(pointer: &str, text: &str) -> Result<Self> {
        let former = former_key(text);
        match (Email::parse(pointer, text), former) {
            (Ok(email), former) => {
                let key = email.key();
                let former = former.filter(|former| *former != key);
                Ok(Self { keys: [key].into_iter().chain(former).collect() })
            }
            (Err(_), Some(former)) => Ok(Self { keys: vec![former] }),
            (Err(error), None) => Err(error),
        }
    }

    /// The key by which attempts are counted.
    #[must_use]
    pub fn key(&self) -> &str {
        self.keys.first().map_or("", String::as_str)
    }

    /// All keys, that of today's rule first.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.keys
    }
}

/// Whether an account with this address may be stored under this key: that of today's rule, or the former one, which an account
/// keeps that could not take the new form.
#[must_use]
pub fn is_key_of(key: &str, email: &str) -> bool {
    Email::parse("/email", email).is_ok_and(|email| email.key() == key)
        || former_key(email).is_some_and(|former| former == key)
}

/// The key that accounts had before domains were compared as DNS does: the trimmed address in lower case and NFC. `None`
/// for what was no address then either.
fn former_key(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > 4 * BYTES_MAX {
        return None;
    }
    let text: String = text.nfc().collect();
    let (local, domain) = text.rsplit_once('@')?;
    let domain: String = domain.to_lowercase().nfc().collect();
    let printable = |c: char| !c.is_ascii() && !c.is_control() && !c.is_whitespace();
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || printable(c);
    let label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c == '-' || c.is_alphanumeric() || printable(c))
    };
    let good = local.len() + 1 + domain.len() <= BYTES_MAX
        && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
        && domain.contains('.')
        && domain.split('.').all(label);
    good.then(|| format!("{local}@{domain}").to_lowercase().nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_the_former_rule_are_found() {
        let keys = |text: &str| SignInName::parse("/email", text).map(|name| name.keys).unwrap_or_default();
        assert_eq!(keys(" Ada@Example.com"), ["ada@example.com"]);
        assert_eq!(keys("Ida@B\u{fc}cher.example"), ["ida@xn--bcher-kva.example", "ida@b\u{fc}cher.example"]);
        assert_eq!(
            keys("ada\u{200b}@example.com"),
            ["ada\u{200b}@example.com"],
            "no address by the new rule"
        );
        for text in ["", "ada", "a@b@c.de", "@b.c", "ada@example..com", "a b@c.de"] {
            assert!(keys(text).is_empty(), "{text:?}");
        }
    }
}
