//! axe-core: what it finds on the page that a window shows.

use fantoccini::Client;
use serde_json::{Value, json};

use crate::Result;

/// WCAG 2.2, levels A and AA.
const TAGS: &[&str] = &["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

const RUN: &str = "const [tags, done] = arguments;
axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] }).then(
  (found) => done(found.violations.flatMap((rule) => rule.nodes.map((node) => ({
    rule: rule.id, at: node.target.join(' '), why: node.failureSummary })))),
  (error) => done([{ rule: 'axe-core itself', at: 'document', why: String(error) }]));";

/// A violation on a page.
pub struct Violation {
    /// The rule's name.
    pub rule: String,
    /// A selector of what breaks it.
    pub at: String,
    /// What axe-core says.
    pub why: String,
}

/// Injects axe-core where it is not yet, and lists what it finds.
pub async fn violations(client: &Client, source: &str) -> Result<Vec<Violation>> {
    let failed = |error| format!("axe-core does not run: {error}");
    let there = client.execute("return typeof axe === 'object'", Vec::new()).await.map_err(failed)?;
    if there != Value::Bool(true) {
        client.execute(source, Vec::new()).await.map_err(failed)?;
    }
    let found = client.execute_async(RUN, vec![json!(TAGS)]).await.map_err(failed)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = found.as_array().ok_or_else(|| format!("axe-core answered {found}"))?;
    Ok(found
        .iter()
        .map(|node| Violation { rule: text(&node["rule"]), at: text(&node["at"]), why: text(&node["why"]) })
        .collect())
}
