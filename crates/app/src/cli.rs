//! The command line: what people and scripts may rely on.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use chassis::Origin;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use contract::souk::search::v1::ReindexRequest;
use contract::souk::search::v1::search_service_client::SearchServiceClient;
use kernel::{Code, Error};

use crate::audit::{self, AuditArgs};
use crate::client::{Shop, ShopArgs};
use crate::console::{self, Failure, Outcome, Verdict};
use crate::import::{self, ImportProductsArgs};
use crate::load::{self, LoadArgs};
use crate::log;
use crate::process;
use crate::retail;
use crate::retail::import::ImportArgs;
use crate::retail::replay::ReplayArgs;
use crate::retail::synth::SynthArgs;
use crate::roles::{self, ROLES};
use crate::up::{self, UpArgs};

/// Version and commit.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("SOUK_COMMIT"), ")");

/// A headless commerce backend: gRPC services behind one mesh, in one process or many.
#[derive(Parser)]
#[command(name = "souk", version = VERSION, args_conflicts_with_subcommands = true)]
#[command(after_help = "Example:\n  souk --data mem: --grpc 127.0.0.1:0")]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    up: UpArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Start every role in this process (as without a command)
    #[command(after_help = "Example:\n  souk up --data dir:.souk --grpc 127.0.0.1:9000")]
    Up(UpArgs),
    /// Bring data into a shop
    #[command(subcommand)]
    #[command(
        after_help = "Example:\n  souk synth online-retail --lines 1000 > month.csv\n  souk import online-retail month.csv"
    )]
    Import(Import),
    /// Place a file's invoices as orders
    #[command(subcommand)]
    #[command(
        after_help = "Example:\n  souk synth online-retail --lines 1000 > month.csv\n  souk import online-retail month.csv\n  souk replay online-retail month.csv"
    )]
    Replay(Replay),
    /// Write a file of the same shape and the same kinds of dirt as a real one
    #[command(subcommand)]
    #[command(after_help = "Example:\n  souk synth online-retail --lines 10000 --seed 7 > month.csv")]
    Synth(Synth),
    /// Browse, search, fill carts and buy at a constant rate through the shop window, and measure; ends with the audit
    Load(LoadArgs),
    /// Prove the books, or print the rows that break them
    Audit(AuditArgs),
    /// Print an access token of the operator, for grpcurl
    #[command(
        after_help = "Example:\n  grpcurl -plaintext -H \"authorization: Bearer $(souk token)\" 127.0.0.1:9000 souk.order.v1.OrderService/ListOrders"
    )]
    Token(OnShop),
    /// Build the search index anew while it serves
    #[command(after_help = "Example:\n  souk reindex")]
    Reindex(OnShop),
    /// List the roles: what each owns, calls and consumes
    #[command(after_help = "Example:\n  souk roles --json")]
    Roles {
        /// One JSON document on stdout
        #[arg(long)]
        json: bool,
    },
    /// Check the configuration, and print it with the source of each value
    #[command(after_help = "Example:\n  souk check")]
    Check {
        /// Configuration file; `souk.toml` in this directory is read when it is there
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// One JSON document on stdout
        #[arg(long)]
        json: bool,
    },
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  souk completions bash > souk.bash")]
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// A command with nothing but a shop.
#[derive(Args)]
struct OnShop {
    #[command(flatten)]
    shop: ShopArgs,
    /// One JSON document on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Import {
    /// A catalogue and its stock from a file of the UCI "Online Retail" shape
    OnlineRetail(ImportArgs),
    /// Products from CSV or JSON lines; good rows are applied, bad ones listed
    Products(ImportProductsArgs),
}

#[derive(Subcommand)]
enum Replay {
    /// Every invoice of a file of the UCI "Online Retail" shape
    OnlineRetail(ReplayArgs),
}

#[derive(Subcommand)]
enum Synth {
    /// A file of the UCI "Online Retail" shape
    OnlineRetail(SynthArgs),
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let mut command = cli.command.unwrap_or(Command::Up(cli.up));
    let started = log::start(match &command {
        Command::Up(args) => args.config.as_deref(),
        Command::Check { config, .. } => config.as_deref(),
        _ => None,
    });
    if let Err(error) = started {
        return console::end(Err(start_failure(&error)));
    }
    if let Command::Up(args) = &mut command {
        let flags = matches.subcommand_matches("up").unwrap_or(&matches);
        if let Err(error) = args.take_settings(|flag| is_given(flags, flag)) {
            return console::end(Err(start_failure(&error)));
        }
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return console::end(Err(Failure::unfinished(format!("no runtime: {error}")))),
    };
    let code = runtime.block_on(async {
        if let Command::Up(args) = &command {
            return up(args).await;
        }
        let interrupted = async {
            // Without a handler there is nothing to wait for.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            outcome = run(command) => console::end(outcome),
            () = interrupted => ExitCode::from(130),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

/// Whether a flag was given, and did not only get its default.
fn is_given(flags: &ArgMatches, flag: &str) -> bool {
    flags.value_source(flag).is_some_and(|source| source != ValueSource::DefaultValue)
}

async fn up(args: &UpArgs) -> ExitCode {
    match up::run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => console::end(Err(start_failure(&error))),
    }
}

/// What a person can mend is wrong usage; the rest is ours.
fn start_failure(error: &Error) -> Failure {
    match error.code() {
        Code::Internal if error.reason() == "INTERNAL" => {
            Failure::unfinished(format!("the shop could not start: {error:?}"))
        }
        _ => Failure::usage(error.message().to_owned()),
    }
}

async fn run(command: Command) -> Outcome {
    match command {
        Command::Up(_) => Ok(Verdict::Holds),
        Command::Import(Import::OnlineRetail(args)) => retail::import::run(args).await,
        Command::Import(Import::Products(args)) => import::run(args).await,
        Command::Replay(Replay::OnlineRetail(args)) => retail::replay::run(args).await,
        Command::Synth(Synth::OnlineRetail(args)) => retail::synth::run(&args),
        Command::Load(args) => load::run(args).await,
        Command::Audit(args) => audit::run(args).await,
        Command::Token(args) => token(&args).await,
        Command::Reindex(args) => reindex(&args).await,
        Command::Roles { json } => list_roles(json),
        Command::Check { config, json } => check(config.as_deref(), json),
        Command::Completions { shell } => {
            // The generator panics when its writer fails, as stdout does when its reader has left.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "souk", &mut script);
            console::print(&script)?;
            Ok(Verdict::Holds)
        }
    }
}

async fn token(args: &OnShop) -> Outcome {
    let token = Shop::connect(&args.shop).await?.access_token().unwrap_or_default();
    console::result(args.json, &serde_json::json!({ "access_token": token }), || token.clone())?;
    Ok(Verdict::Holds)
}

async fn reindex(args: &OnShop) -> Outcome {
    let shop = Shop::connect(&args.shop).await?;
    let request = ReindexRequest { request_id: import::send::request_id() };
    let search = shop.client(SearchServiceClient::new);
    let answer = shop.call(|| {
        let (mut search, request) = (search.clone(), request.clone());
        async move { search.reindex(request).await }
    });
    let answer = answer.await.map_err(|error| error.fatal("the index was not built"))?;
    let documents = answer.status.map_or(0, |status| status.documents);
    console::result(args.json, &serde_json::json!({ "documents": documents }), || {
        format!("{documents} products are in the index")
    })?;
    Ok(Verdict::Holds)
}

fn list_roles(json: bool) -> Outcome {
    let rows: Vec<_> = ROLES.iter().map(|role| (role.name.to_owned(), role.about.to_owned())).collect();
    let widest = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let table = || rows.iter().map(|(name, about)| format!("{name:<widest$}  {about}\n")).collect();
    console::result(json, &roles::as_json(), table)?;
    Ok(Verdict::Holds)
}

fn check(file: Option<&std::path::Path>, json: bool) -> Outcome {
    let bad = |error: Error| Failure::usage(error.message().to_owned());
    let config = up::configuration(file).map_err(bad)?;
    let mut sections = Vec::new();
    for name in process::SECTIONS {
        sections.push((name, process::section(&config, name).map_err(bad)?));
    }
    for role in ROLES {
        sections.push((role.name, role.check_settings(&config).map_err(bad)?));
    }
    let mut values = Vec::new();
    for (section, settings) in sections {
        for (key, value) in settings.as_object().into_iter().flatten() {
            let source = match config.origin(section, key) {
                Origin::Default => "default".to_owned(),
                Origin::File => "file".to_owned(),
                Origin::Environment(variable) => variable,
                Origin::Flag => "flag".to_owned(),
            };
            values.push(
                serde_json::json!({ "key": format!("{section}.{key}"), "value": value, "source": source }),
            );
        }
    }
    let table = || {
        values
            .iter()
            .map(|value| {
                format!("{} = {}  ({})\n", text(&value["key"]), value["value"], text(&value["source"]))
            })
            .collect()
    };
    console::result(json, &serde_json::json!({ "settings": values }), table)?;
    Ok(Verdict::Holds)
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        fn walk(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example:"), "{path} has no example");
            for command in command.get_subcommands() {
                walk(command, &path);
            }
        }
        walk(&Cli::command(), "");
    }
}
