//! Settings: defaults in code, then `souk.toml`, then `SOUK__SECTION__KEY`, then flags. Each part of the house has a typed
//! section; unknown sections and keys are refused by name.

mod fault;

use std::collections::BTreeMap;
use std::path::Path;

use kernel::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::fault::Fault;
use crate::Settings;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The default in code.
    Default,
    /// The configuration file.
    File,
    /// This environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag,
}

/// The settings that were given, section by section. What was not given has its default in the section's type.
#[derive(Clone, Debug, Default)]
pub struct Config {
    values: toml::Table,
    origins: BTreeMap<String, Origin>,
}

/// Largest configuration file, in bytes.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

fn invalid(message: String) -> Error {
    Error::invalid("INVALID_CONFIG", message)
}

impl Config {
    /// Reads a file (when there is one) and the environment's `SOUK__…` variables.
    ///
    /// # Errors
    /// `INVALID_CONFIG` for a file that is missing, too large or no TOML, and for a variable without a section.
    pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Self> {
        let Some(path) = file else { return Self::default().with_variables(environment) };
        let unreadable =
            |error: &dyn std::fmt::Display| invalid(format!("{} cannot be read: {error}", path.display()));
        if std::fs::metadata(path).map_err(|error| unreadable(&error))?.len() > FILE_BYTES_MAX {
            return Err(unreadable(&"it is larger than 1 MiB"));
        }
        let bytes = std::fs::read(path).map_err(|error| unreadable(&error))?;
        Self::parse(path, &bytes, environment)
    }

    /// Reads the bytes of a file, which messages name by its path, and the environment's `SOUK__…` variables.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(
        path: &Path,
        bytes: &[u8],
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self> {
        let mut config = Self::default();
        let unreadable =
            |error: &dyn std::fmt::Display| invalid(format!("{} cannot be read: {error}", path.display()));
        let text = std::str::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8 text"))?;
        let values: toml::Table = text.parse().map_err(|error: toml::de::Error| unreadable(&error))?;
        for (section, value) in values {
            let toml::Value::Table(keys) = value else {
                return Err(invalid(format!("{}: `{section}` is not in a [section]", path.display())));
            };
            for (key, value) in keys {
                config.put(&section, &key, value, Origin::File);
            }
        }
        config.with_variables(environment)
    }

    fn with_variables(mut self, environment: impl Iterator<Item = (String, String)>) -> Result<Self> {
        for (name, text) in environment.filter(|(name, _)| name.starts_with("SOUK__")) {
            let path = name["SOUK__".len()..].to_ascii_lowercase();
            let Some((section, key)) =
                path.split_once("__").filter(|(section, key)| !section.is_empty() && !key.is_empty())
            else {
                return Err(invalid(format!("{name} is not of the form SOUK__SECTION__KEY")));
            };
            // A variable's name has no hyphen: BFF_WEB is section [bff-web].
            let section = section.replace('_', "-");
            self.put(&section, key, scalar(&text), Origin::Environment(name.clone()));
        }
        Ok(self)
    }

    /// Sets a value, as a flag does.
    pub fn set(&mut self, section: &str, key: &str, value: impl Into<toml::Value>) {
        self.set_from(section, key, value, Origin::Flag);
    }

    /// Sets a value that comes from somewhere else.
    pub fn set_from(&mut self, section: &str, key: &str, value: impl Into<toml::Value>, origin: Origin) {
        self.put(section, key, value.into(), origin);
    }

    fn put(&mut self, section: &str, key: &str, value: toml::Value, origin: Origin) {
        let table = self.values.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        if let toml::Value::Table(table) = table {
            table.insert(key.to_owned(), value);
        }
        self.origins.insert(format!("{section}.{key}"), origin);
    }

    /// A section with its defaults.
    ///
    /// # Errors
    /// `INVALID_CONFIG` that names the section, the key and where it was given.
    pub fn section<T: Default + Serialize + DeserializeOwned>(&self, name: &str) -> Result<T> {
        let Some(toml::Value::Table(table)) = self.values.get(name) else { return Ok(T::default()) };
        let refused = |fault: Fault| {
            let from = match self.origins.get(&fault.key) {
                Some(Origin::Environment(variable)) => format!(" ({variable})"),
                _ => String::new(),
            };
            invalid(format!("{}{from} {}", fault.path, fault.what))
        };
        if let Some(fault) = Fault::control(name, table) {
            return Err(refused(fault));
        }
        table.clone().try_into().map_err(|error: toml::de::Error| {
            refused(Fault::find::<T>(name, table).unwrap_or_else(|| Fault::whole(name, &error)))
        })
    }

    /// The settings of a role: its section with its defaults, checked.
    ///
    /// # Errors
    /// As [`Config::section`], and what the settings refuse.
    pub fn settings<T: Settings>(&self, name: &str) -> Result<T> {
        let settings: T = self.section(name)?;
        settings.check(name)?;
        Ok(settings)
    }

    /// Refuses sections that nobody has.
    ///
    /// # Errors
    /// `INVALID_CONFIG` that names the section.
    pub fn only_sections(&self, known: &[&str]) -> Result<()> {
        match self.values.keys().find(|section| !known.contains(&section.as_str())) {
            Some(section) => {
                Err(invalid(format!("there is no section [{section}]; there are {}", known.join(", "))))
            }
            None => Ok(()),
        }
    }

    /// Where a value came from.
    #[must_use]
    pub fn origin(&self, section: &str, key: &str) -> Origin {
        self.origins.get(&format!("{section}.{key}")).cloned().unwrap_or(Origin::Default)
    }
}

/// A variable's text as the TOML value it looks like; text when it looks like none.
fn scalar(text: &str) -> toml::Value {
    let parsed: std::result::Result<toml::Table, _> = format!("v = {text}").parse();
    parsed
        .ok()
        .and_then(|mut table| table.remove("v"))
        .unwrap_or_else(|| toml::Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Cart {
        lines_max: u32,
        note: String,
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Form {
        #[default]
        Text,
        Json,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Every {
        at: std::net::SocketAddr,
        small: u8,
        number: u32,
        long: i64,
        on: bool,
        text: String,
        list: Vec<String>,
        limits: BTreeMap<String, i64>,
        form: Form,
    }

    impl Default for Every {
        fn default() -> Self {
            Self {
                at: std::net::SocketAddr::from(([127, 0, 0, 1], 1)),
                small: 0,
                number: 0,
                long: 0,
                on: false,
                text: String::new(),
                list: Vec::new(),
                limits: BTreeMap::new(),
                form: Form::Text,
            }
        }
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Nothing {}

    #[test]
    fn what_is_wrong_is_said_with_key_value_and_what_may_stand_there() {
        let said = |line: &str| {
            let text = format!("[s]\n{line}");
            let config =
                Config::parse(Path::new("souk.toml"), text.as_bytes(), environment(&[])).expect("TOML");
            config.section::<Every>("s").expect_err(line).message().to_owned()
        };
        for (line, expected) in [
            (
                r#"at = "nonsense""#,
                r#"s.at is "nonsense"; it must be IP:PORT, such as 127.0.0.1:9000 or [::1]:9000"#,
            ),
            (
                r#"at = "127.0.0.1:99999""#,
                r#"s.at is "127.0.0.1:99999"; it must be IP:PORT, such as 127.0.0.1:9000 or [::1]:9000"#,
            ),
            ("small = 300", "s.small is 300; it must be a whole number from 0 to 255"),
            ("number = -1", "s.number is -1; it must be a whole number from 0 to 4294967295"),
            ("number = 9999999999", "s.number is 9999999999; it must be a whole number from 0 to 4294967295"),
            ("number = 1.5", "s.number is 1.5; it must be a whole number from 0 to 4294967295"),
            (r#"long = "1""#, r#"s.long is "1"; it must be a whole number"#),
            ("text = { a = 1 }", "s.text is { a = 1 }; it must be text, in quotes"),
            ("text = [1]", "s.text is [1]; it must be text, in quotes"),
            ("on = 1", "s.on is 1; it must be true or false"),
            ("list = \"GBP,EUR\"", r#"s.list is "GBP,EUR"; it must be a list, such as ["a", "b"]"#),
            ("list = [\"GBP\", 7]", "s.list[1] is 7; it must be text, in quotes"),
            ("limits = 7", "s.limits is 7; it must be a table, such as { a = 1 }"),
            (r#"limits = { EUR = 1, GBP = "1.00" }"#, r#"s.limits.GBP is "1.00"; it must be a whole number"#),
            (r#"form = "xml""#, r#"s.form is "xml"; it must be "text" or "json""#),
            ("form = 7", "s.form is 7; it must be text, in quotes"),
            (r#"list = ["a\nb"]"#, "s.list must not have control characters"),
            (
                "other = 1",
                "s.other is not known; [s] has at, form, limits, list, long, number, on, small, text",
            ),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
        let variable = [("SOUK__S__NUMBER", "abc"), ("SOUK__S__X", "1")];
        let of = |n: usize| Config::load(None, environment(&variable[n..=n])).expect("read");
        assert_eq!(
            of(0).section::<Every>("s").expect_err("no number").message(),
            r#"s.number (SOUK__S__NUMBER) is "abc"; it must be a whole number from 0 to 4294967295"#
        );
        assert_eq!(
            of(1).section::<Nothing>("s").expect_err("no such key").message(),
            "s.x (SOUK__S__X) is not known; [s] has no settings"
        );
    }

    fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> + use<> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn later_sources_win_and_say_so() {
        let mut config = Config::load(
            None,
            environment(&[
                ("SOUK__CART__LINES_MAX", "7"),
                ("SOUK__CART__NOTE", "plain text"),
                ("SOUK__BFF_WEB__NOTE", "hyphens"),
            ]),
        )
        .expect("good");
        assert_eq!(config.section::<Cart>("bff-web").expect("good").note, "hyphens");
        assert_eq!(
            config.section::<Cart>("cart").expect("good"),
            Cart { lines_max: 7, note: "plain text".into() }
        );
        config.set("cart", "lines_max", 9);
        assert_eq!(config.section::<Cart>("cart").expect("good").lines_max, 9);
        assert_eq!(config.origin("cart", "lines_max"), Origin::Flag);
        assert_eq!(config.origin("cart", "note"), Origin::Environment("SOUK__CART__NOTE".into()));
    }

    #[test]
    fn unknown_keys_and_sections_are_named() {
        let config = Config::load(None, environment(&[("SOUK__CART__LINE_MAX", "7")])).expect("read");
        let error = config.section::<Cart>("cart").expect_err("unknown key");
        assert_eq!(
            error.message(),
            "cart.line_max (SOUK__CART__LINE_MAX) is not known; [cart] has lines_max, note"
        );
        assert!(config.only_sections(&["order"]).expect_err("unknown").message().contains("[cart]"));
        assert!(Config::load(None, environment(&[("SOUK__CART", "7")])).is_err());
    }

    #[test]
    fn a_file_that_is_no_utf_8_text_is_called_so() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("souk.toml");
        let utf_16: Vec<u8> = "\u{feff}[cart]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(&path, utf_16).expect("written");
        let error = Config::load(Some(&path), environment(&[])).expect_err("UTF-16");
        assert!(
            error.message().ends_with("souk.toml cannot be read: it is not UTF-8 text"),
            "{}",
            error.message()
        );
    }
}
