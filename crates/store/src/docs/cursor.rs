//! Where a page of documents ended, as text: the index value and the id.

use kernel::{Error, Result};

use crate::value::Value;

/// The cursor after a document. `Null` is for lists without an index or with a fixed value.
pub(super) fn encode(value: &Value, id: &str) -> String {
    match value {
        Value::Null => format!("n:{id}"),
        Value::Int(int) => format!("i{int}:{id}"),
        Value::Text(text) => format!("t{}:{text}{id}", text.len()),
        Value::Blob(bytes) => format!("b{}:{id}", hex::encode(bytes)),
    }
}

/// Reads a cursor back.
pub(super) fn decode(text: &str) -> Result<(Value, String)> {
    read(text).ok_or_else(invalid)
}

/// A cursor that is none, or of another list.
pub(super) fn invalid() -> Error {
    Error::field("/page/cursor", "INVALID_CURSOR", "is not a cursor of this list")
}

fn read(text: &str) -> Option<(Value, String)> {
    let (head, id) = text.split_once(':')?;
    let (kind, head) = (head.chars().next()?, head.get(1..)?);
    match kind {
        'n' if head.is_empty() => Some((Value::Null, id.to_owned())),
        'i' => Some((Value::Int(head.parse().ok()?), id.to_owned())),
        't' => {
            let (value, id) = id.split_at_checked(head.parse().ok()?)?;
            Some((Value::Text(value.to_owned()), id.to_owned()))
        }
        'b' => Some((Value::Blob(hex::decode(head).ok()?), id.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Int),
            "\\PC{0,20}".prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Blob),
        ]
    }

    proptest! {
        #[test]
        fn every_cursor_reads_back(value in values(), id in "\\PC{0,20}") {
            prop_assert_eq!(decode(&encode(&value, &id)).expect("own text"), (value, id));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = decode(&text);
        }
    }
}
