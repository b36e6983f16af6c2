//! The words of the services as people read them: sentences that begin with a capital, and names of fields in place of pointers.

/// A text with a capital letter at its beginning.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Words of a service as a sentence. A message about a field begins with its pointer, which becomes the field's name:
/// "/currency_code is not…" is "Currency code is not….". `sentence` in `window.js` does the same.
pub fn sentence(message: &str) -> String {
    let message = message.trim_end_matches('.');
    let text = match message.split_once(' ') {
        Some((pointer, clause)) if pointer.starts_with('/') => format!("{} {clause}", field(pointer)),
        _ => message.to_owned(),
    };
    let words = capital(&text);
    if words.is_empty() { words } else { format!("{words}.") }
}

/// The field that a JSON pointer leads to, in words: `/lines/0/unit_price` is "line 1, unit price".
fn field(pointer: &str) -> String {
    let mut names: Vec<String> = Vec::new();
    for part in pointer.split('/').filter(|part| !part.is_empty()) {
        match (part.parse::<u32>(), names.last_mut()) {
            (Ok(index), Some(list)) => *list = format!("{} {}", singular(list), u64::from(index) + 1),
            _ => names.push(name(part)),
        }
    }
    names.join(", ")
}

/// The words of a field's name; `~1` and `~0` stand for `/` and `~` in a pointer.
fn name(part: &str) -> String {
    let words = part.replace("~1", "/").replace("~0", "~").replace('_', " ");
    let words = words.split(' ').map(|word| match word {
        "q" => "what you search for",
        "sku" => "SKU",
        "skus" => "SKUs",
        "id" => "ID",
        "ids" => "IDs",
        word => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// One of a list of that name.
fn singular(list: &str) -> String {
    let list = list.trim();
    list.strip_suffix("ies")
        .map(|stem| format!("{stem}y"))
        .or_else(|| list.strip_suffix('s').map(str::to_owned))
        .unwrap_or_else(|| list.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_about_a_field_names_it_in_words() {
        for (message, words) in [
            ("/currency_code is not an ISO 4217 code", "Currency code is not an ISO 4217 code."),
            ("/lines/0/quantity must be between 1 and 999", "Line 1, quantity must be between 1 and 999."),
            ("/sku is not a SKU of the shop", "SKU is not a SKU of the shop."),
            ("/q has control characters", "What you search for has control characters."),
            ("/category_ids/3 is not a category.", "Category ID 4 is not a category."),
            ("/categories/0 is required", "Category 1 is required."),
            (
                "/address/postal_code is not in the form of SW1A 1AA",
                "Address, postal code is not in the form of SW1A 1AA.",
            ),
            ("the card was declined", "The card was declined."),
            ("", ""),
        ] {
            assert_eq!(sentence(message), words);
        }
    }
}
