//! What keeps a JSON value from being a product, field by field, in the words of this shop.

use serde_json::{Map, Value};

use crate::table::excerpt;

/// JSON pointers into a product, each with a clause that follows it.
type Faults = Vec<(String, String)>;

/// What is wrong with a value; nothing where it is a product.
pub(super) fn of(value: &Value) -> Faults {
    let mut faults = Vec::new();
    let Some(product) = object("", value, "a product, an object with name and variants", &mut faults) else {
        return faults;
    };
    required(product, "", "name", &mut faults);
    required(product, "", "variants", &mut faults);
    for (name, value) in product {
        let at = format!("/{name}");
        match name.as_str() {
            "name" | "external_reference" | "slug" | "description" | "tax_class" | "status" => {
                text(&at, value, "", &mut faults);
            }
            "categories" | "options" | "synonyms" => {
                each(&at, value, "texts", &mut faults, |at, value, faults| {
                    text(at, value, "", faults);
                })
            }
            "attributes" => attributes(&at, value, &mut faults),
            "images" => each(&at, value, "pictures", &mut faults, image),
            "variants" => each(&at, value, "variants", &mut faults, variant),
            _ => {}
        }
    }
    faults
}

fn variant(at: &str, value: &Value, faults: &mut Faults) {
    let Some(variant) = object(at, value, "a variant, an object with a sku", faults) else { return };
    required(variant, at, "sku", faults);
    for (name, value) in variant {
        let at = format!("{at}/{name}");
        match name.as_str() {
            "sku" => text(&at, value, "", faults),
            "options" => texts(&at, value, "such as {\"colour\": \"blue\"}", "", faults),
            "prices" | "compare_at_prices" => {
                texts(
                    &at,
                    value,
                    "such as {\"GBP\": \"9.50\"}",
                    ": prices are written in quotation marks",
                    faults,
                );
            }
            "weight_grams" => whole(&at, value, i64::from(i32::MAX), faults),
            "stock" if !value.is_null() => whole(&at, value, i64::MAX, faults),
            _ => {}
        }
    }
}

fn image(at: &str, value: &Value, faults: &mut Faults) {
    let Some(image) = object(at, value, "a picture, an object with file, content_hash or url", faults) else {
        return;
    };
    for (name, value) in image {
        let at = format!("{at}/{name}");
        match name.as_str() {
            "file" | "content_hash" | "url" | "alt" => text(&at, value, "", faults),
            "width" | "height" => whole(&at, value, i64::from(i32::MAX), faults),
            _ => {}
        }
    }
}

fn attributes(at: &str, value: &Value, faults: &mut Faults) {
    let Some(attributes) = object(at, value, "an object such as {\"material\": \"oak\"}", faults) else {
        return;
    };
    for (name, value) in attributes {
        let at = format!("{at}/{name}");
        match value {
            Value::Array(_) => {
                each(&at, value, "texts", faults, |at, value, faults| text(at, value, "", faults))
            }
            value => text(&at, value, "", faults),
        }
    }
}

fn object<'a>(
    at: &str,
    value: &'a Value,
    wanted: &str,
    faults: &mut Faults,
) -> Option<&'a Map<String, Value>> {
    let found = value.as_object();
    if found.is_none() {
        faults.push((at.to_owned(), format!("is {}, where {wanted}, is expected", seen(value))));
    }
    found
}

fn required(object: &Map<String, Value>, at: &str, name: &str, faults: &mut Faults) {
    if !object.contains_key(name) {
        faults.push((format!("{at}/{name}"), "is required".to_owned()));
    }
}

fn text(at: &str, value: &Value, more: &str, faults: &mut Faults) {
    if !value.is_string() {
        faults.push((at.to_owned(), format!("is {}, which is not a text{more}", seen(value))));
    }
}

fn texts(at: &str, value: &Value, example: &str, more: &str, faults: &mut Faults) {
    let Some(object) = object(at, value, &format!("an object {example}"), faults) else { return };
    for (name, value) in object {
        text(&format!("{at}/{name}"), value, more, faults);
    }
}

fn each(at: &str, value: &Value, what: &str, faults: &mut Faults, check: impl Fn(&str, &Value, &mut Faults)) {
    match value.as_array() {
        Some(values) => {
            for (n, value) in values.iter().enumerate() {
                check(&format!("{at}/{n}"), value, faults);
            }
        }
        None => faults.push((at.to_owned(), format!("is {}, which is not a list of {what}", seen(value)))),
    }
}

fn whole(at: &str, value: &Value, most: i64, faults: &mut Faults) {
    if !value.as_i64().is_some_and(|number| (-most..=most).contains(&number)) {
        let quoted = if value.is_string() { ": numbers are written without quotation marks" } else { "" };
        faults.push((at.to_owned(), format!("is {}, which is not a whole number{quoted}", seen(value))));
    }
}

/// A value as it was written, short enough for a sentence.
fn seen(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => excerpt(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}
