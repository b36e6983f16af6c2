//! A merchant's picture, read and written anew: only its pixels go on, in several widths and two formats.

mod colour;
mod layout;

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use kernel::{Error, Result};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::domain::Format;

/// The largest file.
const FILE_BYTES_MAX: usize = 10 << 20;
/// The longest side, in pixels: the most that WebP holds.
const SIDE_MAX: u32 = 16_383;
/// The most pixels: a camera's 50 million.
const PIXELS_MAX: u64 = 50_000_000;
/// Memory that reading one may take, what its decoder holds included. It is worked out before anything is decoded: a file of
/// 400 KB can say that it is 400 MB. All of the pixels above fit at four bytes, in a progressive JPEG of usual sampling too;
/// of sixteen bits a colour with transparency, 27 million do. One picture is read at a time.
const MEMORY_MAX: u64 = 320 << 20;
/// Widths that are made, in pixels: a thumbnail, a card, a page on a phone, a page on a wide screen with fine pixels.
const WIDTHS: [u32; 4] = [240, 480, 960, 1440];
const WIDEST: u32 = WIDTHS[WIDTHS.len() - 1];
/// Quality of both formats, of 100: above it files grow and nobody sees why.
const QUALITY: u8 = 80;

/// The largest file that is made: a quarter of it is more than a picture needs, all of it is noise.
const RENDITION_BYTES_MAX: usize = 2 << 20;

/// A picture in one width and format.
#[derive(Clone, Debug)]
pub struct Rendition {
    /// How it is written.
    pub format: Format,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The file.
    pub data: Vec<u8>,
}

/// A picture that was read.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// In pixels, as it is seen.
    pub width: u32,
    /// In pixels, as it is seen.
    pub height: u32,
    /// Each width in every format, the widest first.
    pub renditions: Vec<Rendition>,
}

/// Whether a file can be a picture at all, before any work is done on it.
///
/// # Errors
/// `INVALID_ARGUMENT`, `PICTURE_TOO_LARGE`.
pub fn check(file: &[u8]) -> Result<()> {
    if file.is_empty() {
        return Err(Error::field("/data", "INVALID_ARGUMENT", "is required"));
    }
    if file.len() > FILE_BYTES_MAX {
        return Err(too_large(format!("must have at most {FILE_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// Reads a file and makes its renditions. A large one takes about a second of a processor.
///
/// # Errors
/// `PICTURE_UNREADABLE`, `PICTURE_TOO_LARGE`.
pub fn render(file: &[u8]) -> Result<Rendered> {
    let Read { mut picture, width, height } = read(file)?;
    let height_at = |narrow: u32| {
        let low = u64::from(height) * u64::from(narrow) / u64::from(width);
        u32::try_from(low).unwrap_or(SIDE_MAX).max(1)
    };
    let mut renditions = Vec::new();
    for narrow in widths(width).into_iter().rev() {
        if narrow < picture.width() {
            // From the one above it, which is a good deal smaller than the file.
            picture = picture.resize_exact(narrow, height_at(narrow), FilterType::CatmullRom);
        }
        for format in [Format::Webp, Format::Jpeg] {
            let data = written(&picture, format)?;
            if data.len() > RENDITION_BYTES_MAX {
                let what = format!("cannot be written in {RENDITION_BYTES_MAX} bytes at a width of {narrow}");
                return Err(too_large(what));
            }
            renditions.push(Rendition { format, width: narrow, height: picture.height(), data });
        }
    }
    Ok(Rendered { width, height, renditions })
}

/// The widths that a picture is made in, the narrowest first.
pub fn widths(width: u32) -> Vec<u32> {
    let widest = width.min(WIDEST);
    WIDTHS.into_iter().filter(|step| *step < widest).chain([widest]).collect()
}

/// A picture as it is seen, in sRGB, perhaps narrower than its file.
struct Read {
    picture: DynamicImage,
    width: u32,
    height: u32,
}

fn read(file: &[u8]) -> Result<Read> {
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(Error::internal)?;
    let format =
        reader.format().filter(|it| matches!(it, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP));
    let Some(format) = format else {
        return Err(Error::field("/data", "PICTURE_UNREADABLE", "must be a JPEG, PNG or WebP file"));
    };
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let layout = layout::layout(file, format)?;
    check_size(decoder.dimensions(), decoder.total_bytes(), layout.scratch)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let icc = decoder.icc_profile().unwrap_or_default();
    let is_grey = !decoder.color_type().has_color();
    let profile = colour::profile(icc, layout.colour, is_grey);
    let inks = profile.as_ref().filter(|_| layout.is_cmyk);
    let picture = match inks.and_then(|profile| inks_to_srgb(file, decoder.dimensions(), profile)) {
        Some(picture) => picture,
        None => DynamicImage::from_decoder(decoder).map_err(unreadable)?,
    };
    let is_turned = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let across = |picture: &DynamicImage| if is_turned { picture.height() } else { picture.width() };
    let (width, height) = (across(&picture), if is_turned { picture.width() } else { picture.height() });
    let picture = narrower(picture, is_turned, (width, height));
    let is_converted = inks.is_some();
    let mut picture = colour::to_srgb(picture, profile.as_ref().filter(|_| !is_converted));
    picture.apply_orientation(orientation);
    Ok(Read { picture, width, height })
}

/// A picture of far more pixels than any rendition, as a mean of them: filters would hold all of them as floating point
/// numbers, and colours and turning would take a copy.
fn narrower(picture: DynamicImage, is_turned: bool, (width, height): (u32, u32)) -> DynamicImage {
    const NARROWER: u32 = 2 * WIDEST;
    if width <= NARROWER {
        return picture;
    }
    let low = u64::from(height) * u64::from(NARROWER) / u64::from(width);
    let low = u32::try_from(low).unwrap_or(SIDE_MAX).max(1);
    if is_turned { picture.thumbnail_exact(low, NARROWER) } else { picture.thumbnail_exact(NARROWER, low) }
}

/// Refuses what would take too much memory, before anything is decoded.
fn check_size((width, height): (u32, u32), bytes: u64, scratch: f64) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels > PIXELS_MAX {
        return Err(too_large(format!("must have at most {PIXELS_MAX} pixels; it has {width} × {height}")));
    }
    // Exact: pixels are below 2^53, and so is their product with a few halves.
    let memory = bytes.saturating_add((pixels as f64 * scratch) as u64);
    if memory > MEMORY_MAX {
        let (memory, most) = (memory >> 20, MEMORY_MAX >> 20);
        let what = format!(
            "must take at most {most} MiB to decode; its {width} × {height} pixels take {memory} MiB"
        );
        return Err(too_large(what));
    }
    Ok(())
}

/// The inks of a JPEG through its profile; `None` where they cannot be had, and the decoder's own colours must do.
fn inks_to_srgb(file: &[u8], size: (u32, u32), profile: &moxcms::ColorProfile) -> Option<DynamicImage> {
    let mut decoder = JpegDecoder::new(ZCursor::new(file));
    decoder.decode_headers().ok()?;
    let space =
        decoder.input_colorspace().filter(|space| matches!(space, ColorSpace::CMYK | ColorSpace::YCCK))?;
    decoder.set_options(DecoderOptions::default().jpeg_set_out_colorspace(space));
    let mut inks = decoder.decode().ok()?;
    for pixel in inks.chunks_exact_mut(4) {
        if space == ColorSpace::YCCK {
            let [y, cb, cr] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
            // JFIF's conversion; what it gives is the ink, since such files hold inks inverted.
            let red = y + 1.402 * (cr - 128.0);
            let green = y - 0.344_136 * (cb - 128.0) - 0.714_136 * (cr - 128.0);
            let blue = y + 1.772 * (cb - 128.0);
            for (ink, value) in pixel.iter_mut().zip([red, green, blue]) {
                *ink = value.round().clamp(0.0, 255.0) as u8;
            }
            pixel[3] = 255 - pixel[3];
        } else {
            pixel.iter_mut().for_each(|ink| *ink = 255 - *ink);
        }
    }
    colour::inks_to_srgb(&inks, size, profile)
}

fn written(picture: &DynamicImage, format: Format) -> Result<Vec<u8>> {
    match format {
        Format::Webp => {
            let encoder = match picture {
                DynamicImage::ImageRgba8(pixels) => {
                    webp::Encoder::from_rgba(pixels, pixels.width(), pixels.height())
                }
                other => webp::Encoder::from_rgb(other.as_bytes(), other.width(), other.height()),
            };
            let data = encoder.encode_simple(false, f32::from(QUALITY));
            Ok(data.map_err(|error| Error::internal(format!("WebP: {error:?}")))?.to_vec())
        }
        Format::Jpeg => {
            let mut data = Vec::new();
            let encoder = JpegEncoder::new_with_quality(&mut data, QUALITY);
            match picture {
                DynamicImage::ImageRgba8(_) => on_white(picture).write_with_encoder(encoder),
                other => other.write_with_encoder(encoder),
            }
            .map_err(Error::internal)?;
            Ok(data)
        }
    }
}

/// What is transparent lets white paper through.
fn on_white(picture: &DynamicImage) -> RgbImage {
    let pixels = picture.to_rgba8();
    RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [red, green, blue, alpha] = pixels.get_pixel(x, y).0;
        let over = |ink: u8| {
            let mixed = u16::from(ink) * u16::from(alpha) + 255 * (255 - u16::from(alpha));
            u8::try_from(mixed / 255).unwrap_or(u8::MAX)
        };
        image::Rgb([over(red), over(green), over(blue)])
    })
}

fn unreadable(error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => {
            too_large(format!("must have at most {SIDE_MAX} pixels a side and {PIXELS_MAX} in all"))
        }
        error => {
            tracing::debug!(%error, "a picture that cannot be read");
            Error::field("/data", "PICTURE_UNREADABLE", "is damaged or cut short")
        }
    }
}

fn too_large(what: String) -> Error {
    Error::field("/data", "PICTURE_TOO_LARGE", what)
}
