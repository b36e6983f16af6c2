//! Settings of the listeners: section `[listeners]` of `souk.toml`.

use std::time::Duration;

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::Config;
use crate::listener::Limits;

/// The section's name.
pub const LISTENERS: &str = "listeners";

/// Connections that one address may have, however few the percent are; at most all.
const PER_ADDRESS_MIN: usize = 64;

/// What can be set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListenerSettings {
    /// Connections of all listeners together follow from the file descriptors that the system grants; this is how many percent
    /// of a listener's connections one address may have, 1 to 100. Behind proxies (`trusted_proxies`) a gateway takes 100.
    pub connections_per_address_percent: u32,
    /// How long a connection may take to say what it is for, in milliseconds; 100 to 60,000.
    pub greeting_ms: u32,
    /// How long a connection of a browser or of the metrics may have no request, in milliseconds; 1,000 to 600,000.
    pub idle_ms: u32,
    /// The same for gRPC, whose clients keep connections open; 1,000 to 86,400,000.
    pub idle_grpc_ms: u32,
    /// How long an answer may be left lying by its reader, in milliseconds; 100 to 600,000.
    pub write_ms: u32,
}

impl Default for ListenerSettings {
    fn default() -> Self {
        Self {
            connections_per_address_percent: 25,
            greeting_ms: 10_000,
            idle_ms: 30_000,
            idle_grpc_ms: 300_000,
            write_ms: 30_000,
        }
    }
}

/// Which listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Grpc,
    /// Whether proxies of ours stand before it.
    Web {
        proxied: bool,
    },
    Metrics,
}

impl ListenerSettings {
    /// Reads and checks the section.
    ///
    /// # Errors
    /// `INVALID_CONFIG` naming the key.
    pub fn read(config: &Config) -> Result<Self> {
        let settings: Self = config.section(LISTENERS)?;
        for (key, value, from, to) in [
            ("connections_per_address_percent", settings.connections_per_address_percent, 1, 100),
            ("greeting_ms", settings.greeting_ms, 100, 60_000),
            ("idle_ms", settings.idle_ms, 1_000, 600_000),
            ("idle_grpc_ms", settings.idle_grpc_ms, 1_000, 86_400_000),
            ("write_ms", settings.write_ms, 100, 600_000),
        ] {
            if !(from..=to).contains(&value) {
                let message = format!("{LISTENERS}.{key} is {value}; it must be between {from} and {to}");
                return Err(Error::invalid("INVALID_CONFIG", message));
            }
        }
        Ok(settings)
    }

    pub(crate) fn limits(&self, kind: Kind, connections_max: usize) -> Limits {
        let percent = match kind {
            Kind::Web { proxied: true } => 100,
            _ => self.connections_per_address_percent as usize,
        };
        let millis = |millis: u32| Duration::from_millis(millis.into());
        Limits {
            connections_max,
            per_address_max: (connections_max * percent / 100).max(PER_ADDRESS_MIN).min(connections_max),
            greeting: millis(self.greeting_ms),
            idle: millis(if kind == Kind::Grpc { self.idle_grpc_ms } else { self.idle_ms }),
            write: millis(self.write_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named_and_shares_follow_from_them() {
        let mut config = Config::default();
        config.set(LISTENERS, "connections_per_address_percent", 0);
        let error = ListenerSettings::read(&config).expect_err("none");
        assert!(error.message().contains("listeners.connections_per_address_percent"), "{error}");
        let usual = ListenerSettings::read(&Config::default()).expect("good");
        assert_eq!(usual.limits(Kind::Grpc, 1000).per_address_max, 250);
        assert_eq!(usual.limits(Kind::Web { proxied: true }, 1000).per_address_max, 1000);
        assert_eq!(usual.limits(Kind::Metrics, 8).per_address_max, 8);
    }
}
