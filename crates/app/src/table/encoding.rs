//! Finds the encoding of a text and makes UTF-8 of it, in a stream.
//!
//! A byte order mark decides. Without one, NUL in every second byte is UTF-16. Letters of ASCII are the same in all the
//! others, so these are decided at the first byte outside it: when what follows is UTF-8, or half of it is, the text is UTF-8 and
//! what is not is left for its reader to refuse by position; else `chardetng`, which browsers use, says which one it is, but for some
//! that it does not know enough of (`likelier`).

mod letters;

use std::io::{self, BufRead, Read};
use std::sync::{Arc, OnceLock};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE};
use letters::likelier;

/// How much of a text is looked at to find its encoding, from the first byte that is not ASCII.
const WINDOW_BYTES: usize = 1 << 16;
/// Stands where a byte means nothing in the text's encoding, before two that carry the halves of that byte. UTF-8 never has
/// it, and the halves are never a separator, a quotation mark or the end of a line.
const INVALID: u8 = 0xff;
/// Bytes at the end of what was decoded that are remembered: a letter that is cut may begin in them.
const TAIL_BYTES: usize = 8;
const CHUNK: usize = 1 << 14;
/// Words of a file that are quoted where its encoding was guessed.
const SAMPLE_WORDS: usize = 3;

/// An encoding of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// Its name in the Encoding Standard.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Whether it is UTF-8.
    #[must_use]
    pub fn is_utf8(self) -> bool {
        self.0 == UTF_8
    }
}

impl std::str::FromStr for Encoding {
    type Err = String;

    fn from_str(label: &str) -> Result<Self, String> {
        encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()).map(Self).ok_or_else(|| {
            format!(
                "{label:?} is not a known encoding; give one such as utf-8, utf-16le, windows-1252, shift_jis"
            )
        })
    }
}

/// The encoding that a stream turned out to have; known once a byte outside ASCII, or a mark, was seen.
pub type Found = Arc<Detection>;

/// What was detected in a stream.
#[derive(Debug, Default)]
pub struct Detection {
    encoding: OnceLock<Encoding>,
    sample: OnceLock<String>,
}

impl Detection {
    /// The encoding, once it is known.
    #[must_use]
    pub fn get(&self) -> Option<&Encoding> {
        self.encoding.get()
    }

    /// The first words with characters outside ASCII as they were decoded, by which a wrong guess can be seen; empty where nothing
    /// was guessed.
    #[must_use]
    pub fn sample(&self) -> &str {
        self.sample.get().map_or("", String::as_str)
    }

    fn set(&self, encoding: Encoding) {
        let _ = self.encoding.set(encoding);
    }
}

/// A stream of UTF-8 from a stream of another encoding. Where a byte means nothing it has bytes that are not UTF-8, which
/// [`explain`] understands.
pub struct Utf8<R> {
    input: R,
    found: Found,
    decoder: Option<Decoder>,
    /// Bytes of the input that were read ahead.
    ahead: Vec<u8>,
    /// The last bytes that were decoded.
    tail: Vec<u8>,
    /// Bytes for the reader.
    ready: Vec<u8>,
    at: usize,
    is_begun: bool,
    is_over: bool,
}

impl<R: Read> Utf8<R> {
    /// Reads text whose encoding is to be found, unless it is known.
    pub fn new(input: R, known: Option<Encoding>) -> Self {
        let found = Found::default();
        let decoder = known.map(|encoding| {
            found.set(encoding);
            encoding.0.new_decoder_with_bom_removal()
        });
        Self {
            input,
            found,
            decoder: decoder.filter(|decoder| decoder.encoding() != UTF_8),
            ahead: Vec::new(),
            tail: Vec::new(),
            ready: Vec::new(),
            at: 0,
            is_begun: false,
            is_over: false,
        }
    }

    /// Where the encoding will stand.
    #[must_use]
    pub fn found(&self) -> Found {
        Arc::clone(&self.found)
    }

    /// The bytes below.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// Reads ahead until so many bytes are there, or all.
    fn read_ahead(&mut self, bytes: usize) -> io::Result<()> {
        while self.ahead.len() < bytes && !self.is_over {
            let before = self.ahead.len();
            self.ahead.resize(before + CHUNK, 0);
            let read = loop {
                match self.input.read(&mut self.ahead[before..]) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => break other,
                }
            };
            self.ahead.truncate(before + *read.as_ref().unwrap_or(&0));
            self.is_over = read? == 0;
        }
        Ok(())
    }

    /// Looks for a mark, or for the zeros of UTF-16.
    fn begin(&mut self) -> io::Result<()> {
        self.is_begun = true;
        self.read_ahead(512)?;
        let head = self.ahead.as_slice();
        if head.starts_with(&[0xff, 0xfe, 0, 0]) || head.starts_with(&[0, 0, 0xfe, 0xff]) {
            let what = "it is UTF-32, which is not read; save it as UTF-8";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let encoding = match encoding_rs::Encoding::for_bom(head) {
            Some((encoding, _)) => Some(encoding),
            None => utf16(head),
        };
        let Some(encoding) = encoding.filter(|_| self.found.get().is_none()) else {
            // A mark of UTF-8 in text that is said to be UTF-8.
            if self.decoder.is_none() && head.starts_with(b"\xef\xbb\xbf") {
                self.ahead.drain(..3);
            }
            return Ok(());
        };
        self.found.set(Encoding(encoding));
        if encoding == UTF_8 {
            self.ahead.drain(..3);
        } else {
            self.decoder = Some(encoding.new_decoder_with_bom_removal());
        }
        Ok(())
    }

    /// Decides at the first byte outside ASCII.
    fn decide(&mut self, first: usize) -> io::Result<()> {
        self.read_ahead(first + WINDOW_BYTES)?;
        let window = &self.ahead[first..];
        let encoding = if is_utf8(window, self.is_over) { UTF_8 } else { detect(window, self.is_over) };
        self.found.set(Encoding(encoding));
        if encoding != UTF_8 {
            // A word may begin with letters of ASCII.
            let begin = self.ahead[..first].iter().rposition(|byte| !byte.is_ascii_alphanumeric());
            let _ = self.found.sample.set(sample(&self.ahead[begin.map_or(0, |at| at + 1)..], encoding));
        }
        self.decoder = Some(encoding)
            .filter(|encoding| *encoding != UTF_8)
            .map(|it| it.new_decoder_without_bom_handling());
        Ok(())
    }

    fn decode(&mut self) {
        let Some(decoder) = &mut self.decoder else {
            self.ready = std::mem::take(&mut self.ahead);
            return;
        };
        let mut rest = self.ahead.as_slice();
        loop {
            let room = decoder.max_utf8_buffer_length_without_replacement(rest.len()).unwrap_or(4 * CHUNK);
            let before = self.ready.len();
            self.ready.resize(before + room, 0);
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(rest, &mut self.ready[before..], self.is_over);
            self.ready.truncate(before + written);
            rest = &rest[read..];
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::Malformed(length, after) => {
                    let read = self.ahead.len() - rest.len();
                    let back = usize::from(length) + usize::from(after);
                    let before = self.tail.len().checked_sub(back.saturating_sub(read));
                    let byte = match read.checked_sub(back) {
                        Some(at) => self.ahead.get(at),
                        None => before.and_then(|at| self.tail.get(at)),
                    };
                    let byte = byte.copied().unwrap_or_default();
                    self.ready.extend([INVALID, 0x80 | byte >> 4, 0x80 | byte & 0x0f]);
                }
                DecoderResult::OutputFull => {}
            }
        }
        let new = self.ahead.len().saturating_sub(TAIL_BYTES);
        self.tail.extend_from_slice(&self.ahead[new..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL_BYTES));
        self.ahead.clear();
    }
}

/// What is wrong with bytes of [`Utf8`] that are not UTF-8 from a place on, in terms of the file that they come from: a clause.
#[must_use]
pub fn explain(bytes: &[u8], at: usize, found: Option<Encoding>) -> String {
    let (good, bad) = bytes.split_at(at.min(bytes.len()));
    let encoding = found.unwrap_or(Encoding(UTF_8));
    let byte = match bad {
        [INVALID, high, low, ..] if !encoding.is_utf8() => (high & 0x0f) << 4 | low & 0x0f,
        [byte, ..] => *byte,
        [] => 0,
    };
    let before = bytes_of(std::str::from_utf8(good).unwrap_or_default(), found);
    let hint =
        if encoding.is_utf8() { "; give --encoding NAME where the file has another encoding" } else { "" };
    format!("is not {}: byte {} is 0x{byte:02x}{hint}", encoding.name(), before + 1)
}

/// How many bytes a text has in the encoding that it was read from.
#[must_use]
pub fn bytes_of(text: &str, found: Option<Encoding>) -> usize {
    match found {
        Some(Encoding(encoding)) if encoding == UTF_16LE || encoding == UTF_16BE => {
            2 * text.encode_utf16().count()
        }
        Some(Encoding(encoding)) => encoding.encode(text).0.len(),
        None => text.len(),
    }
}

/// UTF-16 without a mark: of the bytes in one half of the places a fifth is zero (separators and line ends are ASCII in every
/// script), of those in the other half next to none.
fn utf16(head: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let pairs = head.len() / 2;
    if pairs < 2 {
        return None;
    }
    let zeros = |odd: usize| head.chunks_exact(2).filter(|pair| pair[odd] == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if odd * 5 >= pairs && even * 20 <= odd {
        Some(UTF_16LE)
    } else if even * 5 >= pairs && odd * 20 <= even {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Whether bytes are UTF-8 but for few of them: letters of other encodings are UTF-8 by chance only, so as many that are as
/// that are not tell it.
fn is_utf8(window: &[u8], is_whole: bool) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    let mut rest = window;
    loop {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                good += text.chars().filter(|c| !c.is_ascii()).count();
                break;
            }
            Err(error) => {
                let (valid, after) = rest.split_at(error.valid_up_to());
                // Valid up to here, as the standard library has just said.
                good += std::str::from_utf8(valid)
                    .map_or(0, |text| text.chars().filter(|c| !c.is_ascii()).count());
                match error.error_len() {
                    Some(length) => rest = &after[length..],
                    // Cut by the end of the window, or by that of the file.
                    None if is_whole => {
                        bad += 1;
                        break;
                    }
                    None => break,
                }
                bad += 1;
            }
        }
    }
    good > 0 && good >= bad
}

fn detect(window: &[u8], is_whole: bool) -> &'static encoding_rs::Encoding {
    let guess_of = |bytes: &[u8]| {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(bytes, is_whole);
        detector.guess(None, Utf8Detection::Deny)
    };
    likelier(window, guess_of(window), &guess_of)
}

/// The first words of bytes that have letters outside ASCII; where there are none, those with other signs.
fn sample(bytes: &[u8], encoding: &'static encoding_rs::Encoding) -> String {
    let (text, _) = encoding.decode_without_bom_handling(&bytes[..bytes.len().min(CHUNK)]);
    let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '"');
    let others = || text.split(is_end).filter(|word| !word.is_ascii());
    let has_letters = |word: &&str| word.chars().any(|c| !c.is_ascii() && c.is_alphabetic());
    let mut words: Vec<&str> = Vec::new();
    for word in others().filter(has_letters).chain(others()) {
        if words.len() < SAMPLE_WORDS && !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" ")
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let read = ready.len().min(buffer.len());
        buffer[..read].copy_from_slice(&ready[..read]);
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Utf8<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.ready.len() {
            self.ready.clear();
            self.at = 0;
            if !self.is_begun {
                self.begin()?;
            }
            self.read_ahead(1)?;
            if self.found.get().is_none()
                && let Some(first) = self.ahead.iter().position(|byte| !byte.is_ascii())
            {
                self.decide(first)?;
            }
            let was_over = self.is_over;
            self.decode();
            if was_over {
                // A decoder may be asked for its end once.
                self.decoder = None;
                break;
            }
        }
        Ok(&self.ready[self.at..])
    }

    fn consume(&mut self, bytes: usize) {
        self.at += bytes;
    }
}
