//! How errors speak of fields. Each message follows a field's name, in JSON as `pointer: message` and on a page as "This message.":
//! so it is a clause that begins with its verb. That is so, too, for the message of a bare error that is put at a pointer later.

use crate::{crates, files, hold, told};

/// How a message begins.
const VERBS: &[&str] =
    &["is", "are", "was", "has", "must", "may", "repeats", "names", "looks", "belongs", "cannot", "shows"];
/// Words of the language that souk is written in; who reads a message need not know it.
const RUST: &[&str] = &[
    "unknown variant",
    "invalid type",
    "expected",
    "Option<",
    "Vec<",
    "i64",
    "i32",
    "u32",
    "u64",
    "usize",
    "&str",
    "enum",
    "struct",
    "serde",
    "prost",
    "no value {",
];
/// The calls that make one, up to their arguments.
const CALLS: &[&str] = &[
    "Error::field(",
    ".with_field(",
    "violations.check(",
    "violations.add(",
    "wrong.check(",
    "wrong.add(",
    "v.check(",
    "v.add(",
];

/// The arguments of a call, from after its parenthesis.
fn arguments(text: &str) -> &str {
    let (mut depth, mut in_text, mut escaped) = (1, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// The texts among them.
fn texts(arguments: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut text: Option<String> = None;
    let mut escaped = false;
    for letter in arguments.chars() {
        match (&mut text, letter) {
            (Some(inside), _) if escaped => {
                inside.push(letter);
                escaped = false;
            }
            (Some(_), '\\') => escaped = true,
            (Some(_), '"') => found.extend(text.take()),
            (Some(inside), _) => inside.push(letter),
            (None, '"') => text = Some(String::new()),
            (None, _) => {}
        }
    }
    found
}

/// The message of a call: its last text that is no pointer and no reason.
fn message(arguments: &str) -> Option<String> {
    let is_reason = |text: &str| text.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
    let is_pointer =
        |text: &str| text.starts_with('/') || text.starts_with("{pointer}") || text.starts_with("{at}");
    texts(arguments).into_iter().rfind(|text| !is_pointer(text) && !is_reason(text))
}

/// What is wrong about a message.
fn fault(message: &str) -> Option<&'static str> {
    let first = message.split(' ').next().unwrap_or_default();
    if !VERBS.contains(&first) {
        Some("does not begin with a verb that follows the field's name")
    } else if message.ends_with('.') {
        Some("ends with a full stop")
    } else if RUST.iter().any(|word| message.contains(word)) {
        Some("speaks of Rust")
    } else {
        None
    }
}

/// The calls that make an error without a pointer, up to their arguments.
const BARE: &[&str] = &[
    "Error::invalid(",
    "Error::not_found(",
    "Error::precondition(",
    "Error::conflict(",
    "Error::exists(",
    "Error::new(",
];

/// Whether the error that is made before `rest` is put at a pointer: at once, or by the caller of the function `name` that makes it.
fn is_put_at_a_pointer(rest: &str, file: &str, name: &str) -> bool {
    let chain = rest.split([';', '{', '}']).next().unwrap_or_default();
    let next = chain.trim_start_matches(')').trim_start();
    next.starts_with(".at(") || file.contains(&format!("{name}().at("))
}

/// The name of the function that a place in a file is in.
fn function(before: &str) -> &str {
    let name = before.rsplit("fn ").next().unwrap_or_default();
    name.split(['(', '<']).next().unwrap_or_default()
}

/// The bare errors of a file that are put at a pointer, with where they are made. The kernel's values stand in fields
/// wherever they are read, so what it says of them is put at a pointer always.
fn put_at_pointers(package: &str, text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for call in BARE {
        for (at, _) in text.match_indices(call) {
            let inside = arguments(&text[at + call.len()..]);
            let rest = &text[at + call.len() + inside.len()..];
            let is_value = package == "kernel" && *call == "Error::invalid(" && inside.contains("\"INVALID_");
            if is_value || is_put_at_a_pointer(rest, text, function(&text[..at])) {
                found.extend(message(inside).map(|message| (at, message)));
            }
        }
    }
    found
}

#[test]
fn messages_about_fields_are_clauses_that_follow_the_fields_name() {
    let mut violations = Vec::new();
    let (mut seen, mut put) = (0, 0);
    let sources = crates().into_iter().filter(|package| package.name.as_str() != "ci");
    for package in sources {
        let folder = package.manifest_path.parent().expect("a crate's folder").join("src");
        for path in files(folder.as_std_path())
            .into_iter()
            .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        {
            let text = std::fs::read_to_string(&path).expect("source is text");
            let text = text.split("#[cfg(test)]\nmod").next().unwrap_or_default();
            let is_test = told(&path).contains("tests");
            for call in CALLS.iter().filter(|_| !is_test) {
                for (at, _) in text.match_indices(call) {
                    let Some(message) = message(arguments(&text[at + call.len()..])) else { continue };
                    seen += 1;
                    let line = text[..at].lines().count();
                    if let Some(fault) = fault(&message) {
                        violations.push(format!("{}:{line} {message:?} {fault}", told(&path)));
                    }
                }
            }
            let bare = if is_test { Vec::new() } else { put_at_pointers(&package.name, text) };
            put += bare.len();
            violations.extend(bare.into_iter().filter_map(|(at, message)| {
                let line = text[..at].lines().count();
                fault(&message).map(|fault| format!("{}:{line} {message:?} {fault}", told(&path)))
            }));
        }
    }
    assert!(seen > 200 && put >= 15, "only {seen} messages were found, and {put} that are put at a pointer");
    hold(
        "a message about a field reads on from the field's name: \"is required\", \"must be between 1 and 100\"",
        &violations,
    );
}

#[test]
fn a_bare_message_that_is_put_at_a_pointer_is_found() {
    let at_once = r#"Error::not_found("SKU_NOT_FOUND", "no such SKU").at("/sku"))?;"#;
    let later =
        r#"fn gone() -> Error { Error::not_found("GONE", "no such thing") } fn f() { gone().at("/id") }"#;
    for (text, message) in [(at_once, "no such SKU"), (later, "no such thing")] {
        let found = put_at_pointers("svc", text);
        assert_eq!(found.iter().map(|(_, message)| message.as_str()).collect::<Vec<_>>(), [message]);
        assert!(fault(message).is_some());
    }
    let value = r#"Error::invalid("INVALID_RATE", "a rate is not negative")"#;
    assert_eq!((put_at_pointers("kernel", value).len(), put_at_pointers("svc", value).len()), (1, 0));
    assert!(put_at_pointers("svc", r#"Error::not_found("GONE", "there is no such order")"#).is_empty());
}

#[test]
fn a_message_is_found_and_judged() {
    let call = r#""/a", "INVALID_ARGUMENT", format!("must be (at most) {max}"))"#;
    assert_eq!(message(arguments(call)).as_deref(), Some("must be (at most) {max}"));
    assert_eq!(message(r#""/a", "INVALID_ARGUMENT", told"#), None);
    for wrong in ["not an ISO 4217 code", "Is required", "is required.", "is an enum", "has no value {value}"]
    {
        assert!(fault(wrong).is_some(), "{wrong}");
    }
    assert_eq!(fault("is not an ISO 4217 code in capitals"), None);
}
