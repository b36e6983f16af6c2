//! The section `[order]` of `souk.toml`.

use std::collections::BTreeMap;
use std::time::Duration;

use chassis::{check_ranges, invalid_setting};
use kernel::{Currency, Result};
use serde::{Deserialize, Serialize};

use crate::domain::Policy;
use crate::saga::Bounds;

/// The longest limit, in seconds: ten years.
const SECONDS_MAX: u64 = 10 * 365 * 86_400;

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

impl chassis::Settings for Settings {
    fn check(&self, section: &str) -> Result<()> {
        check_ranges(
            section,
            [
                ("hold_seconds", self.hold_seconds, 60..=86_400),
                ("placing_limit_seconds", self.placing_limit_seconds, 10..=SECONDS_MAX),
                ("action_limit_seconds", self.action_limit_seconds, 60..=SECONDS_MAX),
                ("approval_limit_seconds", self.approval_limit_seconds, 60..=SECONDS_MAX),
                ("in_flight_max", self.in_flight_max.into(), 1..=10_000),
                ("waiting_max", self.waiting_max.into(), 0..=1_000_000),
                ("recovering_max", self.recovering_max.into(), 1..=1_000),
            ],
        )?;
        let name = &self.legal_entity;
        let good_name = (1..=40).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !good_name {
            return Err(invalid_setting(
                section,
                "legal_entity",
                "must have 1 to 40 letters, digits and hyphens",
            ));
        }
        for (code, limit) in &self.approval_above {
            if Currency::parse(code).is_err() {
                let what = format!("has `{code}`, which is not an ISO 4217 code in capitals");
                return Err(invalid_setting(section, "approval_above", what));
            }
            if *limit < 0 {
                let what = format!("has {limit} for {code}; it must not be negative");
                return Err(invalid_setting(section, "approval_above", what));
            }
        }
        Ok(())
    }
}

impl Settings {
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
    use chassis::Settings as _;

    use super::*;

    #[test]
    fn defaults_are_good_and_nonsense_is_named() {
        assert!(Settings::default().check("order").is_ok());
        let wrong = |bad: Settings| bad.check("order").expect_err("wrong").message().to_owned();
        let name = wrong(Settings { legal_entity: "Souk & Sons".into(), ..Settings::default() });
        assert!(name.contains("order.legal_entity"), "{name}");
        let code =
            wrong(Settings { approval_above: [("pounds".to_owned(), 1)].into(), ..Settings::default() });
        assert!(code.contains("order.approval_above") && code.contains("pounds"), "{code}");
        let short = wrong(Settings { hold_seconds: 59, ..Settings::default() });
        assert_eq!(short, "order.hold_seconds is 59; it must be between 60 and 86400");
    }
}
