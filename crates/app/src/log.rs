//! Sets up what this process logs, by the section `[log]`. It goes to stderr.

use std::io::IsTerminal;
use std::path::Path;

use chassis::{Config, LogFormat, LogSettings, Origin};
use kernel::{Error, Result};
use tracing_subscriber::EnvFilter;

use crate::{files, up};

/// The variable that goes before `log.filter`, also before `SOUK__LOG__FILTER`.
const FILTER: &str = "SOUK_LOG";

/// Checks the section.
///
/// # Errors
/// `INVALID_CONFIG` naming the key.
pub fn check(config: &Config) -> Result<LogSettings> {
    let settings: LogSettings = config.settings(LogSettings::SECTION)?;
    let source = match config.origin(LogSettings::SECTION, "filter") {
        Origin::Environment(variable) => variable,
        _ => "log.filter".to_owned(),
    };
    read(&source, &settings.filter)?;
    Ok(settings)
}

fn read(source: &str, filter: &str) -> Result<EnvFilter> {
    EnvFilter::try_new(filter).map_err(|error| {
        let message = format!(
            "{source} is `{filter}`, which cannot be read ({error}); give a level or directives such as info,mesh=debug"
        );
        Error::invalid("INVALID_CONFIG", message)
    })
}

/// Lets the variable of the log go before the configuration.
pub fn take_variable(config: &mut Config, environment: impl Iterator<Item = (String, String)>) {
    // A variable that is set to nothing says nothing.
    let found = environment.filter(|(name, value)| name == FILTER && !value.is_empty());
    for (name, value) in found {
        config.set_from(LogSettings::SECTION, "filter", value, Origin::Environment(name));
    }
}

/// Begins to log by a configuration file and the environment. A configuration that is not good is told by the command that
/// needs it; until then the defaults count. A variable that is not good is told by every command, since it is for all.
///
/// # Errors
/// `INVALID_CONFIG` naming the variable.
#[expect(
    clippy::disallowed_methods,
    reason = "what is logged is said by the environment, before there is a Context"
)]
pub fn start(file: Option<&Path>) -> Result<()> {
    let mut alone = Config::default();
    take_variable(&mut alone, files::environment());
    let defaults = check(&alone)?;
    let settings = up::configuration(file).and_then(|config| check(&config)).unwrap_or(defaults);
    let filter = read("log.filter", &settings.filter)?;
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.format {
        LogFormat::Text => log.with_ansi(colour).init(),
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(false).with_span_list(false).init()
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_goes_before_the_configuration_and_is_checked() {
        let with = |value: &str| {
            let mut config = Config::default();
            config.set("log", "filter", "warn");
            take_variable(&mut config, [(FILTER.to_owned(), value.to_owned())].into_iter());
            config
        };
        let good = with("mesh=debug");
        assert_eq!(check(&good).expect("good").filter, "mesh=debug");
        assert_eq!(good.origin("log", "filter"), Origin::Environment("SOUK_LOG".to_owned()));
        assert_eq!(check(&with("")).expect("nothing said").filter, "warn");
        let wrong = check(&with("wat=wat")).expect_err("no level");
        assert!(wrong.message().starts_with("SOUK_LOG is `wat=wat`"), "{wrong}");
    }

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
