//! Sets up what this process logs, by the section `[log]`. It goes to stderr.

use std::io::IsTerminal;
use std::path::Path;

use chassis::{Config, LogFormat, LogSettings};
use kernel::{Error, Result};
use tracing_subscriber::EnvFilter;

use crate::up;

/// The variable that goes before `log.filter`.
const FILTER: &str = "SOUK_LOG";

/// Checks the section.
///
/// # Errors
/// `INVALID_CONFIG` naming the key.
pub fn check(config: &Config) -> Result<LogSettings> {
    let settings: LogSettings = config.settings(LogSettings::SECTION)?;
    let bad = |error| {
        let message = format!("[log] filter `{}` cannot be read: {error}", settings.filter);
        Error::invalid("INVALID_CONFIG", message)
    };
    EnvFilter::try_new(&settings.filter).map_err(bad)?;
    Ok(settings)
}

/// Begins to log by a configuration file and the environment. A configuration that is not good is told by the command that
/// needs it; until then the defaults count.
#[expect(
    clippy::disallowed_methods,
    reason = "what is logged is said by the environment, before there is a Context"
)]
pub fn start(file: Option<&Path>) {
    let settings = up::configuration(file).and_then(|config| check(&config)).unwrap_or_default();
    let filter = EnvFilter::try_from_env(FILTER).or_else(|_| EnvFilter::try_new(&settings.filter));
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.format {
        LogFormat::Text => log.with_ansi(colour).init(),
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(false).with_span_list(false).init()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        let mut config = Config::default();
        assert_eq!(check(&config).expect("good").filter, "info");
        config.set("log", "filter", "mesh=loud");
        assert!(check(&config).expect_err("no level").message().contains("mesh=loud"));
        config.set("log", "filter", "info,mesh=debug");
        config.set("log", "format", "xml");
        assert!(check(&config).expect_err("no format").message().contains("xml"));
        config.set("log", "format", "json");
        assert_eq!(check(&config).expect("good").format, LogFormat::Json);
    }
}
