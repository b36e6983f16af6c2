//! Whose request it is, as far as the network tells.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

/// The client's address: the connection's, or, behind proxies of ours, the one that the outermost of them saw.
#[must_use]
pub fn address(peer: Option<SocketAddr>, headers: &HeaderMap, trusted_proxies: u8) -> IpAddr {
    let connected = peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
    if trusted_proxies == 0 {
        return connected;
    }
    let told = headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = told.flat_map(|value| value.split(',')).map(str::trim).collect();
    // Each of our proxies appends whom it saw, so what stands further left may be made up.
    let place = hops.len().checked_sub(usize::from(trusted_proxies));
    place.and_then(|place| hops.get(place)?.parse().ok()).unwrap_or(connected)
}

pub use mesh::network;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_proxies_are_believed() {
        let peer = "192.0.2.9:1".parse().ok();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "203.0.113.1, 198.51.100.7".parse().expect("a value"));
        let of = |proxies| address(peer, &headers, proxies).to_string();
        assert_eq!([of(0), of(1), of(2), of(3)], ["192.0.2.9", "198.51.100.7", "203.0.113.1", "192.0.2.9"]);
    }
}
