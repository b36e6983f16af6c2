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
    let mut spec = json!({
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
    });
    simplify_enumerations(&mut spec);
    Ok(spec)
}

/// Writes every enumeration in the one way that all generators of clients read: `enum`, with what each value means in the
/// description. schemars writes a `oneOf` of `const` where the values have descriptions, and puts `null` among the values of
/// an optional one; generators make a type of each alternative, and fail to read an answer.
fn simplify_enumerations(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(simplify_enumerations),
        Value::Object(fields) => {
            fields.values_mut().for_each(simplify_enumerations);
            merge_constants(fields);
            if let Some(value) = fields.get("const").filter(|value| !value.is_object()).cloned() {
                fields.remove("const");
                fields.insert("enum".to_owned(), json!([value]));
            }
            separate_null(fields);
        }
        _ => {}
    }
}

/// A `oneOf` whose alternatives are single values becomes one `enum`. The alternatives were simplified before.
fn merge_constants(fields: &mut Map<String, Value>) {
    let Some(choices) = fields.get("oneOf").and_then(Value::as_array) else { return };
    let mut values = Vec::new();
    let mut meanings = Vec::new();
    for choice in choices {
        let known = ["enum", "type", "description"];
        let plain =
            choice.as_object().is_some_and(|choice| choice.keys().all(|key| known.contains(&key.as_str())));
        let Some(own) = choice["enum"].as_array().filter(|_| plain) else { return };
        if let ([value], Some(meaning)) = (&own[..], choice["description"].as_str()) {
            meanings.push(format!("- `{}`: {meaning}", value.as_str().unwrap_or_default()));
        }
        values.extend(own.iter().cloned());
    }
    let mut kinds: Vec<Value> = choices.iter().map(|choice| choice["type"].clone()).collect();
    kinds.dedup();
    let [kind] = &kinds[..] else { return };
    let kind = kind.clone();
    let before = fields.get("description").and_then(Value::as_str).unwrap_or_default();
    let gap = if before.is_empty() || meanings.is_empty() { "" } else { "\n\n" };
    let description = format!("{before}{gap}{}", meanings.join("\n"));
    fields.remove("oneOf");
    fields.insert("type".to_owned(), kind);
    fields.insert("enum".to_owned(), Value::Array(values));
    if !description.is_empty() {
        fields.insert("description".to_owned(), description.into());
    }
}

/// An enumeration that may be null becomes the enumeration, or null.
fn separate_null(fields: &mut Map<String, Value>) {
    let Some(kinds) = fields.get("type").and_then(Value::as_array) else { return };
    let Some(values) = fields.get("enum").and_then(Value::as_array) else { return };
    let others: Vec<Value> = kinds.iter().filter(|kind| **kind != "null").cloned().collect();
    let [kind] = &others[..] else { return };
    let values: Vec<Value> = values.iter().filter(|value| !value.is_null()).cloned().collect();
    let choices = json!([{ "type": kind, "enum": values }, { "type": "null" }]);
    fields.remove("type");
    fields.remove("enum");
    fields.insert("anyOf".to_owned(), choices);
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
    if let Some(choices) = schema["anyOf"].as_array() {
        let mut choices: Vec<Value> =
            choices.iter().filter(|choice| choice["type"] != "null").cloned().collect();
        if let (1, Some(fields)) = (choices.len(), schema.as_object_mut()) {
            fields.remove("anyOf");
            if let Some(Value::Object(only)) = choices.pop() {
                fields.extend(only);
            }
        }
    }
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
            "description": "The version that is changed, as an entity tag: `v` and the `version` that was read, in quotation marks, such as `\"v3\"`. The ETag of a thing that was read by itself will do too; that of a list will not.",
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

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::answer::Answer;
    use crate::route::{Nothing, Shown};

    /// How soon.
    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Speed {
        /// Today.
        AtOnce,
        /// Tomorrow.
        Later,
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Bare {
        One,
        Two,
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    struct Delivery {
        speed: Speed,
        perhaps: Option<Bare>,
        maybe: Option<Speed>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Asked {
        speed: Option<Speed>,
        bare: Option<Bare>,
    }

    fn spec() -> Value {
        let answer = |_, _: Asked, _: Nothing| std::future::ready(Ok(Answer::done()));
        let routes = [
            Route::new(Kind::Api, Method::GET, "/api/v1/deliveries", answer)
                .named("listDeliveries", "Deliveries")
                .answers::<Shown<Delivery>>(),
            Route::new(Kind::Api, Method::POST, "/api/v1/deliveries", |_, _: Asked, _: Asked| {
                std::future::ready(Ok(Answer::done()))
            })
            .named("order", "Order one"),
        ];
        let about = About { title: "A shop", version: "1", description: "" };
        openapi(&about, &routes).expect("a description")
    }

    #[test]
    fn enumerations_are_plain_and_keep_what_each_value_means() {
        let spec = spec();
        let text = spec.to_string();
        assert!(!text.contains("\"const\"") && !text.contains("\"oneOf\""), "{text}");
        let schemas = &spec["components"]["schemas"];
        assert_eq!(schemas["Speed"]["enum"], json!(["at_once", "later"]));
        assert_eq!(schemas["Speed"]["type"], "string");
        let meaning = "How soon.\n\n- `at_once`: Today.\n- `later`: Tomorrow.";
        assert_eq!(schemas["Speed"]["description"], meaning);
        assert_eq!(schemas["Bare"]["enum"], json!(["one", "two"]));
        let delivery = &schemas["DeliveryAnswer"]["properties"];
        for (field, name) in [("perhaps", "Bare"), ("maybe", "Speed")] {
            let schema = format!("#/components/schemas/{name}");
            assert_eq!(delivery[field]["anyOf"], json!([{ "$ref": schema }, { "type": "null" }]), "{field}");
        }
    }

    #[test]
    fn a_parameter_is_never_null() {
        let spec = spec();
        let parameters =
            spec["paths"]["/api/v1/deliveries"]["get"]["parameters"].as_array().expect("two").clone();
        assert_eq!(parameters.len(), 2);
        for parameter in parameters {
            assert!(parameter["schema"]["$ref"].is_string(), "{parameter}");
            assert!(parameter["schema"]["anyOf"].is_null(), "{parameter}");
        }
    }

    #[test]
    fn an_answer_with_absent_parts_is_named_after_what_it_shows() {
        let spec = spec();
        let schemas = spec["components"]["schemas"].as_object().expect("schemas");
        assert!(schemas.contains_key("DeliveryAnswer"), "{:?}", schemas.keys());
    }

    #[test]
    fn an_optional_enumeration_that_stands_inline_is_the_enumeration_or_null() {
        let mut schema = json!({ "type": ["string", "null"], "enum": ["a", "b", null], "description": "d" });
        simplify_enumerations(&mut schema);
        let choices = json!([{ "type": "string", "enum": ["a", "b"] }, { "type": "null" }]);
        assert_eq!(schema, json!({ "anyOf": choices, "description": "d" }));
    }
}
