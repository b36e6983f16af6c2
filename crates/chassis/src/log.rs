//! What is logged, and how: the section `[log]`. Whoever runs the process sets its log up by it.

use kernel::Result;
use serde::{Deserialize, Serialize};

use crate::Settings;

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How much of a client's address a line of the access log tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogAddresses {
    /// Nothing.
    #[default]
    None,
    /// The network: 24 bits of IPv4, 48 bits of IPv6.
    Network,
    /// All of it.
    Full,
}

/// The section `[log]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `text` or `json`.
    pub format: LogFormat,
    /// Which lines are written: a level, or directives such as `info,mesh=debug`.
    pub filter: String,
    /// Whether gateways write a line for each request: method, route, status, time, bytes, ids; never a query or a token.
    pub access: bool,
    /// What these lines tell of a client's address: `none`, `network` or `full`.
    pub addresses: LogAddresses,
}

impl LogSettings {
    /// The name of the section.
    pub const SECTION: &str = "log";
}

impl Settings for LogSettings {
    /// The filter is checked by whoever sets the log up, who knows its language.
    fn check(&self, _: &str) -> Result<()> {
        Ok(())
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info".to_owned(),
            access: false,
            addresses: LogAddresses::None,
        }
    }
}
