//! Where a shop is, as somebody types it.

use std::net::Ipv6Addr;

use tonic::transport::Uri;

use crate::console::Failure;

/// Where gRPC listens unless it is told otherwise.
pub(super) const USUAL_PORT: u16 = 9000;

/// The address of a shop: a URL, or a host with a port. Without a port it is the usual one.
pub(super) fn address(at: &str) -> Result<Uri, Failure> {
    let wrong = |why: &str| {
        Failure::usage(format!("--at {at} is no address: {why}; give one like http://127.0.0.1:9000"))
    };
    let at = at.trim();
    if at.starts_with("dir:") || at.starts_with("mem:") {
        return Err(wrong("it names data, which is said with --data"));
    }
    let (scheme, rest) = at.split_once("://").unwrap_or(("http", at));
    if !scheme.eq_ignore_ascii_case("http") {
        return Err(wrong("a shop speaks gRPC over http, not over another scheme"));
    }
    let place = rest.strip_suffix('/').unwrap_or(rest);
    if place.contains(['/', '?', '#', '@']) {
        return Err(wrong("it has more than a host and a port"));
    }
    let (host, port) = match place.rsplit_once(':') {
        // A colon within brackets belongs to the host.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (place, None),
    };
    if host.contains(':') && !host.starts_with('[') {
        return Err(wrong("an address of IPv6 stands in brackets, as in [::1]:9000"));
    }
    if host.is_empty() {
        return Err(wrong("it has no host"));
    }
    if port.is_none() && host.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong("it has a port alone; this machine is 127.0.0.1"));
    }
    let is_name = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let is_v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if !is_name && is_v6.is_none_or(|host| host.parse::<Ipv6Addr>().is_err()) {
        return Err(wrong("its host cannot be read"));
    }
    let port = match port {
        None => USUAL_PORT,
        Some("") => return Err(wrong("it has no port behind the colon")),
        Some(port) => match port.parse::<u16>() {
            Ok(port) if port > 0 => port,
            _ => return Err(wrong("its port is not a number from 1 to 65535")),
        },
    };
    format!("http://{host}:{port}").parse().map_err(|_| wrong("its host cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_no_scheme_and_no_port() {
        for (given, expected) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/"),
            ("127.0.0.1:9100", "http://127.0.0.1:9100/"),
            ("localhost:9100", "http://localhost:9100/"),
            ("HTTP://shop.example:81/", "http://shop.example:81/"),
            ("shop.example", "http://shop.example:9000/"),
            ("http://127.0.0.1", "http://127.0.0.1:9000/"),
            ("[::1]:9100", "http://[::1]:9100/"),
            ("[::1]", "http://[::1]:9000/"),
            (" 127.0.0.1:9100 ", "http://127.0.0.1:9100/"),
        ] {
            assert_eq!(address(given).map(|uri| uri.to_string()), Ok(expected.to_owned()), "{given}");
        }
        for (wrong, why) in [
            ("", "no host"),
            (":9000", "no host"),
            ("https://127.0.0.1:9000", "another scheme"),
            ("ftp://x", "another scheme"),
            ("127.0.0.1:", "no port"),
            ("127.0.0.1:0", "from 1 to 65535"),
            ("127.0.0.1:99999", "from 1 to 65535"),
            ("127.0.0.1:-1", "from 1 to 65535"),
            ("localhost:abc", "from 1 to 65535"),
            ("[::1]:abc", "from 1 to 65535"),
            ("http://a/b", "more than a host and a port"),
            ("http://u:p@h:1", "more than a host and a port"),
            ("::1", "in brackets"),
            ("::1:19100", "in brackets"),
            ("[::1", "host cannot be read"),
            ("[x]:1", "host cannot be read"),
            ("127.0.0.1;19100", "host cannot be read"),
            ("two words", "host cannot be read"),
            ("19100", "a port alone"),
            ("dir:.souk", "--data"),
            ("mem:", "--data"),
        ] {
            let failure = address(wrong).expect_err(wrong);
            let said = failure.to_string();
            assert!(failure.code() == 2 && said.contains("--at") && said.contains(why), "{wrong}: {said}");
        }
    }
}
