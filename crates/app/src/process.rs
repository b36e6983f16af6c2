//! What a process of the shop is told before its roles: where it listens, where its data is, what it logs. The sections `[listeners]`,
//! `[data]` and `[log]` of `souk.toml`; flags go before them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chassis::{Config, LISTENERS, ListenerSettings, LogSettings, Settings, invalid_setting};
use kernel::Result;
use serde::{Deserialize, Serialize};

use crate::{files, log};

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
pub const SECTIONS: [&str; 3] = [LISTENERS, "data", LogSettings::SECTION];

/// The settings of a section that no role has, as they are in force.
///
/// # Errors
/// `INVALID_CONFIG` naming the key.
pub fn section(config: &Config, name: &str) -> Result<serde_json::Value> {
    let value = match name {
        LISTENERS => serde_json::to_value(config.settings::<ListenerSettings>(LISTENERS)?),
        LogSettings::SECTION => serde_json::to_value(log::check(config)?),
        _ => serde_json::to_value(config.settings::<Data>("data")?),
    };
    value.map_err(kernel::Error::internal)
}

/// Where a command finds the shop of this directory, unless it is told: its address and its data, as `souk.toml` and the
/// environment have them. A command needs nothing else of a configuration, so one that is wrong is left to `souk up`.
#[must_use]
pub fn usual_shop() -> (String, String) {
    let config = Config::load(files::usual_config(), files::environment()).unwrap_or_default();
    let mut grpc = config.settings::<ListenerSettings>(LISTENERS).unwrap_or_default().grpc;
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
            given(&[("SOUK__LISTENERS__GRPC", "0.0.0.0:9100"), ("SOUK__DATA__URL", "dir:/var/lib/souk")]);
        let listeners = section(&config, LISTENERS).expect("good");
        assert_eq!(
            (&listeners["grpc"], &listeners["web"]),
            (&"0.0.0.0:9100".into(), &"127.0.0.1:8080".into())
        );
        assert_eq!(section(&config, "data").expect("good")["url"], "dir:/var/lib/souk");
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_key() {
        let refused = |variable: &str, value: &str, name: &str| {
            section(&given(&[(variable, value)]), name).expect_err("wrong").message().to_owned()
        };
        let address = refused("SOUK__LISTENERS__GRPC", "localhost", LISTENERS);
        assert!(address.contains("SOUK__LISTENERS__GRPC"), "{address}");
        let url = refused("SOUK__DATA__URL", "postgres://x", "data");
        assert!(url.starts_with("data.url ") && url.contains("dir:PATH"), "{url}");
    }
}
