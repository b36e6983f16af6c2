//! Words: how a text becomes what is compared.
//!
//! Letters are lowered and lose their accents, an English plural loses its ending, and everything that is no letter and
//! no digit separates. The same is done to products and to questions, so no character of a question has a meaning of
//! its own.

/// The most characters of a word that count.
const WORD_CHARS_MAX: usize = 40;
/// The most words of a question that count.
const QUERY_WORDS_MAX: usize = 12;

/// Words so common that a product need not have them.
const COMMON: &[&str] = &["a", "an", "and", "at", "for", "from", "in", "of", "on", "or", "the", "to", "with"];

/// A word of a question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Word {
    /// As it is compared.
    pub text: String,
    /// Whether it may be the beginning of a word, since it was the last that was typed.
    pub is_open: bool,
    /// Whether a product need not have it.
    pub is_optional: bool,
}

/// The words of a text, folded, in order.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = 0;
    let mut end = |word: &mut String, chars: &mut usize| {
        if !word.is_empty() {
            singular(word);
            words.push(std::mem::take(word));
        }
        *chars = 0;
    };
    for c in text.chars().flat_map(char::to_lowercase) {
        if is_mark(c) || matches!(c, '\'' | '’' | '\u{ad}' | '\u{200b}'..='\u{200d}') {
            continue;
        }
        if !c.is_alphanumeric() {
            end(&mut word, &mut chars);
            continue;
        }
        if stands_alone(c) {
            end(&mut word, &mut chars);
            word.push(c);
            end(&mut word, &mut chars);
        } else if chars < WORD_CHARS_MAX {
            match plain(c) {
                Some(plain) => word.push_str(plain),
                None => word.push(c),
            }
            chars += 1;
        }
    }
    end(&mut word, &mut chars);
    words
}

/// A text folded as a whole: equal texts are the same name.
#[must_use]
pub fn fold(text: &str) -> String {
    words(text).join(" ")
}

/// The words of a question, of which the first 12 count. The last one is open unless something separates it from the
/// end.
#[must_use]
pub fn query_words(query: &str) -> Vec<Word> {
    let is_open = query.chars().next_back().is_some_and(char::is_alphanumeric);
    let mut texts = words(query);
    let is_whole = texts.len() <= QUERY_WORDS_MAX;
    texts.truncate(QUERY_WORDS_MAX);
    let last = texts.len().saturating_sub(1);
    let all_common = texts.iter().all(|text| is_common(text));
    let mut words: Vec<Word> = Vec::with_capacity(texts.len());
    for (n, text) in texts.into_iter().enumerate() {
        let is_optional = !all_common && is_common(&text);
        let is_open = is_open && is_whole && n == last;
        match words.iter_mut().find(|word| word.text == text) {
            Some(same) => same.is_open |= is_open,
            None => words.push(Word { text, is_open, is_optional }),
        }
    }
    words
}

/// Whether a word is so common that a product need not have it.
#[must_use]
pub fn is_common(word: &str) -> bool {
    COMMON.contains(&word)
}

/// How many typing errors a word may have: none below 4 characters and in numbers, 1 below 8, else 2.
#[must_use]
pub fn tolerance(word: &str) -> u8 {
    if word.chars().all(|c| c.is_ascii_digit()) {
        return 0;
    }
    match word.chars().count() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

/// Typing errors between two words: characters missing, added, replaced, or swapped with their neighbour (optimal string
/// alignment).
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// English plurals lose their ending. Crude, but the same on both sides.
fn singular(word: &mut String) {
    if word.len() < 4 || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return;
    }
    let cut = |word: &mut String, bytes: usize| word.truncate(word.len() - bytes);
    if word.ends_with("ies") && word.len() > 4 {
        cut(word, 3);
        word.push('y');
    } else if ["sses", "shes", "ches", "xes", "zes"].iter().any(|ending| word.ends_with(ending)) {
        cut(word, 2);
    } else if word.ends_with('s') && !["ss", "us", "is"].iter().any(|ending| word.ends_with(ending)) {
        cut(word, 1);
    }
}

/// Combining marks, which stand after the letter they change.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Characters of scripts that write no spaces: each is a word.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// The plain letters of an accented lower-case Latin letter.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ą' | 'ă' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' | 'ō' => "o",
        'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ţ' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_folded_alike() {
        for (text, expected) in [
            ("White Hanging HEART T-Light Holders", "white hanging heart t light holder"),
            ("Crème brûlée dishes", "creme brulee dish"),
            ("Cre\u{300}me", "creme"),
            ("Baker's  boxes, cherries & glasses", "baker box cherry glass"),
            ("85123A", "85123a"),
            ("茶碗 set", "茶 碗 set"),
            ("  ", ""),
        ] {
            assert_eq!(fold(text), expected);
        }
    }

    #[test]
    fn the_last_word_is_open_while_it_is_typed() {
        let words = query_words("bowl of te");
        assert_eq!(
            words.iter().map(|w| (w.text.as_str(), w.is_open, w.is_optional)).collect::<Vec<_>>(),
            [("bowl", false, false), ("of", false, true), ("te", true, false),]
        );
        assert!(!query_words("tea ")[0].is_open);
        assert!(!query_words("the")[0].is_optional);
        assert_eq!(query_words(&"word ".repeat(100)).len(), 1);
        assert_eq!(query_words(&(0..100).map(|n| format!("w{n} ")).collect::<String>()).len(), 12);
    }

    #[test]
    fn typing_errors_are_counted_as_people_make_them() {
        for (a, b, errors) in
            [("teapot", "teapto", 1), ("cushion", "cushon", 1), ("lamp", "lamp", 0), ("", "abc", 3)]
        {
            assert_eq!(distance(a, b), errors, "{a} {b}");
        }
        assert_eq!(
            (tolerance("mug"), tolerance("bowl"), tolerance("notebook"), tolerance("85123000")),
            (0, 1, 2, 0)
        );
    }

    proptest! {
        #[test]
        fn any_text_becomes_words_that_fold_to_themselves(text in any::<String>()) {
            for word in words(&text) {
                prop_assert!(!word.is_empty() && !word.contains(char::is_whitespace));
                prop_assert!(word.chars().count() <= 2 * WORD_CHARS_MAX);
            }
            let _ = query_words(&text);
        }

        #[test]
        fn distance_is_a_distance(a in "[a-d]{0,8}", b in "[a-d]{0,8}") {
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            prop_assert_eq!(distance(&a, &b) == 0, a == b);
            prop_assert!(distance(&a, &b) <= a.len().max(b.len()));
        }
    }
}
