//! Corrects a guess of the encoding by what letters stand beside each other: detectors made for the web do not know old Macintosh
//! text, and take a short western table with a sign of pounds or a French ligature for a central European one, or for Japanese.

use encoding_rs::{Encoding, ISO_8859_4, ISO_8859_15, MACINTOSH, WINDOWS_1252};

/// A character of a text with one byte each, and those beside it.
struct Place {
    before: char,
    here: char,
    after: char,
}

/// The encoding that a text more likely has than the one that was guessed. `guess_of` guesses that of other bytes.
pub fn likelier(
    bytes: &[u8],
    guess: &'static Encoding,
    guess_of: &dyn Fn(&[u8]) -> &'static Encoding,
) -> &'static Encoding {
    if !guess.is_single_byte() {
        return if is_of_words(bytes, guess) { guess } else { single_byte(bytes, WINDOWS_1252) };
    }
    let ligatures = Ligatures::of(bytes);
    let found = if ligatures.places.is_empty() {
        guess
    } else {
        // Detectors take the ligature for rarer letters of other languages: what is left decides.
        let mut others = bytes.to_vec();
        ligatures.places.iter().for_each(|place| others[*place] = b'o');
        if others.is_ascii() { WINDOWS_1252 } else { guess_of(&others) }
    };
    let found = single_byte(bytes, found);
    if found == WINDOWS_1252 && ligatures.are_latin9 { ISO_8859_15 } else { found }
}

fn single_byte(bytes: &[u8], guess: &'static Encoding) -> &'static Encoding {
    if !guess.is_single_byte() {
        return guess;
    }
    let read = Table::of(guess);
    let odd = odd_places(bytes, &read);
    if odd > 0 && odd_places(bytes, &Table::of(MACINTOSH)) * 4 < odd {
        return MACINTOSH;
    }
    let western = odd_places(bytes, &Table::of(WINDOWS_1252));
    // ISO-8859-4 is of languages that have long been written in others, and is guessed of a table with one word of French.
    let is_unlikely = (odd > 0 && western * 4 < odd) || (guess == ISO_8859_4 && western == 0);
    if is_unlikely || is_western_too(bytes, &read) { WINDOWS_1252 } else { guess }
}

/// Whether a text in an encoding of East Asia has words of it: a letter of a western text is one such character that stands alone.
fn is_of_words(bytes: &[u8], encoding: &'static Encoding) -> bool {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let runs = text.split(|c: char| c.is_ascii()).filter(|run| !run.is_empty());
    let (words, alone): (Vec<&str>, Vec<&str>) = runs.partition(|run| run.chars().nth(1).is_some());
    !words.is_empty() && words.len() * 2 >= alone.len()
}

/// The ligature of o and e, which in the words that have it stands before u or i, as in "cœur" and "œil". In windows-1250 its bytes
/// are letters that Polish never writes before a vowel.
struct Ligatures {
    places: Vec<usize>,
    /// Whether they are those of ISO-8859-15.
    are_latin9: bool,
}

impl Ligatures {
    fn of(bytes: &[u8]) -> Self {
        let lower = |n: usize| bytes.get(n).map_or(b' ', u8::to_ascii_lowercase);
        let find = |is_it: &dyn Fn(usize, u8) -> bool| -> Vec<usize> {
            bytes.iter().enumerate().filter(|(n, byte)| is_it(*n, **byte)).map(|(n, _)| n).collect()
        };
        let places = find(&|n, byte| matches!(byte, 0x8c | 0x9c) && matches!(lower(n + 1), b'u' | b'i'));
        if !places.is_empty() {
            return Self { places, are_latin9: false };
        }
        // In other encodings a half, a quarter, and the first letter of Slovak words, which never begin like these.
        let latin9 = find(&|n, byte| {
            let next = [lower(n + 1), lower(n + 2)];
            let is_after_digit = n.checked_sub(1).is_some_and(|n| lower(n).is_ascii_digit());
            match byte {
                0xbc => matches!(&next, b"uv" | b"uf" | b"il"),
                0xbd => !is_after_digit && matches!(next[0], b'u' | b'i'),
                _ => false,
            }
        });
        Self { are_latin9: !latin9.is_empty(), places: latin9 }
    }
}

/// What each byte of an encoding with one byte a character stands for.
struct Table([char; 256]);

impl Table {
    fn of(encoding: &'static Encoding) -> Self {
        let mut table = ['\0'; 256];
        for (byte, place) in (0..=u8::MAX).zip(&mut table) {
            let bytes = [byte];
            let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes);
            // What means nothing is a control, as browsers have it.
            *place = text.and_then(|text| text.chars().next()).unwrap_or('\u{80}');
        }
        Self(table)
    }

    fn get(&self, byte: u8) -> char {
        self.0[usize::from(byte)]
    }

    /// The characters outside ASCII.
    fn places<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (u8, Place)> + 'a {
        let at = |n: Option<usize>| n.and_then(|n| bytes.get(n)).map_or(' ', |byte| self.get(*byte));
        let others = bytes.iter().enumerate().filter(|(_, byte)| !byte.is_ascii());
        others.map(move |(n, byte)| {
            let place = Place { before: at(n.checked_sub(1)), here: self.get(*byte), after: at(Some(n + 1)) };
            (*byte, place)
        })
    }
}

/// How many characters stand where nobody writes them.
fn odd_places(bytes: &[u8], table: &Table) -> usize {
    table.places(bytes).filter(|(_, place)| place.is_odd()).count()
}

/// Whether every character is one of Windows-1252 as well, as the same letter or as a sign that touches no letter: "\u{a3} 5" is
/// pounds there, and in windows-1250 an \u{141} that stands alone, which is no word of any language.
fn is_western_too(bytes: &[u8], table: &Table) -> bool {
    let western = Table::of(WINDOWS_1252);
    table.places(bytes).all(|(byte, place)| {
        let other = western.get(byte);
        let touches_letter = place.before.is_alphabetic() || place.after.is_alphabetic();
        other == place.here || !(other.is_alphabetic() || other.is_control() || touches_letter)
    })
}

impl Place {
    fn is_odd(&self) -> bool {
        let is_latin = |c: char| c.is_alphabetic() && (c < '\u{250}' || matches!(c, '\u{1e00}'..='\u{1eff}'));
        let (before, here, after) = (self.before, self.here, self.after);
        let touches = before.is_alphabetic() || after.is_alphabetic();
        match here {
            '\u{80}'..='\u{9f}' => true,
            // Not of any alphabet, and not written beside one.
            '\u{192}' | '\u{2c6}' | '\u{2dc}' => touches,
            '\u{2020}' | '\u{2021}' | '\u{2030}' => before.is_alphabetic(),
            // Apostrophes and dashes join words.
            '\u{2018}' | '\u{2019}' | '\u{2013}' | '\u{2014}' | '\u{b7}' | '\u{ad}' => false,
            // A capital within a word, and letters of two scripts in one.
            c if c.is_alphabetic() => {
                let is_capital = c.is_uppercase() && before.is_alphabetic();
                (is_capital && (before.is_lowercase() || after.is_lowercase()))
                    || (!is_latin(c) && (before.is_ascii_alphabetic() || after.is_ascii_alphabetic()))
            }
            // A sign between two letters.
            _ => before.is_alphabetic() && after.is_alphabetic(),
        }
    }
}
