//! `souk up`: every role in one process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chassis::{Addresses, Config, HttpAddress, LISTENERS, ListenerSettings, Options, Running};
use clap::Args;
use contract::souk::identity::v1::EnsureOperatorRequest;
use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use kernel::{CustomerId, Error, Result, SessionId};
use mesh::Principal;
use serde::{Deserialize, Serialize};

use crate::console;
use crate::files::{self, OPERATOR_FILE};
use crate::roles::ROLES;
use crate::table::source;
use crate::{log, process};

/// How long a leaving shop finishes what is in flight.
const GRACE: Duration = Duration::from_secs(30);
/// The file in the data directory that says what the first start did.
const HOUSE_FILE: &str = "house.json";

/// An address to listen at, as options and the configuration name it.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "it must be IP:PORT, such as 127.0.0.1:9000 or [::1]:9000".to_owned())
}

/// Options of `souk up`.
#[derive(Args, Clone, Debug)]
pub struct UpArgs {
    /// Where the data is: `dir:PATH`, or `mem:` for nowhere.
    #[arg(long, value_name = "URL", default_value = "dir:.souk")]
    pub data: String,
    /// Do not load the demo catalogue at the first start.
    #[arg(long)]
    pub no_demo: bool,
    /// Where gRPC listens; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9000", value_parser = listen_address)]
    pub grpc: SocketAddr,
    /// Where the shop window serves browsers; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    pub web: SocketAddr,
    /// Where metrics are served as Prometheus text; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9090", value_parser = listen_address)]
    pub metrics: SocketAddr,
    /// Configuration file; `souk.toml` in this directory is read when it is there.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the operator's secret is written with `mem:`; else it is told once on stderr.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// One JSON document a line on stdout.
    #[arg(long)]
    pub json: bool,
}

impl Default for UpArgs {
    fn default() -> Self {
        #[derive(clap::Parser)]
        struct Alone {
            #[command(flatten)]
            up: UpArgs,
        }
        <Alone as clap::Parser>::parse_from(["souk"]).up
    }
}

impl UpArgs {
    /// Takes what no flag says from the configuration. `given` tells whether a flag says it, by its name.
    ///
    /// # Errors
    /// As [`configuration`].
    pub fn take_settings(&mut self, given: impl Fn(&str) -> bool) -> Result<()> {
        let config = configuration(self.config.as_deref())?;
        let listeners: ListenerSettings = config.settings(LISTENERS)?;
        for (flag, address, setting) in [
            ("grpc", &mut self.grpc, listeners.grpc),
            ("web", &mut self.web, listeners.web),
            ("metrics", &mut self.metrics, listeners.metrics),
        ] {
            if !given(flag) {
                *address = setting;
            }
        }
        if !given("data") {
            self.data = config.settings::<process::Data>("data")?.url;
        }
        Ok(())
    }
}

/// Reads the configuration that these options name.
///
/// # Errors
/// `INVALID_CONFIG` that names what is wrong.
pub fn configuration(file: Option<&Path>) -> Result<Config> {
    let file = file.or(files::usual_config());
    let mut config = match file {
        None => Config::load(None, files::environment())?,
        Some(path) => {
            let unreadable = |error: &dyn std::fmt::Display| {
                Error::invalid("INVALID_CONFIG", format!("{} cannot be read: {error}", path.display()))
            };
            let bytes = source::read(path, chassis::CONFIG_BYTES_MAX).map_err(|error| unreadable(&error))?;
            Config::parse(path, &bytes, files::environment())?
        }
    };
    log::take_variable(&mut config, files::environment());
    let known: Vec<&str> = process::SECTIONS.into_iter().chain(ROLES.iter().map(|role| role.name)).collect();
    config.only_sections(&known)?;
    for section in process::SECTIONS {
        process::section(&config, section)?;
    }
    for role in ROLES {
        role.check_settings(&config)?;
    }
    Ok(config)
}

/// What the first start of a data directory decided.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HouseState {
    demo: Demo,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Demo {
    /// It was begun; an earlier start was interrupted.
    Loading,
    /// It is there.
    Loaded,
    /// `--no-demo` at the first start.
    Declined,
}

/// Starts a shop: every role, its operator, and its demo catalogue at the first start.
///
/// # Errors
/// What [`chassis::run`] says, and when the operator's secret cannot be written.
pub async fn start(args: &UpArgs) -> Result<Running> {
    let mut options = Options::new(args.data.clone());
    options.grpc = Some(args.grpc);
    options.metrics = Some(args.metrics);
    options.http = vec![HttpAddress { role: "bff-web", flag: "--web", address: args.web }];
    options.config = configuration(args.config.as_deref())?;
    options.build = chassis::Build { version: env!("CARGO_PKG_VERSION"), commit: env!("SOUK_COMMIT") };
    let running = chassis::run(ROLES, options).await?;
    let dir = args.data.strip_prefix("dir:").map(PathBuf::from);
    if let Some(dir) = &dir {
        chassis::tighten_path(&dir.join(OPERATOR_FILE))?;
    }
    ensure_operator(&running, dir.as_deref(), args.token_file.as_deref()).await?;
    ensure_demo(&running, dir.as_deref(), args.no_demo).await?;
    Ok(running)
}

async fn ensure_operator(running: &Running, dir: Option<&Path>, token_file: Option<&Path>) -> Result<()> {
    let file = dir.map(|dir| dir.join(OPERATOR_FILE)).or_else(|| token_file.map(Path::to_owned));
    let missing = dir.is_some() && file.as_ref().is_some_and(|file| !file.exists());
    let mut identity =
        running.client("identity", Some("app"), Principal::Anonymous, IdentityServiceClient::new)?;
    let request_id = format!("ensure-operator-{}", running.clock().now().micros());
    let request = EnsureOperatorRequest { request_id, reissue: missing };
    let answer = identity.ensure_operator(request).await.map_err(contract::error)?.into_inner();
    if answer.secret.is_empty() {
        return Ok(());
    }
    match file {
        Some(file) => files::write_private(&file, format!("{}\n", answer.secret).as_bytes()),
        None => {
            console::note(&format!("operator secret (told once): {}", answer.secret));
            Ok(())
        }
    }
}

async fn ensure_demo(running: &Running, dir: Option<&Path>, no_demo: bool) -> Result<()> {
    let Some(dir) = dir else {
        return if no_demo { Ok(()) } else { load_demo(running).await };
    };
    let path = dir.join(HOUSE_FILE);
    let damaged = |error: serde_json::Error| {
        let message = format!(
            "{} is damaged: {error}; delete it, and the next start decides anew about the demo catalogue",
            path.display()
        );
        Error::precondition("DATA_DIR_DAMAGED", message)
    };
    let state = match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice::<HouseState>(&bytes).map_err(damaged)?.demo),
        Err(_) => None,
    };
    let note = |demo| {
        files::write_private(&path, &serde_json::to_vec(&HouseState { demo }).map_err(Error::internal)?)
    };
    match state {
        None if no_demo => note(Demo::Declined),
        None | Some(Demo::Loading) if !no_demo => {
            note(Demo::Loading)?;
            load_demo(running).await?;
            note(Demo::Loaded)
        }
        _ => Ok(()),
    }
}

async fn load_demo(running: &Running) -> Result<()> {
    let staff = || {
        let permissions = vec!["catalogue.write".to_owned(), "stock.write".to_owned()];
        Principal::Account {
            id: CustomerId::from_bits(0),
            session: SessionId::from_bits(0),
            permissions: permissions.into(),
        }
    };
    let products = running.client("product", None, staff(), ProductServiceClient::new)?;
    let inventory = running.client("inventory", None, staff(), InventoryServiceClient::new)?;
    crate::demo::load(products, inventory).await?;
    Ok(())
}

/// The line that says that the shop serves.
#[must_use]
pub fn ready_line(args: &UpArgs, addresses: &Addresses, ready_ms: u64) -> String {
    let text = |address: Option<SocketAddr>| address.map(|address| address.to_string());
    let grpc = text(addresses.grpc);
    let metrics = text(addresses.metrics);
    let web = text(addresses.http.get("bff-web").copied());
    if args.json {
        let addresses = serde_json::json!({ "grpc": grpc, "metrics": metrics, "web": web });
        return serde_json::json!({ "event": "ready", "ready_ms": ready_ms, "data": args.data, "addresses": addresses }).to_string();
    }
    let (grpc, metrics, web) =
        (grpc.unwrap_or_default(), metrics.unwrap_or_default(), web.unwrap_or_default());
    format!(
        "souk serves after {ready_ms} ms\n  shop     http://{web}/\n  API      http://{web}/docs\n  gRPC     {grpc}\n  metrics  http://{metrics}/metrics\n  data     {}\nOpen the shop in a browser, or try: grpcurl -plaintext {grpc} list",
        args.data,
    )
}

/// Runs a shop until it is told to stop. A second signal stops it at once.
///
/// # Errors
/// As [`start`].
pub async fn run(args: &UpArgs) -> Result<()> {
    let began = files::Stopwatch::start();
    let running = start(args).await?;
    files::say(&ready_line(args, &running.addresses, began.millis()));
    signal().await?;
    tracing::info!("leaving: finishing what is in flight; a second signal stops at once");
    tokio::select! {
        ended = running.stop(GRACE) => {
            if !ended {
                tracing::warn!("some work did not finish within 30 s; it is finished at the next start");
            }
        }
        _ = signal() => tracing::warn!("stopped at once; what was in flight is finished at the next start"),
    }
    Ok(())
}

async fn signal() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::internal)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_listen_at_is_an_ip_and_a_port() {
        assert!(listen_address("127.0.0.1:0").is_ok() && listen_address("[::1]:9000").is_ok());
        for wrong in ["foo", "8080", "localhost:8080", ""] {
            let told = listen_address(wrong).expect_err(wrong);
            assert_eq!(told, "it must be IP:PORT, such as 127.0.0.1:9000 or [::1]:9000", "{wrong}");
        }
    }

    #[test]
    fn a_configuration_that_is_no_utf_8_text_is_called_so() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("souk.toml");
        let utf_16: Vec<u8> = "\u{feff}[cart]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(&path, utf_16).expect("written");
        let error = configuration(Some(&path)).expect_err("UTF-16");
        assert!(
            error.message().ends_with("souk.toml cannot be read: it is not UTF-8 text"),
            "{}",
            error.message()
        );
    }
}
