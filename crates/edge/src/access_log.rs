//! A line for each request, where the settings ask for it: by a visitor's request id, its line and the cause of its failure are
//! found. The route stands in it, not the address, which may tell of a person; no query, no cookie, no token.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use chassis::{LogAddresses, LogSettings};
use http::{Method, StatusCode};
use mesh::Trace;

use crate::reply::CacheStatus;

/// What the settings say of it.
pub(crate) struct AccessLog {
    on: bool,
    addresses: LogAddresses,
}

/// A request that was answered.
pub(crate) struct Answered<'a> {
    pub(crate) method: &'a Method,
    /// The path of its route; `none` for an address without one.
    pub(crate) route: &'static str,
    pub(crate) request_id: &'a str,
    pub(crate) trace: Trace,
    pub(crate) took: Duration,
    pub(crate) status: StatusCode,
    /// Bytes of the body, as they are sent.
    pub(crate) bytes: usize,
    /// How the response cache took part, where there is one.
    pub(crate) cache: Option<CacheStatus>,
}

impl AccessLog {
    pub(crate) fn new(settings: &LogSettings) -> Self {
        Self { on: settings.access, addresses: settings.addresses }
    }

    /// Whether anything is written.
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// What is told of a client's address.
    pub(crate) fn address(&self, address: impl FnOnce() -> IpAddr) -> String {
        match self.addresses {
            _ if !self.on => String::new(),
            LogAddresses::None => String::new(),
            LogAddresses::Network => network(address()).to_string(),
            LogAddresses::Full => address().to_canonical().to_string(),
        }
    }

    /// Writes a line.
    pub(crate) fn write(&self, answered: &Answered<'_>, address: &str) {
        // With microseconds, as a number.
        let ms = answered.took.as_micros() as f64 / 1_000.0;
        tracing::info!(
            target: "souk::access",
            method = answered.method.as_str(),
            route = answered.route,
            status = answered.status.as_u16(),
            ms,
            bytes = answered.bytes,
            request_id = answered.request_id,
            trace_id = answered.trace.id(),
            cache = answered.cache.map(CacheStatus::word),
            address = Some(address).filter(|address| !address.is_empty()),
            "answered"
        );
    }
}

/// What tells of a provider and not of a person: 24 bits of IPv4, 48 bits of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8))),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 80))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_as_far_as_is_set() {
        let told = |addresses, text: &str| {
            let log = AccessLog { on: true, addresses };
            log.address(|| text.parse().expect("an address"))
        };
        assert_eq!(told(LogAddresses::None, "192.0.2.7"), "");
        assert_eq!(told(LogAddresses::Network, "192.0.2.7"), "192.0.2.0");
        assert_eq!(told(LogAddresses::Network, "2001:db8:1:2::7"), "2001:db8:1::");
        assert_eq!(told(LogAddresses::Full, "::ffff:192.0.2.7"), "192.0.2.7");
    }
}
