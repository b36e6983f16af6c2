//! Settings: section `[identity]` of `souk.toml`.

use std::time::Duration;

use chassis::check_ranges;
use kernel::Result;
use serde::{Deserialize, Serialize};

/// What can be set. Rates allow as many at once as they allow in a minute.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Passwords that may be tried for one account in a minute from one address, and ten times as many from all together; 1 to
    /// 1,000,000.
    pub password_tries_per_minute_account: u32,
    /// Sign-ups and passwords that one address may try in a minute; 1 to 1,000,000. An IPv6 address stands for its /64.
    pub password_tries_per_minute_address: u32,
    /// Guest sessions that one address may begin in a minute; 1 to 1,000,000.
    pub guest_sessions_per_minute_address: u32,
    /// Sessions that one address may end in a minute, by signing out or by a refresh token that was used before; 1 to 1,000,000.
    /// Each ended session is listed for all verifiers until its tokens expire, and the list has a limit.
    pub session_ends_per_minute_address: u32,
    /// Passwords that are hashed at once, at 19 MiB each; 0: as many as there are cores, at most 8.
    pub hashes_at_once: u32,
    /// For how many hours a key signs access tokens; 2 to 8,760. The next one is published an hour ahead.
    pub signing_key_hours: u32,
    /// How often the database is looked at for what other instances changed, in milliseconds; 100 to 4,000, since a
    /// sign-out counts everywhere within 5 s.
    pub look_every_ms: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            password_tries_per_minute_account: 10,
            password_tries_per_minute_address: 300,
            guest_sessions_per_minute_address: 600,
            session_ends_per_minute_address: 150,
            hashes_at_once: 0,
            signing_key_hours: 168,
            look_every_ms: 2_000,
        }
    }
}

impl chassis::Settings for Settings {
    fn check(&self, section: &str) -> Result<()> {
        let rate = 1..=1_000_000;
        check_ranges(
            section,
            [
                (
                    "password_tries_per_minute_account",
                    self.password_tries_per_minute_account.into(),
                    rate.clone(),
                ),
                (
                    "password_tries_per_minute_address",
                    self.password_tries_per_minute_address.into(),
                    rate.clone(),
                ),
                (
                    "guest_sessions_per_minute_address",
                    self.guest_sessions_per_minute_address.into(),
                    rate.clone(),
                ),
                ("session_ends_per_minute_address", self.session_ends_per_minute_address.into(), rate),
                ("hashes_at_once", self.hashes_at_once.into(), 0..=256),
                ("signing_key_hours", self.signing_key_hours.into(), 2..=8_760),
                ("look_every_ms", self.look_every_ms.into(), 100..=4_000),
            ],
        )
    }
}

impl Settings {
    pub(crate) fn hashes_at_once(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get().min(8));
        if self.hashes_at_once == 0 { cores() } else { self.hashes_at_once as usize }
    }

    pub(crate) fn key_life(&self) -> Duration {
        Duration::from_secs(u64::from(self.signing_key_hours) * 3600)
    }

    pub(crate) fn look_every(&self) -> Duration {
        Duration::from_millis(self.look_every_ms.into())
    }
}

#[cfg(test)]
mod tests {
    use chassis::Settings as _;

    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        assert!(Settings::default().check("identity").is_ok());
        let wrong = Settings { look_every_ms: 10_000, ..Settings::default() };
        let error = wrong.check("identity").expect_err("too slow");
        assert!(
            error.reason() == "INVALID_CONFIG" && error.message().contains("identity.look_every_ms"),
            "{error}"
        );
    }
}
