//! chromedriver: started on a port of its own choice, ended by its process.

use std::process::Stdio;
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::Result;

/// How long chromedriver may take to start.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// What every browser is started with: no window, nothing that is not the shop's.
const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // A container's /dev/shm is too small for a browser.
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
];

/// A running chromedriver; it ends when this is dropped.
pub struct Driver {
    url: String,
    // Ended with the driver.
    _process: Child,
}

impl Driver {
    /// Starts it and waits until it says its port.
    pub async fn start() -> Result<Self> {
        let mut command = Command::new("chromedriver");
        command.env("FONTCONFIG_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/fonts.conf"));
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("chromedriver does not start: {error}"))?;
        let stdout = process.stdout.take().ok_or("chromedriver has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let port = async {
            while let Ok(Some(line)) = lines.next_line().await {
                let port =
                    line.split_once("successfully on port ").map(|(_, port)| port.trim_end_matches('.'));
                if let Some(port) = port.and_then(|port| port.parse::<u16>().ok()) {
                    return Some(port);
                }
            }
            None
        };
        let port = tokio::time::timeout(READY_WITHIN, port).await.ok().flatten();
        let port = port.ok_or("chromedriver did not say its port")?;
        // What it says later is read and dropped, so that it never waits for a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { url: format!("http://127.0.0.1:{port}"), _process: process })
    }

    /// A browser with a fresh profile, with or without JavaScript.
    pub async fn browser(&self, profile: &std::path::Path, script: bool) -> Result<Client> {
        let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        flags.push(format!("--user-data-dir={}", profile.display()));
        let mut preferences = json!({ "credentials_enable_service": false });
        if !script {
            preferences["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), json!({ "args": flags, "prefs": preferences }));
        capabilities
            .insert("timeouts".to_owned(), json!({ "script": 30_000, "pageLoad": 30_000, "implicit": 0 }));
        capabilities.insert("pageLoadStrategy".to_owned(), Value::from("normal"));
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        builder.connect(&self.url).await.map_err(|error| format!("no browser: {error}"))
    }
}
