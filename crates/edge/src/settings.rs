//! Settings that every gateway has: the section of its role in `souk.toml`.

use chassis::{check_ranges, invalid_setting};
use kernel::text::{self, Lines};
use kernel::{Currency, Result};
use serde::{Deserialize, Serialize};

/// What can be set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What the shop is called, 1 to 40 characters.
    pub shop_name: String,
    /// The currencies that a visitor may choose, the usual one first; ISO 4217, 1 to 20.
    pub currencies: Vec<String>,
    /// The origin that browsers see, for example `https://shop.example`, where a proxy ends TLS; empty: as they ask, in the
    /// clear. With https, cookies are Secure and HSTS is sent.
    pub origin: String,
    /// Origins of other sites whose scripts may use the API with this shop's cookies, at most 20.
    pub cors_origins: Vec<String>,
    /// How many proxies of ours a request passes: the client's address is so far from the end of X-Forwarded-For; 0 to 10.
    pub trusted_proxies: u8,
    /// Whether screens are kept for others.
    pub cache: bool,
    /// Bytes of screens that are kept, at most; 1 to 4,096 MiB.
    pub cache_mib: u32,
    /// Cost units that one address may spend in a minute (a plain page costs one); 1 to 100,000,000.
    pub units_per_minute_address: u32,
    /// Cost units that one session may spend in a minute; 1 to 100,000,000.
    pub units_per_minute_session: u32,
    /// Sign-ins and sign-ups that one address may try in a minute; 1 to 1,000,000.
    pub sign_ins_per_minute_address: u32,
    /// Open WebSockets at once; 1 to 100,000.
    pub sockets_max: u32,
    /// Open WebSockets of one person at once; 1 to 1,000.
    pub sockets_per_person_max: u32,
    /// Open WebSockets of one address at once (an IPv6 address stands for its /64); 1 to 100,000.
    pub sockets_per_address_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            shop_name: "Souk".to_owned(),
            currencies: vec!["GBP".to_owned(), "EUR".to_owned()],
            origin: String::new(),
            cors_origins: Vec::new(),
            trusted_proxies: 0,
            cache: true,
            cache_mib: 64,
            units_per_minute_address: 6_000,
            units_per_minute_session: 1_200,
            sign_ins_per_minute_address: 30,
            sockets_max: 12_000,
            sockets_per_person_max: 10,
            sockets_per_address_max: 500,
        }
    }
}

impl Settings {
    /// What the shop is called, as every text is stored: without what shows nothing. Empty where [`chassis::Settings::check`]
    /// refuses the name.
    #[must_use]
    pub fn name(&self) -> String {
        text::clean(&self.shop_name, Lines::One).unwrap_or_default()
    }

    /// Whether browsers reach the gateway over TLS.
    #[must_use]
    pub fn tls(&self) -> bool {
        self.origin.starts_with("https://")
    }
}

impl chassis::Settings for Settings {
    fn check(&self, section: &str) -> Result<()> {
        check_ranges(
            section,
            [
                ("trusted_proxies", self.trusted_proxies.into(), 0..=10),
                ("cache_mib", self.cache_mib.into(), 1..=4_096),
                ("units_per_minute_address", self.units_per_minute_address.into(), 1..=100_000_000),
                ("units_per_minute_session", self.units_per_minute_session.into(), 1..=100_000_000),
                ("sign_ins_per_minute_address", self.sign_ins_per_minute_address.into(), 1..=1_000_000),
                ("sockets_max", self.sockets_max.into(), 1..=100_000),
                ("sockets_per_person_max", self.sockets_per_person_max.into(), 1..=1_000),
                ("sockets_per_address_max", self.sockets_per_address_max.into(), 1..=100_000),
            ],
        )?;
        let invalid = |key: &str, what: String| Err(invalid_setting(section, key, what));
        match text::clean(&self.shop_name, Lines::One) {
            Ok(name) if (1..=40).contains(&name.chars().count()) => {}
            Ok(_) => return invalid("shop_name", "must have 1 to 40 characters".to_owned()),
            Err(what) => return invalid("shop_name", what.to_owned()),
        }
        if !(1..=20).contains(&self.currencies.len()) {
            return invalid("currencies", "must have 1 to 20 entries".to_owned());
        }
        for (index, code) in self.currencies.iter().enumerate() {
            if Currency::parse(code).is_err() {
                return invalid("currencies", format!("has `{code}`, which is not an ISO 4217 code"));
            }
            if self.currencies[..index].contains(code) {
                return invalid("currencies", format!("has `{code}` more than once"));
            }
        }
        if self.cors_origins.len() > 20 {
            return invalid("cors_origins", "has more than 20 entries".to_owned());
        }
        let named = std::iter::once(("origin", &self.origin)).filter(|(_, origin)| !origin.is_empty());
        for (key, origin) in named.chain(self.cors_origins.iter().map(|origin| ("cors_origins", origin))) {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            let good = host.is_some_and(|host| {
                !host.is_empty()
                    && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
            });
            if !good {
                return invalid(
                    key,
                    format!("has `{origin}`, which is not an origin like https://shop.example"),
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chassis::Settings as _;

    use super::*;

    #[test]
    fn what_is_out_of_range_is_named() {
        assert!(Settings::default().check("bff-web").is_ok());
        let wrong = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.check("bff-web").expect_err("out of range").message().to_owned()
        };
        assert!(wrong(|s| s.sockets_max = 0).contains("bff-web.sockets_max"));
        for name in ["", "\u{200b}", " \t", "a\u{0}", &"x".repeat(41)] {
            let named = Settings { shop_name: name.into(), ..Settings::default() };
            let error = named.check("bff-web").expect_err(name);
            assert!(error.message().contains("bff-web.shop_name"), "{name:?}: {}", error.message());
        }
        for currencies in [&["GBP", "GBP"][..], &["EUR", "GBP", "EUR"], &["XXXX"], &[]] {
            let currencies: Vec<String> = currencies.iter().map(|code| (*code).to_owned()).collect();
            let offered = Settings { currencies, ..Settings::default() };
            let error = offered.check("bff-web").expect_err("refused");
            assert!(error.message().contains("bff-web.currencies"), "{}", error.message());
        }
        assert!(wrong(|s| s.origin = "shop.example".into()).contains("bff-web.origin"));
        assert!(wrong(|s| s.cors_origins = vec!["https://a.example/".into()]).contains("cors_origins"));
    }

    #[test]
    fn the_shops_name_is_a_text_as_every_other() {
        let named = |name: &str| Settings { shop_name: name.into(), ..Settings::default() };
        let spaced = named(" Cafe\u{301}\u{200b}\tBleu ");
        assert!(spaced.check("bff-web").is_ok());
        assert_eq!(spaced.name(), "Caf\u{e9} Bleu");
    }
}
