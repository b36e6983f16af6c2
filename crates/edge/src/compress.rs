//! Compressed answers: which encoding a client takes (RFC 9110, section 12.5.3), and the bytes in it.

use std::cell::RefCell;
use std::io::Write;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use zstd::bulk::Compressor;

/// What is smaller travels as it is: a packet is a packet.
const BYTES_MIN: usize = 512;

/// Whether an answer is compressed already, as photographs are.
pub(crate) fn is_dense(answer: &HeaderMap) -> bool {
    let content_type = answer.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    content_type.starts_with(b"image/") && !content_type.starts_with(b"image/svg")
}

/// An encoding of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// None.
    Identity,
    /// gzip (RFC 1952).
    Gzip,
    /// Brotli (RFC 7932).
    Brotli,
    /// Zstandard (RFC 8878).
    Zstd,
}

/// For bytes that are compressed once and sent often: smallest first.
pub const SMALLEST: [Encoding; 3] = [Encoding::Brotli, Encoding::Zstd, Encoding::Gzip];
/// For bytes that are compressed for one request: fastest first.
pub const FASTEST: [Encoding; 3] = [Encoding::Zstd, Encoding::Gzip, Encoding::Brotli];

thread_local! {
    /// For bytes that are compressed for one request. Making one costs more than compressing a small page with it.
    static FAST: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

impl Encoding {
    /// Its place among the variants of a kept answer.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name in `Content-Encoding`; `None` for identity.
    #[must_use]
    pub fn name(self) -> Option<HeaderValue> {
        let name = match self {
            Self::Identity => return None,
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        };
        Some(HeaderValue::from_static(name))
    }

    /// The first of `preferred` that the client takes, for an answer with these fields and so many bytes.
    #[must_use]
    pub fn choose(asked: &HeaderMap, answer: &HeaderMap, preferred: &[Self], bytes: usize) -> Self {
        if is_dense(answer) { Self::Identity } else { Self::choose_for(asked, preferred, bytes) }
    }

    /// The first of `preferred` that the client takes, for an answer of so many bytes that compressing makes smaller.
    pub(crate) fn choose_for(asked: &HeaderMap, preferred: &[Self], bytes: usize) -> Self {
        if bytes < BYTES_MIN {
            return Self::Identity;
        }
        let Some(accepted) = asked.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()) else {
            return Self::Identity;
        };
        let takes = |name: &str| {
            accepted.split(',').any(|item| {
                let (coding, quality) = item.split_once(';').unwrap_or((item, ""));
                let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32));
                coding.trim().eq_ignore_ascii_case(name) && !refused
            })
        };
        let name = |encoding: &&Self| match encoding {
            Self::Identity => false,
            Self::Gzip => takes("gzip"),
            Self::Brotli => takes("br"),
            Self::Zstd => takes("zstd"),
        };
        preferred.iter().find(name).copied().unwrap_or(Self::Identity)
    }

    /// The bytes in this encoding: `thorough` for those that are kept. As they are when compressing fails, which needs
    /// memory only.
    #[must_use]
    pub fn encode(self, bytes: &[u8], thorough: bool) -> Option<Bytes> {
        match self {
            Self::Identity => None,
            Self::Gzip => {
                let level = flate2::Compression::new(if thorough { 7 } else { 1 });
                let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(bytes.len() / 3), level);
                encoder.write_all(bytes).ok()?;
                encoder.finish().ok().map(exact)
            }
            Self::Brotli => {
                let quality = if thorough { 6 } else { 1 };
                let params = brotli::enc::BrotliEncoderParams { quality, lgwin: 19, ..Default::default() };
                let mut out = Vec::with_capacity(bytes.len() / 3);
                brotli::BrotliCompress(&mut &*bytes, &mut out, &params).ok()?;
                Some(exact(out))
            }
            Self::Zstd if thorough => zstd::bulk::compress(bytes, 9).ok().map(exact),
            Self::Zstd => FAST.with_borrow_mut(|fast| {
                let fast = match fast {
                    Some(fast) => fast,
                    None => fast.insert(Compressor::new(1).ok()?),
                };
                fast.compress(bytes).ok().map(Bytes::from)
            }),
        }
    }
}

/// Bytes that take no more memory than they have: what is cached is counted by its length.
pub(crate) fn exact(bytes: Vec<u8>) -> Bytes {
    Bytes::from(bytes.into_boxed_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(accepted: &'static str) -> Encoding {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
        Encoding::choose(&headers, &HeaderMap::new(), &SMALLEST, 10_000)
    }

    #[test]
    fn the_best_that_is_taken() {
        assert_eq!(choose("gzip, deflate, br, zstd"), Encoding::Brotli);
        assert_eq!(choose("gzip;q=1.0, BR;q=0"), Encoding::Gzip);
        assert_eq!(choose("identity"), Encoding::Identity);
        assert_eq!(choose(""), Encoding::Identity);
        let none = HeaderMap::new();
        assert_eq!(Encoding::choose(&none, &none, &SMALLEST, 10_000), Encoding::Identity);
        let asked = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("br"))]);
        for (content_type, encoding) in [
            ("image/webp", Encoding::Identity),
            ("image/svg+xml", Encoding::Brotli),
            ("text/css", Encoding::Brotli),
        ] {
            let answer = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            assert_eq!(Encoding::choose(&asked, &answer, &SMALLEST, 10_000), encoding, "{content_type}");
        }
    }

    #[test]
    fn what_is_compressed_comes_back() {
        let text = "A calm market hall. ".repeat(200);
        for thorough in [true, false] {
            let of = |encoding: Encoding| encoding.encode(text.as_bytes(), thorough).expect("memory");
            let mut back = Vec::new();
            brotli::BrotliDecompress(&mut &*of(Encoding::Brotli), &mut back).expect("brotli");
            assert_eq!(back, text.as_bytes());
            assert_eq!(zstd::bulk::decompress(&of(Encoding::Zstd), 1 << 20).expect("zstd"), text.as_bytes());
            let mut back = String::new();
            let gzip = of(Encoding::Gzip);
            std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*gzip), &mut back)
                .expect("gzip");
            assert_eq!(back, text);
        }
    }
}
