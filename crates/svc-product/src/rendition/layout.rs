//! What a picture's file says of itself, read without decoding it: whether it is whole, what it would take to decode, and how
//! its colours are meant.

use std::io::Read as _;

use flate2::read::DeflateDecoder;
use image::ImageFormat;
use kernel::{Error, Result};

/// Bytes of a colour profile, unpacked: those of printing presses have two million. A PNG packs its own, and what it unpacks to is
/// held twice: 300 KB may be 300 MB.
const PROFILE_BYTES_MAX: u64 = 4 << 20;

/// How a picture's file is built.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Bytes that its decoder holds for each pixel besides the picture itself.
    pub scratch: f64,
    /// Whether it is a JPEG of four inks.
    pub is_cmyk: bool,
    /// How a PNG says that its colours are meant, where it has no profile.
    pub colour: Option<PngColour>,
    /// Bytes of the colour profile that a PNG has, unpacked; those beyond the limit are not counted.
    profile_bytes: u64,
}

/// How the colours of a PNG are meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PngColour {
    /// As sRGB.
    Srgb,
    /// By code points of H.273: primaries and transfer.
    Cicp {
        /// Primaries.
        primaries: u8,
        /// Transfer characteristics.
        transfer: u8,
    },
    /// By an exponent, and by the places of white, red, green and blue in the chromaticity diagram, where they are given.
    Gamma {
        /// Of the encoding: 0.45455 is usual.
        gamma: Option<f64>,
        /// x and y.
        places: Option<[[f64; 2]; 4]>,
    },
}

/// Reads how a file is built.
///
/// # Errors
/// `PICTURE_UNREADABLE` when it is cut short, `PICTURE_TOO_LARGE` when its colour profile is.
pub fn layout(file: &[u8], format: ImageFormat) -> Result<Layout> {
    let layout = match format {
        ImageFormat::Jpeg => jpeg(file),
        ImageFormat::Png => png(file),
        _ => webp(file),
    };
    let cut = || Error::field("/data", "PICTURE_UNREADABLE", "is cut short: it has no end");
    let layout = layout.ok_or_else(cut)?;
    if layout.profile_bytes > PROFILE_BYTES_MAX {
        let what = format!("must have a colour profile of at most {PROFILE_BYTES_MAX} bytes");
        return Err(Error::field("/data", "PICTURE_TOO_LARGE", what));
    }
    Ok(layout)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Walks the segments of a JPEG to its end marker; `None` when it has none.
fn jpeg(file: &[u8]) -> Option<Layout> {
    let mut layout = Layout::default();
    let mut at = 2;
    // Samples for each pixel over all components, and whether these come in scans of their own.
    let (mut samples, mut components, mut is_progressive, mut is_scanned) = (0.0, 0, false, false);
    loop {
        // Any number of 0xff may stand before a marker, and other bytes are passed over as decoders do.
        at += file.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        at += file[at..].iter().position(|byte| *byte != 0xff)?;
        let marker = file[at];
        at += 1;
        match marker {
            // The end, once there was a picture.
            0xd9 if is_scanned => return Some(layout),
            0x00 | 0x01 | 0xd0..=0xd9 => continue,
            _ => {}
        }
        let length = u16_at(file, at)?;
        let segment = file.get(at + 2..at + length.max(2))?;
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                is_progressive = matches!(marker, 0xc2 | 0xc6 | 0xca | 0xce);
                components = usize::from(*segment.get(5)?);
                samples = samples_a_pixel(segment.get(6..)?);
                layout.is_cmyk = components == 4;
            }
            0xda => {
                is_scanned = true;
                let of_scan = usize::from(*segment.first()?);
                if is_progressive || of_scan < components {
                    // Coefficients of the whole picture are held at 16 bits.
                    layout.scratch = 2.0 * samples;
                }
            }
            _ => {}
        }
        at += length.max(2);
    }
}

/// Samples for each pixel, from the sampling factors of the components.
fn samples_a_pixel(components: &[u8]) -> f64 {
    let factors = components.chunks_exact(3).map(|part| (f64::from(part[1] >> 4), f64::from(part[1] & 15)));
    let factors: Vec<(f64, f64)> = factors.collect();
    let (across, down) =
        factors.iter().fold((1.0_f64, 1.0_f64), |(h, v), part| (h.max(part.0), v.max(part.1)));
    factors.iter().map(|(h, v)| h * v / (across * down)).sum()
}

/// Walks the chunks of a PNG to its end; `None` when it has none.
fn png(file: &[u8]) -> Option<Layout> {
    let mut layout = Layout::default();
    let (mut gamma, mut places, mut sure, mut profile) = (None, None, None, None);
    let mut pixels = 1.0;
    let mut at = 8;
    loop {
        let length = usize::try_from(u32_at(file, at)?).ok()?;
        let kind = file.get(at + 4..at + 8)?;
        let data = file.get(at + 8..(at + 8).checked_add(length)?)?;
        if kind == b"IHDR" {
            pixels = (u32_at(data, 0)? as f64 * u32_at(data, 4)? as f64).max(1.0);
        }
        match kind {
            b"IHDR" if data.get(8) == Some(&16) => {
                // It is turned into 8 bits a colour beside itself: half of two, three or four channels of 16.
                layout.scratch = match data.get(9) {
                    Some(0) => 3.0,
                    Some(2) => 3.0,
                    _ => 4.0,
                };
            }
            b"IHDR" if matches!(data.get(9), Some(0 | 4)) => layout.scratch = 4.0,
            b"cICP" if data.len() >= 2 => {
                sure = Some(PngColour::Cicp { primaries: data[0], transfer: data[1] });
            }
            b"sRGB" => sure = sure.or(Some(PngColour::Srgb)),
            b"gAMA" => {
                gamma = u32_at(data, 0).filter(|gamma| *gamma > 0).map(|gamma| f64::from(gamma) / 100_000.0)
            }
            b"cHRM" if data.len() >= 32 => {
                let number = |n: usize| u32_at(data, n * 4).map(|part| f64::from(part) / 100_000.0);
                let place = |n: usize| Some([number(n * 2)?, number(n * 2 + 1)?]);
                places = Some([place(0)?, place(1)?, place(2)?, place(3)?]);
            }
            // Decoders unpack the first one alone.
            b"iCCP" => profile = profile.or_else(|| Some(unpacked_bytes(data))),
            b"IEND" => break,
            _ => {}
        }
        at = (at + 12).checked_add(length)?;
    }
    layout.profile_bytes = profile.unwrap_or(0);
    // Unpacked, and as its reader takes it.
    layout.scratch += 2.0 * layout.profile_bytes as f64 / pixels;
    let is_said = gamma.is_some() || places.is_some();
    layout.colour = sure.or(is_said.then_some(PngColour::Gamma { gamma, places }));
    Some(layout)
}

/// Bytes that the profile of an iCCP chunk unpacks to: as far as the limit, and one more where it has more.
fn unpacked_bytes(chunk: &[u8]) -> u64 {
    // A name, which ends with zero, the method, and the header of zlib: two bytes, which do not matter here.
    let name = chunk.iter().position(|byte| *byte == 0).unwrap_or(chunk.len());
    let packed = chunk.get(name + 4..).unwrap_or_default();
    let mut unpacked = DeflateDecoder::new(packed).take(PROFILE_BYTES_MAX + 1);
    let (mut bytes, mut part) = (0, [0; 1 << 14]);
    // A fault ends it: what was unpacked before it is held by then.
    while let Ok(read @ 1..) = unpacked.read(&mut part) {
        bytes += read as u64;
    }
    bytes
}

/// A WebP says how long it is.
fn webp(file: &[u8]) -> Option<Layout> {
    let said = u32::from_le_bytes(file.get(4..8)?.try_into().ok()?);
    if (file.len() as u64) < u64::from(said) + 8 {
        return None;
    }
    // What its decoder holds: planes of colour for a lossy one; four bytes a pixel for one without loss; for one with
    // transparency or with frames a canvas and a frame.
    let scratch = match file.get(12..16)? {
        b"VP8 " => 1.5,
        b"VP8L" => 4.0,
        _ if file.get(20).is_some_and(|flags| flags & 0b0001_0010 != 0) => 8.0,
        _ => 4.0,
    };
    Some(Layout { scratch, ..Layout::default() })
}
