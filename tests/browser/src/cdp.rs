//! What WebDriver itself cannot say to Chromium: sizes of phones, colour schemes, screenshots of a given width.

use fantoccini::Client;
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};

use crate::Result;

/// A command of the Chrome DevTools Protocol, sent through chromedriver.
#[derive(Debug)]
struct Command {
    name: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(
        &self,
        base_url: &url::Url,
        session_id: Option<&str>,
    ) -> std::result::Result<url::Url, url::ParseError> {
        base_url.join(&format!("session/{}/goog/cdp/execute", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "cmd": self.name, "params": self.parameters }).to_string()))
    }
}

/// Sends a command and gives what the browser answers.
pub async fn send(client: &Client, name: &'static str, parameters: Value) -> Result<Value> {
    let command = Command { name, parameters };
    client.issue_cmd(command).await.map_err(|error| format!("{name}: {error}"))
}
