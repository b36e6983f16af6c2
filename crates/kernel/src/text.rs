//! Free text: the one rule for what people write, in every field of every service.
//!
//! | what is written | what is stored |
//! |---|---|
//! | CRLF, CR, form feed, NEL, U+2028, U+2029 | a line break; a blank in a field of one line |
//! | tab, Hangul filler | a blank |
//! | other control characters, characters that Unicode does not define | refused |
//! | characters that only format and show nothing: zero-width blanks, soft hyphens, directional embeddings and isolates, tags, byte order marks | removed |
//! | joiners, variation selectors, direction marks, emoji tags | kept where the characters beside them need them, else removed |
//! | decomposed letters | composed (NFC) |
//! | more than ten marks on one letter | refused |
//!
//! Blanks at both ends are removed. Lengths are counted in characters of what is stored. A text that was given and shows
//! nothing is refused. Sources: the Unicode Character Database (UAX #44), UTS #51 for sequences of emoji, RFC 5892 for the
//! scripts that need joiners.

use icu_properties::props::{DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization;

/// Marks in a row, after letters are composed. No language writes more than a handful over, under and in one letter
/// (Tibetan stacks and Hebrew with cantillation are the deepest); more of them only paint over the lines beside them.
const MARKS_MAX: usize = 10;

/// How many lines a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// One: line breaks become blanks.
    One,
    /// Any number: every kind of line break becomes `\n`.
    Many,
}

/// The text as it is stored; it may be empty.
///
/// # Errors
/// What is wrong with it, a clause that follows the field's name: `has control characters`.
pub fn clean(text: &str, lines: Lines) -> Result<String, &'static str> {
    let line_break = if lines == Lines::Many { '\n' } else { ' ' };
    let mut kept = String::with_capacity(text.len());
    let mut previous = None;
    let mut rest = text.chars().peekable();
    let mut tag = None;
    while let Some(c) = rest.next() {
        let stored = match c {
            '\r' => {
                rest.next_if_eq(&'\n');
                Some(line_break)
            }
            '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(line_break),
            '\t' | '\u{3164}' | '\u{ffa0}' => Some(' '),
            '\u{e0020}'..='\u{e007f}' => {
                tag = if previous == Some('\u{1f3f4}') || tag.is_some() { Some(c) } else { None };
                tag
            }
            c => Some(c).filter(|c| !is_format(*c) || is_needed(*c, previous, rest.peek().copied())),
        };
        let Some(c) = stored else { continue };
        match category(c) {
            GeneralCategory::Control if c != '\n' => return Err("has control characters"),
            GeneralCategory::Unassigned if !is_emoji(c) => {
                return Err("has characters that Unicode does not define");
            }
            _ => {}
        }
        if !matches!(c, '\u{e0020}'..='\u{e007f}') {
            tag = None;
        }
        kept.push(c);
        previous = Some(c);
    }
    let composed: String = kept.nfc().collect();
    let composed = composed.trim_matches(is_blank);
    if composed.is_empty() && text.chars().all(char::is_whitespace) {
        return Ok(String::new());
    }
    if !shows(composed) {
        return Err("shows nothing");
    }
    if has_piled_marks(composed) {
        return Err("has too many marks on one letter");
    }
    Ok(composed.to_owned())
}

/// Whether somebody who reads the text sees anything: a letter, a digit, a sign or an emoji. Blanks, characters that only
/// format, combining marks without a letter and characters for private use show nothing.
#[must_use]
pub fn shows(text: &str) -> bool {
    text.chars().any(|c| {
        let hidden = is_of_no_script(c) || category(c) == GeneralCategory::Format || is_mark(c);
        // U+1D159 is a note head without ink.
        (!hidden || is_emoji(c)) && !is_ignorable(c) && !matches!(c, '\u{2800}' | '\u{fffc}' | '\u{1d159}')
    })
}

/// Whether a character shows nothing by itself and only changes how others are shown, or is not for people at all.
#[must_use]
pub fn is_format(c: char) -> bool {
    if c.is_ascii() {
        return false;
    }
    let visible = matches!(
        c,
        // Signs that are written before numbers, and fillers of Hangul syllables.
        '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1345f}' | '\u{115f}' | '\u{1160}'
    );
    !visible && (is_ignorable(c) || category(c) == GeneralCategory::Format || c == '\u{fffc}')
}

/// Whether a character cannot be told from nothing, or from another, in a name that has to be one of a kind: it formats, is
/// blank, or is a character that no script has.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    is_format(c) || is_ignorable(c) || is_of_no_script(c) || matches!(c, '\u{2800}' | '\u{1d159}')
}

/// Whether a character is a control, a blank, for private use, or not defined.
fn is_of_no_script(c: char) -> bool {
    use GeneralCategory as Of;
    matches!(
        category(c),
        Of::Control
            | Of::SpaceSeparator
            | Of::LineSeparator
            | Of::ParagraphSeparator
            | Of::PrivateUse
            | Of::Surrogate
            | Of::Unassigned
    )
}

/// Whether a character only adds to the one before it.
#[must_use]
pub fn is_mark(c: char) -> bool {
    use GeneralCategory as Of;
    matches!(category(c), Of::NonspacingMark | Of::SpacingMark | Of::EnclosingMark)
}

/// Whether there are more than [`MARKS_MAX`] marks in a row. What only formats does not part them.
fn has_piled_marks(text: &str) -> bool {
    let mut marks = 0;
    text.chars().any(|c| {
        marks = match c {
            c if is_mark(c) => marks + 1,
            c if is_format(c) => marks,
            _ => 0,
        };
        marks > MARKS_MAX
    })
}

/// Whether the characters beside a format character need it.
fn is_needed(c: char, previous: Option<char>, next: Option<char>) -> bool {
    let Some(before) = previous else { return false };
    match c {
        '\u{200c}' => joins(before) && next.is_some_and(joins),
        '\u{200d}' => joins(before) || (ends_emoji(before) && next.is_some_and(is_emoji)),
        '\u{200e}' | '\u{200f}' | '\u{61c}' => is_right_to_left(before) || next.is_some_and(is_right_to_left),
        // Emoji or text; digits are the bases of keycaps.
        '\u{fe0e}' | '\u{fe0f}' => is_emoji(before) || matches!(before, '0'..='9' | '#' | '*'),
        '\u{fe00}'..='\u{fe0d}' | '\u{e0100}'..='\u{e01ef}' => is_varied(before),
        '\u{180b}'..='\u{180f}' => matches!(before, '\u{1800}'..='\u{18af}'),
        '\u{34f}' => matches!(before, '\u{591}'..='\u{5ff}'),
        _ => false,
    }
}

/// Letters of scripts in which joiners change what is read: Arabic to Syriac and N'Ko, the Indic scripts to Myanmar, Khmer,
/// Mongolian.
fn joins(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{109f}' | '\u{1780}'..='\u{18af}' | '\u{a840}'..='\u{a87f}' | '\u{a8e0}'..='\u{aaff}'
        | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10ac0}'..='\u{10fff}' | '\u{11000}'..='\u{11fff}'
        | '\u{1e900}'..='\u{1e95f}')
}

/// What may stand before the joiner of an emoji sequence: an emoji, its selector, or its colour of skin.
fn ends_emoji(c: char) -> bool {
    is_emoji(c) || c == '\u{fe0f}' || matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
}

/// Characters that have variants: Han, their punctuation, Mongolian's neighbours and mathematical signs.
fn is_varied(c: char) -> bool {
    matches!(c, '\u{2200}'..='\u{2aff}' | '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{a840}'..='\u{a87f}'
        | '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ff1f}' | '\u{20000}'..='\u{3ffff}')
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

fn is_emoji(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn many(text: &str) -> Result<String, &'static str> {
        clean(text, Lines::Many)
    }

    fn one(text: &str) -> Result<String, &'static str> {
        clean(text, Lines::One)
    }

    #[test]
    fn every_line_break_is_one_and_every_tab_a_blank() {
        for text in [
            "first\r\nsecond\tline",
            "first\rsecond\tline",
            "first\u{85}second\tline",
            "first\u{2028}second line",
        ] {
            assert_eq!(many(text).as_deref(), Ok("first\nsecond line"), "{text:?}");
            assert_eq!(one(text).as_deref(), Ok("first second line"), "{text:?}");
        }
        assert_eq!(many("\r\n a\r\n\r\nb \t").as_deref(), Ok("a\n\nb"));
    }

    #[test]
    fn what_only_formats_is_removed() {
        for hidden in [
            '\u{ad}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{feff}',
            '\u{fe0f}',
            '\u{fe00}',
            '\u{e0100}',
            '\u{e0041}',
            '\u{34f}',
            '\u{61c}',
            '\u{17b4}',
            '\u{206a}',
            '\u{fff9}',
            '\u{1bca0}',
        ] {
            assert_eq!(one(&format!("Ada{hidden}B")).as_deref(), Ok("AdaB"), "{hidden:?}");
            assert_eq!(one(&format!("{hidden}Ada{hidden}")).as_deref(), Ok("Ada"), "{hidden:?}");
        }
    }

    #[test]
    fn joiners_and_selectors_stay_where_they_are_needed() {
        for text in [
            "👩\u{200d}🚀",
            "👨🏽\u{200d}🔧",
            "❤\u{fe0f}\u{200d}🔥",
            "1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "می\u{200c}خواهم",
            "ක්\u{200d}ර",
            "葛\u{e0100}城",
            "א\u{200f}!",
        ] {
            assert_eq!(one(text).as_deref(), Ok(text), "{text:?}");
        }
    }

    #[test]
    fn what_shows_nothing_is_refused() {
        for text in [
            "\u{200b}",
            "\u{2060}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{2800}",
            "\u{301}",
            "\u{115f}\u{1160}",
            "\u{e000}",
            "\u{ad}\u{ad}",
            "\u{200b} \u{a0}",
            "\u{fe0f}",
            "\u{1d159}",
            "\u{e0067}",
            "\u{fffc}",
            "\u{180e}",
        ] {
            assert_eq!(one(text), Err("shows nothing"), "{text:?}");
        }
        assert_eq!(one(" \u{a0} \u{3000}\t").as_deref(), Ok(""), "nothing was given");
        for text in ["-", "7", "🎁", "é", "ا", "한", "e\u{301}"] {
            assert!(one(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn control_characters_and_what_is_undefined_are_refused() {
        for text in ["a\u{0}b", "a\u{7}", "a\u{1b}[0m", "a\u{9f}b"] {
            assert_eq!(many(text), Err("has control characters"), "{text:?}");
        }
        for text in ["a\u{ffff}", "a\u{fdd0}", "a\u{378}", "a\u{1fffe}"] {
            assert_eq!(many(text), Err("has characters that Unicode does not define"), "{text:?}");
        }
    }

    #[test]
    fn marks_do_not_pile_up() {
        let piled = Err("has too many marks on one letter");
        let marks = |count: usize| "\u{336}".repeat(count);
        assert_eq!(one(&format!("a{}", marks(90))), piled);
        assert_eq!(one(&format!("{}a", marks(90))), piled);
        assert_eq!(one(&format!("Ada {}", "\u{488}\u{301}".repeat(20))), piled);
        assert!(one(&format!("a{}", marks(10))).is_ok());
        assert!(one(&format!("a{0}b{0}", marks(9))).is_ok(), "each letter has its own");
        for text in ["བསྒྲུབས", "בְּרֵאשִׁ֖ית", "นี้น้ำ", "ệ́", "က္ဘာ", "क्ष्म्य"]
        {
            assert!(one(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn letters_are_composed() {
        assert_eq!(one("Cafe\u{301}").as_deref(), Ok("Café"));
        assert_eq!(one("e\u{200b}\u{301}").as_deref(), Ok("é"));
        assert_eq!(one("\u{1112}\u{1161}\u{11ab}").as_deref(), Ok("한"));
    }

    proptest! {
        #[test]
        fn what_is_clean_stays_as_it_is(text in any::<String>(), is_one in any::<bool>()) {
            let lines = if is_one { Lines::One } else { Lines::Many };
            if let Ok(stored) = clean(&text, lines) {
                prop_assert_eq!(clean(&stored, lines), Ok(stored.clone()));
                prop_assert!(stored.is_empty() || shows(&stored));
                prop_assert!(!stored.chars().any(|c| c.is_control() && (is_one || c != '\n')));
            }
        }

        #[test]
        fn hidden_characters_never_make_another_text(name in "[a-z]{1,9}( [a-z]{1,9})?", at in 0_usize..9, hidden in "[\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{2069}\u{ad}\u{feff}\u{e0020}-\u{e007f}]{1,4}") {
            let mut text = name.clone();
            text.insert_str(at.min(name.len()), &hidden);
            prop_assert_eq!(one(&text), Ok(name));
        }
    }
}
