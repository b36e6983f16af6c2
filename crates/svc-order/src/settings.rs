//! The section `[order]` of `souk.toml`.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Currency, Error, Result};
use serde::{Deserialize, Serialize};

use crate::domain::Policy;
use crate::saga::Bounds;

/// The shop's rules about orders, and the worker's bounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Above this total, in minor units by currency code, staff must approve an order. A currency that is not named: never.
    pub approval_above: BTreeMap<String, i64>,
    /// Who issues the invoices: 1 to 40 letters, digits and hyphens.
    pub legal_entity: String,
    /// How long stock is held, in seconds, 60 to 86400; renewed while a person is waited for.
    pub hold_seconds: u64,
    /// How long placing may take while nobody is waited for, in seconds, from 10.
    pub placing_limit_seconds: u64,
    /// How long a buyer has for a challenge, in seconds, from 60.
    pub action_limit_seconds: u64,
    /// How long staff have to approve, in seconds, from 60.
    pub approval_limit_seconds: u64,
    /// Orders that are placed at once, 1 to 10000.
    pub in_flight_max: u32,
    /// Orders that wait for a place at once, at most 1000000; more are told RESOURCE_EXHAUSTED.
    pub waiting_max: u32,
    /// Orders that are recovered at once, 1 to 1000.
    pub recovering_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            approval_above: BTreeMap::new(),
            legal_entity: "souk".to_owned(),
            hold_seconds: 900,
            placing_limit_seconds: 600,
            action_limit_seconds: 1_800,
            approval_limit_seconds: 259_200,
            in_flight_max: 1_024,
            waiting_max: 20_000,
            recovering_max: 64,
        }
    }
}

impl Settings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `INVALID_CONFIG` naming the key.
    pub fn check(&self) -> Result<()> {
        let name = &self.legal_entity;
        let good_name = (1..=40).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        for (good, key, description) in [
            (good_name, "/order/legal_entity", "must have 1 to 40 letters, digits and hyphens"),
            ((60..=86_400).contains(&self.hold_seconds), "/order/hold_seconds", "must be 60 to 86400"),
            (self.placing_limit_seconds >= 10, "/order/placing_limit_seconds", "must be at least 10"),
            (self.action_limit_seconds >= 60, "/order/action_limit_seconds", "must be at least 60"),
            (self.approval_limit_seconds >= 60, "/order/approval_limit_seconds", "must be at least 60"),
            ((1..=10_000).contains(&self.in_flight_max), "/order/in_flight_max", "must be 1 to 10000"),
            (self.waiting_max <= 1_000_000, "/order/waiting_max", "must be at most 1000000"),
            ((1..=1_000).contains(&self.recovering_max), "/order/recovering_max", "must be 1 to 1000"),
            (
                self.approval_above.values().all(|limit| *limit >= 0),
                "/order/approval_above",
                "must not be negative",
            ),
            (
                self.approval_above.keys().all(|code| Currency::parse(code).is_ok()),
                "/order/approval_above",
                "must name ISO 4217 currencies in capitals",
            ),
        ] {
            if !good {
                return Err(Error::field(key, "INVALID_CONFIG", description));
            }
        }
        Ok(())
    }

    /// How long stock is held.
    #[must_use]
    pub fn hold_for(&self) -> Duration {
        Duration::from_secs(self.hold_seconds)
    }

    /// The rules that the domain decides by.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            approval_above: self.approval_above.clone(),
            placing_limit: Duration::from_secs(self.placing_limit_seconds),
            action_limit: Duration::from_secs(self.action_limit_seconds),
            approval_limit: Duration::from_secs(self.approval_limit_seconds),
        }
    }

    /// The worker's bounds. The engines of this floor give a database to one process, so a lease of another instance is a
    /// dead one's.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds { recovering_max: self.recovering_max, in_flight_max: self.in_flight_max, exclusive: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_good_and_nonsense_is_named() {
        assert!(Settings::default().check().is_ok());
        let bad = Settings { legal_entity: "Souk & Sons".into(), ..Settings::default() };
        assert_eq!(bad.check().expect_err("no hyphen").violations()[0].field, "/order/legal_entity");
        let bad = Settings { approval_above: [("pounds".to_owned(), 1)].into(), ..Settings::default() };
        assert_eq!(bad.check().expect_err("no currency").violations()[0].field, "/order/approval_above");
    }
}
