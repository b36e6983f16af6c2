//! What a field may be, in plain words, as its schema says: a person or a program that sent something else is told what to send.

use serde_json::Value;

/// Values that are listed in words; a longer list is named instead.
const LISTED_MAX: usize = 24;
/// How many references and alternatives lead to a schema at most.
const DEPTH_MAX: usize = 8;

/// The schema of the field that a path of names and numbers leads to.
pub(crate) fn schema_at<'a>(root: &'a Value, path: &[&str]) -> Option<&'a Value> {
    let mut schema = resolve(root, root);
    for part in path.iter().flat_map(|part| part.split(['[', ']'])).filter(|part| !part.is_empty()) {
        let next = schema["properties"].get(part).or_else(|| schema.get("items"))?;
        schema = resolve(next, root);
    }
    Some(schema)
}

/// A clause that follows the name of the field: "must be one of …", "must be a whole number from 1 to 100".
pub(crate) fn clause(schema: &Value, root: &Value) -> String {
    let schema = resolve(schema, root);
    if let Some(values) = values(schema) {
        return match &values[..] {
            [only] => format!("must be {only}"),
            few if few.len() <= LISTED_MAX => format!("must be one of {}", few.join(", ")),
            _ => format!("must be {}", described(schema)),
        };
    }
    let range = |least: &str, most: &str| {
        let bound = |name: &str| schema[name].as_i64();
        (bound(least), bound(most))
    };
    match kind(schema) {
        "integer" | "number" => {
            let (least, most) = range("minimum", "maximum");
            let number = if kind(schema) == "integer" { "a whole number" } else { "a number" };
            match (least, most) {
                (Some(least), Some(most)) => format!("must be {number} from {least} to {most}"),
                (Some(least), None) => format!("must be {number}, at least {least}"),
                (None, Some(most)) => format!("must be {number}, at most {most}"),
                (None, None) => format!("must be {number}"),
            }
        }
        "boolean" => "must be true or false".to_owned(),
        "array" => "must be a list".to_owned(),
        "object" => "must be an object".to_owned(),
        "string" => match range("minLength", "maxLength") {
            (Some(least), Some(most)) => format!("must be text of {least} to {most} characters"),
            (None, Some(most)) => format!("must be text of at most {most} characters"),
            _ => "must be text".to_owned(),
        },
        _ => "is not what belongs here".to_owned(),
    }
}

/// Follows references, and leaves null out where there is one other alternative.
fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..DEPTH_MAX {
        if let Some(name) = schema["$ref"].as_str() {
            schema = root.pointer(name.trim_start_matches('#')).unwrap_or(&Value::Null);
        } else if let Some(choices) = schema["anyOf"].as_array()
            && let [only] = choices.iter().filter(|choice| choice["type"] != "null").collect::<Vec<_>>()[..]
        {
            schema = only;
        } else {
            break;
        }
    }
    schema
}

/// The type; of two, the one that is not null.
fn kind(schema: &Value) -> &str {
    let kinds = schema["type"].as_array().map(Vec::as_slice).unwrap_or_default();
    let other = kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null");
    schema["type"].as_str().or(other).unwrap_or_default()
}

/// The values of an enumeration, however it is written.
fn values(schema: &Value) -> Option<Vec<&str>> {
    let alternatives = schema["oneOf"].as_array();
    if let Some(choices) = alternatives {
        let each: Option<Vec<Vec<&str>>> = choices.iter().map(values).collect();
        return each.map(|values| values.concat()).filter(|values| !values.is_empty());
    }
    if let Some(value) = schema["const"].as_str() {
        return Some(vec![value]);
    }
    let values = schema["enum"].as_array()?;
    Some(values.iter().filter_map(Value::as_str).collect())
}

/// A long enumeration by its description: "An ISO 4217 code." is "an ISO 4217 code".
fn described(schema: &Value) -> String {
    let text =
        schema["description"].as_str().and_then(|text| text.split(['\n', ';']).next()).unwrap_or_default();
    let text = text.trim().trim_end_matches('.');
    for (capital, small) in [("An ", "an "), ("A ", "a "), ("The ", "the ")] {
        if let Some(rest) = text.strip_prefix(capital) {
            return format!("{small}{rest}");
        }
    }
    if text.is_empty() { "one of the values that the description lists".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_says_what_is_allowed() {
        let many: Vec<String> = (0..100).map(|number| format!("C{number}")).collect();
        let root = json!({ "$defs": {
            "Sort": { "oneOf": [{ "const": "name", "type": "string" }, { "enum": ["newest"], "type": "string" }] },
            "Code": { "enum": many, "type": "string", "description": "An ISO 4217 code." },
        } });
        let cases = [
            (json!({ "$ref": "#/$defs/Sort" }), "must be one of name, newest"),
            (
                json!({ "anyOf": [{ "$ref": "#/$defs/Sort" }, { "type": "null" }] }),
                "must be one of name, newest",
            ),
            (json!({ "$ref": "#/$defs/Code" }), "must be an ISO 4217 code"),
            (json!({ "enum": ["a"] }), "must be a"),
            (
                json!({ "type": ["integer", "null"], "minimum": 1, "maximum": 100 }),
                "must be a whole number from 1 to 100",
            ),
            (json!({ "type": "integer", "minimum": 0 }), "must be a whole number, at least 0"),
            (json!({ "type": "number" }), "must be a number"),
            (json!({ "type": "boolean" }), "must be true or false"),
            (
                json!({ "type": "string", "minLength": 1, "maxLength": 64 }),
                "must be text of 1 to 64 characters",
            ),
            (json!({ "type": "string", "maxLength": 64 }), "must be text of at most 64 characters"),
            (json!({ "type": "array" }), "must be a list"),
            (json!({ "properties": {}, "type": "object" }), "must be an object"),
            (json!(true), "is not what belongs here"),
        ];
        for (schema, expected) in cases {
            assert_eq!(clause(&schema, &root), expected, "{schema}");
        }
    }

    #[test]
    fn a_path_leads_to_its_schema() {
        let root = json!({
            "properties": { "lines": { "items": { "$ref": "#/$defs/Line" }, "type": "array" } },
            "$defs": { "Line": { "properties": { "quantity": { "type": "integer" } } } },
        });
        assert_eq!(schema_at(&root, &["lines[0]", "quantity"]).expect("a field")["type"], "integer");
        assert_eq!(schema_at(&root, &["lines"]).expect("a field")["type"], "array");
        assert!(schema_at(&root, &["nothing"]).is_none());
        let endless = json!({ "$ref": "#" });
        assert!(schema_at(&endless, &["a"]).is_none());
    }
}
