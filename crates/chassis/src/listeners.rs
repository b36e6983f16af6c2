//! Settings of the listeners: section `[listeners]` of `souk.toml`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use kernel::Result;
use serde::{Deserialize, Serialize};

use crate::listener::Limits;
use crate::{Settings, check_ranges, invalid_setting};

/// The section's name.
pub const LISTENERS: &str = "listeners";

/// Connections that one address may have, however few the percent are; at most three quarters of all.
const PER_ADDRESS_MIN: usize = 64;
/// How long the head of a further request of HTTP/1.1 may take from its first byte.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);

/// What can be set. Flags of `souk up` go before the addresses.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListenerSettings {
    /// Where gRPC listens; port 0 picks a free one. 127.0.0.1:9000.
    pub grpc: SocketAddr,
    /// Where the web gateway listens; port 0 picks a free one. 127.0.0.1:8080.
    pub web: SocketAddr,
    /// Where metrics are served as Prometheus text; port 0 picks a free one. 127.0.0.1:9090.
    pub metrics: SocketAddr,
    /// Connections of all listeners together follow from the file descriptors that the system grants; this is how many percent
    /// of a listener's connections one address may have, 1 to 100; at least 64, and unless it is
    /// 100 at most three quarters. Behind proxies (`trusted_proxies`) a gateway
    /// takes 100.
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
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            grpc: local(9000),
            web: local(8080),
            metrics: local(9090),
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

impl Settings for ListenerSettings {
    fn check(&self, section: &str) -> Result<()> {
        check_ranges(
            section,
            [
                ("connections_per_address_percent", self.connections_per_address_percent.into(), 1..=100),
                ("greeting_ms", self.greeting_ms.into(), 100..=60_000),
                ("idle_ms", self.idle_ms.into(), 1_000..=600_000),
                ("idle_grpc_ms", self.idle_grpc_ms.into(), 1_000..=86_400_000),
                ("write_ms", self.write_ms.into(), 100..=600_000),
            ],
        )?;
        let addresses = [("grpc", self.grpc), ("web", self.web), ("metrics", self.metrics)];
        for (index, (key, address)) in addresses.iter().enumerate() {
            let taken = addresses[..index].iter().find(|(_, other)| other == address && address.port() != 0);
            if let Some((other, _)) = taken {
                let what = format!("is {address}, where {section}.{other} listens already");
                return Err(invalid_setting(section, key, what));
            }
        }
        Ok(())
    }
}

impl ListenerSettings {
    pub(crate) fn limits(&self, kind: Kind, connections_max: usize) -> Limits {
        let percent = match kind {
            Kind::Web { proxied: true } => 100,
            _ => self.connections_per_address_percent as usize,
        };
        let millis = |millis: u32| Duration::from_millis(millis.into());
        Limits {
            connections_max,
            per_address_max: per_address_max(connections_max, percent),
            greeting: millis(self.greeting_ms),
            head: (kind != Kind::Grpc).then_some(HEAD_TIMEOUT),
            idle: millis(if kind == Kind::Grpc { self.idle_grpc_ms } else { self.idle_ms }),
            write: millis(self.write_ms),
        }
    }
}

/// The connections that one address may have: its percent, but never all of few.
fn per_address_max(connections_max: usize, percent: usize) -> usize {
    if percent >= 100 {
        return connections_max;
    }
    let most = (connections_max * 3 / 4).max(1);
    (connections_max * percent / 100).max(PER_ADDRESS_MIN).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_never_has_a_whole_listener() {
        for (connections, percent, most) in
            [(10_000, 25, 2_500), (100, 25, 64), (16, 25, 12), (33, 25, 24), (1, 1, 1), (33, 100, 33)]
        {
            assert_eq!(per_address_max(connections, percent), most, "{percent} % of {connections}");
        }
    }

    #[test]
    fn two_listeners_need_two_addresses() {
        let wrong = ListenerSettings { web: ListenerSettings::default().grpc, ..ListenerSettings::default() };
        let error = wrong.check(LISTENERS).expect_err("twice");
        assert_eq!(error.message(), "listeners.web is 127.0.0.1:9000, where listeners.grpc listens already");
        let free = "127.0.0.1:0".parse().expect("an address");
        ListenerSettings { grpc: free, web: free, metrics: free, ..ListenerSettings::default() }
            .check(LISTENERS)
            .expect("each gets its own");
    }

    #[test]
    fn settings_out_of_range_are_named_and_shares_follow_from_them() {
        let wrong = ListenerSettings { connections_per_address_percent: 0, ..ListenerSettings::default() };
        let error = wrong.check(LISTENERS).expect_err("none");
        assert!(error.message().contains("listeners.connections_per_address_percent"), "{error}");
        let usual = ListenerSettings::default();
        usual.check(LISTENERS).expect("good");
        assert_eq!(usual.limits(Kind::Grpc, 1000).per_address_max, 250);
        assert_eq!(usual.limits(Kind::Web { proxied: true }, 1000).per_address_max, 1000);
        assert_eq!(usual.limits(Kind::Metrics, 8).per_address_max, 6);
    }
}
