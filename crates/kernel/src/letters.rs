//! Plain letters: one way from a text to what is compared, for addresses of pages and for search.
//!
//! Compatibility decomposition (NFKD) splits accents from letters, ligatures into letters and full-width forms into plain
//! ones; diacritical marks are dropped; a short table has the letters that do not decompose; everything is in lower case.
//! Signs that belong to other scripts' letters, such as vowels of Thai and voicing marks of Kana, stay.

use unicode_normalization::UnicodeNormalization;

use crate::text::is_format;

/// The plain lower-case letters of a text, in which everything else stays as it is.
#[must_use]
pub fn plain(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let decomposed = text.nfkd().filter(|c| !is_mark(*c) && !is_format(*c));
    let lowered = decomposed.flat_map(char::to_lowercase).filter(|c| !is_mark(*c));
    let mut plain = String::with_capacity(text.len());
    for c in lowered {
        match replacement(c) {
            Some(letters) => plain.push_str(letters),
            None => plain.push(c),
        }
    }
    if plain.contains('·') {
        // The middle dot of Catalan stands within a word: col·lecció.
        plain = plain.replace("l·l", "ll");
    }
    if plain.is_ascii() { plain } else { plain.nfc().collect() }
}

/// Whether a character is an apostrophe, which separates nothing.
#[must_use]
pub fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '\u{2bc}' | '\u{2bb}' | '\u{2b9}' | '`' | '´')
}

/// Marks over, under and through letters of Latin, Greek and Cyrillic; vowel points of Hebrew and Arabic.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}'
        | '\u{5c4}'..='\u{5c5}' | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// The plain letters of a lower-case letter that does not decompose.
fn replacement(c: char) -> Option<&'static str> {
    Some(match c {
        'æ' => "ae",
        'œ' => "oe",
        'ß' => "ss",
        'þ' => "th",
        'ø' | 'ɔ' | 'ɵ' => "o",
        'ł' | 'ƚ' | 'ɫ' => "l",
        'đ' | 'ð' | 'ɖ' | 'ɗ' => "d",
        'ı' | 'ɨ' => "i",
        'ħ' => "h",
        'ŧ' | 'ƭ' => "t",
        'ŋ' | 'ɲ' => "n",
        'ĸ' | 'ƙ' => "k",
        'ə' | 'ɛ' | 'ǝ' => "e",
        'ɓ' | 'ƀ' => "b",
        'ǥ' | 'ɠ' => "g",
        'ƴ' => "y",
        'ƶ' => "z",
        'ʉ' | 'ʊ' => "u",
        'ƒ' => "f",
        'ɣ' => "g",
        'ʋ' => "v",
        'ʒ' => "z",
        'ɩ' => "i",
        'ȼ' | 'ƈ' => "c",
        'ⱥ' | 'ɑ' => "a",
        'ɇ' => "e",
        'ȷ' | 'ɉ' => "j",
        'ɍ' => "r",
        'ɏ' => "y",
        'ƥ' => "p",
        'ʈ' | 'ⱦ' => "t",
        'ɦ' => "h",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_of_every_alphabet_lose_their_marks() {
        for (text, expected) in [
            ("Phở bowl, wide", "pho bowl, wide"),
            ("Ľahká bunda", "lahka bunda"),
            ("Ķirsis", "kirsis"),
            ("Cafe\u{301} cre\u{300}me", "cafe creme"),
            ("ＡＢＣ ノート", "abc ノート"),
            ("Cămașă albă", "camasa alba"),
            ("Łódź, Ærø, Straße, ĦAL, İstanbul, ısı", "lodz, aero, strasse, hal, istanbul, isi"),
            ("Þórður Œuvre", "thordur oeuvre"),
            ("Eʋegbe ƒoƒo Ɣana ǯ ȼ", "evegbe fofo gana z c"),
            ("Col·lecció goŀla 3·4", "colleccio golla 3·4"),
            ("ﬁne ½ ㎏ №", "fine 1⁄2 kg no"),
            ("ΟΔΟΣ οδός", "οδοσ οδοσ"),
            ("Ёлка й", "елка и"),
            ("パン ﾊﾟﾝ がぎ", "パン パン がぎ"),
            ("한국", "한국"),
            ("กำแพง", "กําแพง"),
            ("soft\u{ad}ware zero\u{200b}width", "software zerowidth"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn plain_letters_are_plain(text in any::<String>()) {
            let once = plain(&text);
            prop_assert_eq!(plain(&once), once);
        }

        #[test]
        fn composed_and_decomposed_texts_are_one(text in "\\PC{0,20}") {
            let (composed, decomposed): (String, String) = (text.nfc().collect(), text.nfd().collect());
            prop_assert_eq!(plain(&composed), plain(&decomposed));
        }
    }
}
