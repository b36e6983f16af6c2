//! Settings: defaults in code, then `souk.toml`, then `SOUK__SECTION__KEY`, then flags. Each part of the house has a typed
//! section; unknown sections and keys are refused by name.

use std::collections::BTreeMap;
use std::path::Path;

use kernel::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

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
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
        Self::parse(path, &text, environment)
    }

    /// Reads the text of a file, which messages name by its path, and the environment's `SOUK__…` variables.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(
        path: &Path,
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self> {
        let mut config = Self::default();
        let values: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            invalid(format!("{} cannot be read: {error}", path.display()))
        })?;
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
        self.put(section, key, value.into(), Origin::Flag);
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
        let Some(table) = self.values.get(name) else { return Ok(T::default()) };
        table.clone().try_into().map_err(|error: toml::de::Error| {
            let from: Vec<String> = self
                .origins
                .iter()
                .filter(|(key, _)| key.split_once('.').is_some_and(|(section, _)| section == name))
                .filter_map(|(_, origin)| match origin {
                    Origin::Environment(variable) => Some(variable.clone()),
                    _ => None,
                })
                .collect();
            let hint =
                if from.is_empty() { String::new() } else { format!(" (see also {})", from.join(", ")) };
            invalid(format!("[{name}] {}{hint}", error.message()))
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
        assert!(
            error.message().contains("line_max") && error.message().contains("SOUK__CART__LINE_MAX"),
            "{error}"
        );
        assert!(config.only_sections(&["order"]).expect_err("unknown").message().contains("[cart]"));
        assert!(Config::load(None, environment(&[("SOUK__CART", "7")])).is_err());
    }
}
