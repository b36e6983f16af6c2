//! Words: how a text becomes what is compared.
//!
//! Letters become plain ([`letters::plain`]), English words lose their endings, and everything that is neither a letter nor a
//! digit separates. The same is done to products and to questions, so no character of a question has a meaning of its own.
//! An index keeps what this made: `super::super::index` has a number that changes with it.

use std::borrow::Cow;

use frostem::{Algorithm, Stemmer};
use kernel::letters;

/// The most characters of a word that count.
const WORD_CHARS_MAX: usize = 40;
/// The most words of a question that count.
const QUERY_WORDS_MAX: usize = 12;

/// How often a stem is stemmed again.
const STEMS_MAX: usize = 4;

/// Words so common that a product need not have them.
const COMMON: &[&str] = &["a", "an", "and", "at", "for", "from", "in", "of", "on", "or", "the", "to", "with"];

/// A word of a question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Word {
    /// Its stem, as it is compared.
    pub text: String,
    /// As it was typed, in plain letters.
    pub typed: String,
    /// Whether it may be the beginning of a word, since it was the last that was typed.
    pub is_open: bool,
    /// Whether a product need not have it.
    pub is_optional: bool,
}

/// The words of a text in plain letters, in order.
#[must_use]
pub fn plain_words(text: &str) -> Vec<String> {
    split(text).into_iter().map(|(word, _)| word).collect()
}

/// The stems of the words of a text, in order.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    split(text).into_iter().map(|(word, _)| stem(&word)).collect()
}

/// The stems of what hyphens join, written as one word: `wifi` for "Wi-Fi".
#[must_use]
pub fn hyphenated(text: &str) -> Vec<String> {
    let mut joined = Vec::new();
    let mut group = String::new();
    let mut parts = 0;
    for (word, follows_hyphen) in split(text) {
        if !follows_hyphen {
            if parts > 1 {
                joined.push(stem(&group));
            }
            group.clear();
            parts = 0;
        }
        group.push_str(&word);
        parts += 1;
    }
    if parts > 1 {
        joined.push(stem(&group));
    }
    joined.retain(|word| word.chars().count() <= WORD_CHARS_MAX);
    joined
}

/// The stems of every two neighbours, written as one word: `teapot` for "tea pot".
#[must_use]
pub fn neighbours(text: &str) -> Vec<String> {
    let words = plain_words(text);
    let pair = |pair: &[String]| stem(&format!("{}{}", pair[0], pair[1]));
    let fits = |word: &String| word.chars().count() <= WORD_CHARS_MAX && !word.chars().any(stands_alone);
    words.windows(2).map(pair).filter(fits).collect()
}

/// The words of a text, each with whether a hyphen joins it to the one before.
fn split(text: &str) -> Vec<(String, bool)> {
    let mut words = Vec::new();
    let (mut word, mut chars, mut follows_hyphen) = (String::new(), 0, false);
    let mut previous = ' ';
    for c in letters::plain(text).chars() {
        let joins = is_hyphen(previous);
        if letters::is_apostrophe(c) {
            continue;
        }
        if !c.is_alphanumeric() && !is_sign(c) || stands_alone(c) {
            if !word.is_empty() {
                words.push((std::mem::take(&mut word), follows_hyphen));
                // A hyphen joins what it touches on both sides.
                previous = if is_hyphen(c) { c } else { ' ' };
            } else {
                previous = ' ';
            }
            chars = 0;
            if stands_alone(c) {
                words.push((c.to_string(), false));
                previous = ' ';
            }
            continue;
        }
        if word.is_empty() {
            follows_hyphen = joins;
        }
        if chars < WORD_CHARS_MAX {
            word.push(c);
            chars += 1;
        }
        previous = c;
    }
    if !word.is_empty() {
        words.push((word, follows_hyphen));
    }
    words
}

/// The stem of a word in plain letters: English words lose their endings (Snowball's algorithm for English), repeatedly, so
/// that "lens" and "lenses" meet. Words of other scripts and those with digits stay.
#[must_use]
pub fn stem(word: &str) -> String {
    if word.len() < 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let stemmer = Stemmer::new(Algorithm::English);
    let mut stem = singular(word).into_owned();
    for _ in 0..STEMS_MAX {
        let next = stemmer.stem(&stem).into_owned();
        if next == stem {
            break;
        }
        stem = next;
    }
    stem
}

/// The singular where its plural is not made by the rules of the algorithm: a closed list of the language.
fn singular(word: &str) -> Cow<'_, str> {
    const WHOLE: &[(&str, &str)] = &[
        ("buses", "bus"),
        ("busses", "bus"),
        ("gases", "gas"),
        ("quizzes", "quiz"),
        ("lives", "life"),
        ("men", "man"),
        ("women", "woman"),
        ("children", "child"),
        ("feet", "foot"),
        ("teeth", "tooth"),
        ("geese", "goose"),
        ("mice", "mouse"),
        ("calves", "calf"),
        ("elves", "elf"),
        ("dwarves", "dwarf"),
        ("wharves", "wharf"),
        ("turves", "turf"),
        ("staves", "staff"),
        ("snowmen", "snowman"),
        ("axes", "axe"),
        // The algorithm takes no "s" after a "u", for the sake of cactus and status.
        ("menus", "menu"),
        ("tutus", "tutu"),
        ("sudokus", "sudoku"),
        ("haikus", "haiku"),
        ("tofus", "tofu"),
        ("gurus", "guru"),
        ("emus", "emu"),
        ("gnus", "gnu"),
        ("caribous", "caribou"),
        ("bayous", "bayou"),
    ];
    // Also at the end of longer words: bookshelves, penknives.
    const ENDING: &[(&str, &str)] = &[
        ("shelves", "shelf"),
        ("selves", "self"),
        ("knives", "knife"),
        ("wives", "wife"),
        ("wolves", "wolf"),
        ("leaves", "leaf"),
        ("loaves", "loaf"),
        ("halves", "half"),
        ("hooves", "hoof"),
        ("scarves", "scarf"),
        ("thieves", "thief"),
        ("sheaves", "sheaf"),
        ("kerchieves", "kerchief"),
    ];
    if let Some((_, one)) = WHOLE.iter().find(|(many, _)| *many == word) {
        return Cow::Borrowed(one);
    }
    // Abbreviations, which the algorithm leaves since they have no vowel: TVs, CDs, PCs.
    if let Some(one) = word.strip_suffix('s')
        && one.len() > 1
        && !one.ends_with('s')
        && !one.contains(['a', 'e', 'i', 'o', 'u', 'y'])
    {
        return Cow::Borrowed(one);
    }
    match ENDING.iter().find(|(many, _)| word.ends_with(many)) {
        Some((many, one)) => Cow::Owned(format!("{}{one}", &word[..word.len() - many.len()])),
        None => Cow::Borrowed(word),
    }
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
    let is_open = query.chars().next_back().is_some_and(|c| c.is_alphanumeric() || is_sign(c));
    let mut texts = plain_words(query);
    let is_whole = texts.len() <= QUERY_WORDS_MAX;
    texts.truncate(QUERY_WORDS_MAX);
    let last = texts.len().saturating_sub(1);
    let all_common = texts.iter().all(|text| is_common(text));
    let mut words: Vec<Word> = Vec::with_capacity(texts.len());
    for (n, typed) in texts.into_iter().enumerate() {
        let is_optional = !all_common && is_common(&typed);
        let is_open = is_open && is_whole && n == last;
        let text = stem(&typed);
        match words.iter_mut().find(|word| word.text == text) {
            Some(same) if is_open => (same.is_open, same.typed) = (true, typed),
            Some(_) => {}
            None => words.push(Word { text, typed, is_open, is_optional }),
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

/// Hyphens of every length that join words.
fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2013}')
}

/// Vowel signs and other marks of scripts whose words consist of letters and marks.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{109f}' | '\u{1780}'..='\u{17d3}' | '\u{3099}'..='\u{309a}')
        && !matches!(c, '\u{964}' | '\u{965}' | '\u{e3f}')
}

/// Characters of scripts that write no spaces: each is a word.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_folded_alike() {
        for (text, expected) in [
            ("White Hanging HEART T-Light Holders", "white hang heart t light holder"),
            ("Crème brûlée dishes", "creme brule dish"),
            ("Cre\u{300}me", "creme"),
            ("Baker's  boxes, cherries & glasses", "baker box cherri glass"),
            ("ＡＢＣ ノート", "abc ノ ー ト"),
            ("85123A", "85123a"),
            ("茶碗 set", "茶 碗 set"),
            ("  ", ""),
        ] {
            assert_eq!(fold(text), expected);
        }
    }

    #[test]
    fn singular_and_plural_have_one_stem() {
        for (one, many) in [
            ("hoodie", "hoodies"),
            ("beanie", "beanies"),
            ("lens", "lenses"),
            ("cookie", "cookies"),
            ("berry", "berries"),
            ("knife", "knives"),
            ("shelf", "shelves"),
            ("bookshelf", "bookshelves"),
            ("scarf", "scarves"),
            ("leaf", "leaves"),
            ("wolf", "wolves"),
            ("glove", "gloves"),
            ("sleeve", "sleeves"),
            ("glass", "glasses"),
            ("mattress", "mattresses"),
            ("dress", "dresses"),
            ("box", "boxes"),
            ("dish", "dishes"),
            ("watch", "watches"),
            ("potato", "potatoes"),
            ("bus", "buses"),
            ("minibus", "minibuses"),
            ("gas", "gases"),
            ("quiz", "quizzes"),
            ("vase", "vases"),
            ("house", "houses"),
            ("canvas", "canvases"),
            ("atlas", "atlases"),
            ("iris", "irises"),
            ("cactus", "cactuses"),
            ("pie", "pies"),
            ("movie", "movies"),
            ("selfie", "selfies"),
            ("brownie", "brownies"),
            ("shoe", "shoes"),
            ("toy", "toys"),
            ("key", "keys"),
            ("cup", "cups"),
            ("tie", "ties"),
            ("candle", "candles"),
            ("earring", "earrings"),
            ("woman", "women"),
            ("child", "children"),
            ("mouse", "mice"),
            ("goose", "geese"),
            ("foot", "feet"),
            ("bench", "benches"),
            ("brush", "brushes"),
            ("handkerchief", "handkerchieves"),
            ("half", "halves"),
            ("olive", "olives"),
            ("curve", "curves"),
            ("axe", "axes"),
            ("photo", "photos"),
            ("roof", "roofs"),
        ] {
            assert_eq!(stem(one), stem(many), "{one} {many}");
        }
        for (one, other) in
            [("glove", "glow"), ("hood", "hoodie"), ("cook", "cookie"), ("safe", "save"), ("bus", "busy")]
        {
            assert_ne!(stem(one), stem(other), "{one} {other}");
        }
    }

    #[test]
    fn compounds_are_also_one_word() {
        assert_eq!(hyphenated("Wi-Fi router, T\u{2011}shirts - rock-n-roll"), ["wifi", "tshirt", "rocknrol"]);
        assert_eq!(hyphenated("a - b -c d- e"), [""; 0], "what hangs in the air joins nothing");
        assert_eq!(neighbours("Tea pot, blue"), ["teapot", "potblu"]);
        assert_eq!(neighbours("茶碗"), [""; 0]);
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
