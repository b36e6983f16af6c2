//! The description of a gateway as a page for people. Plain HTML: it needs a stylesheet of the gateway and nothing else.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use crate::route::{Kind, Route};

/// Reasons that the gateway itself gives, or any call of a service, on any route.
const OWN_REASONS: &[&str] = &[
    "BODY_TOO_LARGE",
    "BODY_UNREADABLE",
    "DATA_CORRUPT",
    "DEADLINE_EXCEEDED",
    "FAULT_INJECTED",
    "FIELDS_TOO_LARGE",
    "FORGED_ORIGIN",
    "INTERNAL",
    "INVALID_ARGUMENT",
    "INVALID_COUNTRY",
    "INVALID_CURRENCY",
    "INVALID_ID",
    "INVALID_IDEMPOTENCY_KEY",
    "INVALID_JSON",
    "INVALID_MESSAGE",
    "MESSAGE_TOO_LARGE",
    "METHOD_NOT_ALLOWED",
    "OVERLOADED",
    "PATH_TOO_LONG",
    "PERMISSION_DENIED",
    "PRECONDITION_REQUIRED",
    "QUERY_TOO_LONG",
    "QUOTA_EXCEEDED",
    "REQUEST_IN_PROGRESS",
    "REQUEST_TIMEOUT",
    "ROUTE_NOT_FOUND",
    "SESSION_UNKNOWN",
    "STORAGE_BUSY",
    "STORAGE_FAILED",
    "STORAGE_FULL",
    "STORE_CLOSED",
    "TOKEN_EXPIRED",
    "TOKEN_INVALID",
    "TOKEN_REVOKED",
    "TOO_MANY_SOCKETS",
    "UNAUTHENTICATED",
    "UNAVAILABLE",
    "UNKNOWN_FIELD",
    "UNSUPPORTED_MEDIA_TYPE",
    "UPGRADE_MALFORMED",
];

/// The page; `home` is where its reader goes back to.
#[must_use]
pub fn docs(spec: &Value, routes: &[Route], stylesheet: &str, home: Option<&str>) -> String {
    let title = escape(text(&spec["info"]["title"]));
    let mut page = String::with_capacity(64 << 10);
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en-GB\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"stylesheet\" href=\"{}\"></head><body class=\"docs\"><main id=\"main\"><h1>{title}</h1>",
        escape(stylesheet)
    );
    page.push_str(&blocks(text(&spec["info"]["description"])));
    if let Some(home) = home {
        let _ = write!(page, "<p><a href=\"{}\">Back to the shop</a></p>", escape(home));
    }
    page.push_str("<p>For programs: <a href=\"/openapi.json\">openapi.json</a> (OpenAPI 3.1).</p>");
    contents(&mut page, spec);
    for (path, method, operation) in operations(spec) {
        operation_section(&mut page, path, method, operation, routes);
    }
    schemas(&mut page, spec);
    reasons(&mut page, routes);
    page.push_str("</main></body></html>");
    page
}

/// A text of several paragraphs and lists as blocks.
fn blocks(markdown: &str) -> String {
    let mut page = String::new();
    for block in markdown.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let block = escape(block.trim());
        match block.strip_prefix("- ") {
            Some(items) => {
                let items = items.split("\n- ").map(|item| format!("<li>{}</li>", coded(item)));
                let _ = write!(page, "<ul>{}</ul>", items.collect::<String>());
            }
            None => {
                let _ = write!(page, "<p>{}</p>", coded(&block));
            }
        }
    }
    page
}

/// A text for a cell of a table or a heading: as it is where it is one paragraph.
fn cell(markdown: &str) -> String {
    let is_one = !markdown.contains("\n\n") && !markdown.starts_with("- ");
    if is_one { coded(&escape(markdown)) } else { blocks(markdown) }
}

/// What stands between backticks is code.
fn coded(escaped: &str) -> String {
    let mut parts = escaped.split('`');
    let mut page = parts.next().unwrap_or_default().to_owned();
    let mut open = false;
    for part in parts {
        page.push_str(if open { "</code>" } else { "<code>" });
        page.push_str(part);
        open = !open;
    }
    if open {
        page.push_str("</code>");
    }
    page
}

fn operations(spec: &Value) -> Vec<(&String, &String, &Value)> {
    let paths = spec["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        item.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
    });
    all.collect()
}

fn contents(page: &mut String, spec: &Value) {
    page.push_str("<nav aria-label=\"Operations\"><h2>Operations</h2><ul>");
    for (path, method, operation) in operations(spec) {
        let _ = write!(
            page,
            "<li><a href=\"#{}\">{}</a> <code>{} {}</code></li>",
            escape(text(&operation["operationId"])),
            cell(text(&operation["summary"])),
            method.to_ascii_uppercase(),
            escape(path)
        );
    }
    page.push_str("</ul></nav>");
}

fn operation_section(page: &mut String, path: &str, method: &str, operation: &Value, routes: &[Route]) {
    let id = text(&operation["operationId"]);
    let _ = write!(
        page,
        "<section><h2 id=\"{}\">{}</h2><p><code>{} {}</code></p>",
        escape(id),
        cell(text(&operation["summary"])),
        method.to_ascii_uppercase(),
        escape(path)
    );
    if let Some(parameters) = operation["parameters"].as_array() {
        page.push_str("<table><thead><tr><th scope=\"col\">Parameter</th><th scope=\"col\">Where</th><th scope=\"col\">What</th></tr></thead><tbody>");
        for parameter in parameters {
            let required = if parameter["required"] == true { ", required" } else { "" };
            let _ = write!(
                page,
                "<tr><td><code>{}</code></td><td>{}{required}</td><td>{} <span class=\"quiet\">{}</span></td></tr>",
                escape(text(&parameter["name"])),
                escape(text(&parameter["in"])),
                cell(text(&parameter["description"])),
                shape(&parameter["schema"]),
            );
        }
        page.push_str("</tbody></table>");
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        let _ = write!(page, "<p>Takes {}.</p>", shape(body));
    }
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let schema = &response["content"]["application/json"]["schema"];
        if status.starts_with('2') {
            let what = if schema.is_null() { "nothing".to_owned() } else { shape(schema) };
            let _ = write!(page, "<p>Answers {} with {what}.</p>", escape(status));
        }
    }
    let route = routes.iter().find(|route| route.id == id);
    let reasons = route.map(reasons_of).unwrap_or_default();
    if !reasons.is_empty() {
        let links: Vec<String> =
            reasons.iter().map(|name| format!("<a href=\"#{name}\">{name}</a>")).collect();
        let _ = write!(page, "<p>Its own reasons to refuse: {}.</p>", links.join(", "));
    }
    page.push_str("</section>");
}

/// The reasons of a route: its own, and those of the calls that it makes.
fn reasons_of(route: &Route) -> Vec<&'static str> {
    let methods = route.needs.iter().filter_map(|need| contract::method(need.method));
    let of_calls = methods.flat_map(|method| method.reasons.iter().copied());
    let mut reasons: Vec<&str> = of_calls.chain(route.reasons.iter().copied()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

fn schemas(page: &mut String, spec: &Value) {
    page.push_str("<h2>Types</h2>");
    for (name, schema) in spec["components"]["schemas"].as_object().into_iter().flatten() {
        let _ = write!(
            page,
            "<section><h3 id=\"type-{name}\">{name}</h3>{}",
            blocks(text(&schema["description"])),
            name = escape(name),
        );
        if let Some(properties) = schema["properties"].as_object() {
            let required = schema["required"].as_array();
            page.push_str("<table><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Type</th><th scope=\"col\">What</th></tr></thead><tbody>");
            for (field, property) in properties {
                let needed = required.is_some_and(|names| names.iter().any(|name| name == field));
                let _ = write!(
                    page,
                    "<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td></tr>",
                    escape(field),
                    if needed { "" } else { " <span class=\"quiet\">optional</span>" },
                    shape(property),
                    cell(text(&property["description"])),
                );
            }
            page.push_str("</tbody></table>");
        } else {
            let _ = write!(page, "<p>{}</p>", shape(schema));
        }
        page.push_str("</section>");
    }
}

fn reasons(page: &mut String, routes: &[Route]) {
    let mut where_given: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for own in OWN_REASONS {
        where_given.entry(own).or_default();
    }
    for route in routes.iter().filter(|route| route.kind == Kind::Api) {
        for reason in reasons_of(route) {
            where_given.entry(reason).or_default().push(route.id);
        }
    }
    page.push_str(
        "<h2>Reasons</h2><p>The <code>code</code> of a problem is stable; its words may change.</p><dl>",
    );
    for (reason, given) in where_given {
        let links: Vec<String> = given.iter().map(|id| format!("<a href=\"#{id}\">{id}</a>")).collect();
        let given = if links.is_empty() { "any operation".to_owned() } else { links.join(", ") };
        let _ = write!(page, "<dt id=\"{reason}\"><code>{reason}</code></dt><dd>{given}</dd>");
    }
    page.push_str("</dl>");
}

/// A schema in a few words.
fn shape(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let name = escape(name);
        return format!("<a href=\"#type-{name}\">{name}</a>");
    }
    for of in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[of].as_array() {
            let shapes: Vec<String> = choices.iter().map(shape).collect();
            return shapes.join(" or ");
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().filter_map(Value::as_str).map(escape).collect();
        return words.join(" | ");
    }
    if let Some(word) = schema["const"].as_str() {
        return escape(word);
    }
    let kind = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    };
    if kind.starts_with("array") {
        return format!("list of {}", shape(&schema["items"]));
    }
    let bound = |name: &str| schema[name].as_i64();
    let range = match (bound("minimum").or(bound("minLength")), bound("maximum").or(bound("maxLength"))) {
        (Some(from), Some(to)) => format!(" {from}–{to}"),
        (None, Some(to)) => format!(" up to {to}"),
        (Some(from), None) => format!(" from {from}"),
        (None, None) => String::new(),
    };
    format!("{}{range}", escape(&kind))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_lists_are_no_plain_text() {
        let text = "How `soon` & where.\n\n- `at_once`: Today.\n- `later`: Tomorrow,\nor the day after.";
        assert_eq!(
            blocks(text),
            "<p>How <code>soon</code> &amp; where.</p><ul><li><code>at_once</code>: Today.</li>\
             <li><code>later</code>: Tomorrow,\nor the day after.</li></ul>"
        );
        assert_eq!(cell("`prd_\u{2026}`."), "<code>prd_\u{2026}</code>.");
        assert_eq!(cell("- `a`: First."), "<ul><li><code>a</code>: First.</li></ul>");
        assert_eq!((blocks("").as_str(), cell("").as_str()), ("", ""));
    }
}
