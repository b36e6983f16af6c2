//! Words of a name: lower case, ASCII, in the singular.

/// Words that are read; a name may be as long as it likes.
const WORDS_MAX: usize = 40;
/// Letters of a word that are read.
const LETTERS_MAX: usize = 24;

/// The words of a text. All but letters and digits parts them; an apostrophe vanishes.
pub fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’')
        .filter(|part| !part.is_empty())
        .take(WORDS_MAX)
        .map(|part| part.chars().filter(char::is_ascii_alphanumeric).take(LETTERS_MAX).collect::<String>())
        .filter(|part| !part.is_empty())
        .map(|part| singular(&part.to_ascii_lowercase()))
        .collect()
}

/// The singular of an English word, as far as simple rules go.
fn singular(word: &str) -> String {
    let cut = |end: &str, with: &str| word.strip_suffix(end).map(|stem| format!("{stem}{with}"));
    if word.len() < 4 || word.ends_with("ss") || ["christmas", "xmas", "canvas"].contains(&word) {
        return word.to_owned();
    }
    let found = cut("ies", "y")
        .or_else(|| cut("arves", "arf"))
        .or_else(|| cut("sses", "ss"))
        .or_else(|| cut("shes", "sh"))
        .or_else(|| cut("ches", "ch"))
        .or_else(|| cut("xes", "x"))
        .or_else(|| cut("leaves", "leaf"))
        .or_else(|| cut("s", ""));
    found.unwrap_or_else(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_lower_case_and_singular() {
        assert_eq!(words("SET OF 3 CAKE TINS, 50'S"), ["set", "of", "3", "cake", "tin", "50s"]);
        assert_eq!(words("Glasses & dishes; boxes/batteries"), ["glass", "dish", "box", "battery"]);
        assert_eq!(words("<b>ÄÖ</b> 🫖"), ["b", "b"]);
        assert!(words("").is_empty());
    }
}
