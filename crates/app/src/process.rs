//! What a process of the shop is told before its roles: where it listens and where its data is. The sections `[listen]` and
//! `[data]` of `souk.toml`; flags go before them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use chassis::{Config, Settings, invalid_setting};
use kernel::Result;
use serde::{Deserialize, Serialize};

use crate::files;

/// The section `[listen]`: where the process listens. Port 0 picks a free one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// gRPC. 127.0.0.1:9000.
    pub grpc: SocketAddr,
    /// The web gateway. 127.0.0.1:8080.
    pub web: SocketAddr,
    /// Metrics as Prometheus text. 127.0.0.1:9090.
    pub metrics: SocketAddr,
}

impl Default for Listen {
    fn default() -> Self {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self { grpc: local(9000), web: local(8080), metrics: local(9090) }
    }
}

impl Settings for Listen {
    fn check(&self, section: &str) -> Result<()> {
        let named = [("grpc", self.grpc), ("web", self.web), ("metrics", self.metrics)];
        for (index, (key, address)) in named.iter().enumerate() {
            let taken = named[..index].iter().find(|(_, other)| other == address && address.port() != 0);
            if let Some((other, _)) = taken {
                let what = format!("is {address}, where {section}.{other} listens already");
                return Err(invalid_setting(section, key, what));
            }
        }
        Ok(())
    }
}

/// The section `[data]`: where the process keeps its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// `dir:PATH`, or `mem:` for nowhere. dir:.souk.
    pub url: String,
}

impl Default for Data {
    fn default() -> Self {
        Self { url: "dir:.souk".to_owned() }
    }
}

impl Settings for Data {
    fn check(&self, section: &str) -> Result<()> {
        chassis::check_data_url(&self.url).map_err(|error| invalid_setting(section, "url", error.message()))
    }
}

/// The sections that no role has, in the order in which they are shown.
pub const SECTIONS: [&str; 2] = ["listen", "data"];

/// The settings of a section that no role has, as they are in force.
///
/// # Errors
/// `INVALID_CONFIG` naming the key.
pub fn section(config: &Config, name: &str) -> Result<serde_json::Value> {
    let value = match name {
        "listen" => serde_json::to_value(config.settings::<Listen>("listen")?),
        _ => serde_json::to_value(config.settings::<Data>("data")?),
    };
    value.map_err(kernel::Error::internal)
}

/// Where a command finds the shop of this directory, unless it is told: its address and its data, as `souk.toml` and the
/// environment have them. A command needs nothing else of a configuration, so one that is wrong is left to `souk up`.
#[must_use]
pub fn usual_shop() -> (String, String) {
    let config = Config::load(files::usual_config(), files::environment()).unwrap_or_default();
    let mut grpc = config.settings::<Listen>("listen").unwrap_or_default().grpc;
    // Listening everywhere is not an address that one can call.
    match grpc.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => grpc.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => grpc.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    (format!("http://{grpc}"), config.settings::<Data>("data").unwrap_or_default().url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Config {
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::load(None, pairs.into_iter()).expect("readable")
    }

    #[test]
    fn listeners_and_data_are_settings() {
        let config =
            given(&[("SOUK__LISTEN__GRPC", "0.0.0.0:9100"), ("SOUK__DATA__URL", "dir:/var/lib/souk")]);
        let listen: Listen = config.settings("listen").expect("good");
        assert_eq!(listen, Listen { grpc: "0.0.0.0:9100".parse().expect("an address"), ..Listen::default() });
        let data: Data = config.settings("data").expect("good");
        assert_eq!(data.url, "dir:/var/lib/souk");
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_key() {
        let listen = |pairs: &[(&str, &str)]| {
            given(pairs).settings::<Listen>("listen").expect_err("wrong").message().to_owned()
        };
        let twice = listen(&[("SOUK__LISTEN__WEB", "127.0.0.1:9000")]);
        assert_eq!(twice, "listen.web is 127.0.0.1:9000, where listen.grpc listens already");
        assert!(listen(&[("SOUK__LISTEN__GRPC", "localhost")]).contains("SOUK__LISTEN__GRPC"));
        let data =
            given(&[("SOUK__DATA__URL", "postgres://x")]).settings::<Data>("data").expect_err("unknown");
        assert!(data.message().starts_with("data.url ") && data.message().contains("dir:PATH"), "{data}");
    }
}
