//! A gateway's description of itself: OpenAPI 3.1, made from its routes and the types that they take and give.

use std::collections::BTreeSet;

use http::Method;
use kernel::{Error, Result};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::problem::Problem;
use crate::route::{Key, Kind, Route};

/// What a gateway says about itself as a whole.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Its title.
    pub title: &'static str,
    /// The version of the description.
    pub version: &'static str,
    /// What it is for, in Markdown.
    pub description: &'static str,
}

/// Statuses that every route may fail with.
const EVERYWHERE: &[u16] = &[400, 414, 429, 500, 503, 504];
/// Statuses that every change may fail with too.
const CHANGES: &[u16] = &[403, 408, 409, 413, 415, 422];

/// The description of a gateway's API routes.
///
/// # Errors
/// INTERNAL for two types of one name, which would describe each other.
pub fn openapi(about: &About, routes: &[Route]) -> Result<Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut taken = settings.clone().into_generator();
    let mut given = settings.for_serialize().into_generator();
    let problem = given.subschema_for::<Problem>();
    let mut paths = Map::new();
    for route in routes.iter().filter(|route| route.kind == Kind::Api) {
        let operation = operation(route, &mut taken, &mut given, &problem);
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    let mut schemas = taken.take_definitions(true);
    for (name, schema) in given.take_definitions(true) {
        if schemas.get(&name).is_some_and(|known| *known != schema) {
            return Err(Error::internal(format!("two types of the API are called {name}")));
        }
        schemas.insert(name, schema);
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": { "title": about.title, "version": about.version, "description": about.description },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": "souk_access" },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
        },
        "security": [{}, { "session": [] }, { "bearer": [] }],
    }))
}

fn operation(
    route: &Route,
    taken: &mut SchemaGenerator,
    given: &mut SchemaGenerator,
    problem: &Schema,
) -> Value {
    let mut parameters = parameters((route.params_schema)(taken).as_value(), route.path);
    parameters.extend(fields(route));
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "tags": [tag(route.path)],
        "responses": responses(route, given, problem),
    });
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(schema) = (route.body_schema)(taken) {
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    operation
}

/// `/api/v1/cart/lines` is about `cart`.
fn tag(path: &str) -> &str {
    path.trim_start_matches("/api/v1/").split('/').next().unwrap_or_default()
}

/// The fields of the parameters' type: those that the path names stand in it, the others in the query.
fn parameters(schema: &Value, path: &str) -> Vec<Value> {
    let required: BTreeSet<&str> = schema["required"]
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let parameter = |(name, schema): (&String, &Value)| {
        let in_path = path.contains(&format!("{{{name}}}"));
        let mut schema = schema.clone();
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        plain(&mut schema);
        let mut parameter = json!({
            "name": name,
            "in": if in_path { "path" } else { "query" },
            "required": in_path || required.contains(name.as_str()),
            "schema": schema,
        });
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameter
    };
    properties.iter().map(parameter).collect()
}

/// A parameter is there or not, but never null, and its text has no zero character.
fn plain(schema: &mut Value) {
    if let Some(kinds) = schema["type"].as_array() {
        let kinds: Vec<&Value> = kinds.iter().filter(|kind| **kind != "null").collect();
        schema["type"] = if let [only] = kinds[..] { only.clone() } else { json!(kinds) };
    }
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.retain(|value| !value.is_null());
    }
    let text = schema["type"] == "string";
    let said = ["pattern", "enum", "format", "const"].iter().any(|word| schema.get(word).is_some());
    if text && !said {
        schema["pattern"] = Value::from("^[^\\u0000]*$");
    } else if schema.get("items").is_some() {
        plain(&mut schema["items"]);
    }
}

/// The header fields that a route takes.
fn fields(route: &Route) -> Vec<Value> {
    let mut fields = Vec::new();
    if let Some(key) = route.key {
        fields.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": key == Key::Required,
            "description": "Names this change: sent again under the same key, it happens once. Kept 72 hours, 30 days where money moves.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$" },
        }));
    }
    if route.if_match {
        fields.push(json!({
            "name": "If-Match", "in": "header", "required": true,
            "description": "The ETag of what is changed, as it was read.",
            "schema": { "type": "string", "pattern": "^\"[!#-~]*\"$" },
        }));
    }
    fields
}

fn responses(route: &Route, given: &mut SchemaGenerator, problem: &Schema) -> Value {
    let mut responses = Map::new();
    let mut good = json!({ "description": "As asked." });
    if let Some(schema) = (route.answer_schema)(given) {
        good["content"] = json!({ "application/json": { "schema": schema } });
    }
    responses.insert(route.status.to_string(), good);
    if route.method == Method::GET {
        responses.insert("304".to_owned(), json!({ "description": "It is as it was." }));
    }
    let mut statuses: BTreeSet<u16> = EVERYWHERE.iter().chain(route.problems).copied().collect();
    if route.method != Method::GET {
        statuses.extend(CHANGES);
    }
    if route.if_match {
        statuses.extend([412, 428]);
    }
    if route.path.contains('{') {
        statuses.insert(404);
    }
    for status in statuses {
        let title = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let content = json!({ "application/problem+json": { "schema": problem } });
        responses.insert(
            status.to_string(),
            json!({ "description": title.unwrap_or("A problem"), "content": content }),
        );
    }
    Value::Object(responses)
}
