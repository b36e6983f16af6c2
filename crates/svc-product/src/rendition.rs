//! A merchant's picture, read and written anew: only its pixels go on, in several widths and two formats.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use kernel::{Error, Result};

use crate::domain::Format;

/// The largest file.
const FILE_BYTES_MAX: usize = 10 << 20;
/// The longest side, in pixels: the most that WebP holds.
const SIDE_MAX: u32 = 16_383;
/// The most pixels: a camera's 50 million.
const PIXELS_MAX: u64 = 50_000_000;
/// Memory that reading one may take: those pixels at four bytes and a little. One of sixteen bits a colour may have half of them.
const MEMORY_MAX: u64 = 256 << 20;
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
    let mut picture = read(file)?;
    let (width, height) = (picture.width(), picture.height());
    let height_at = |narrow: u32| {
        let low = u64::from(height) * u64::from(narrow) / u64::from(width);
        u32::try_from(low).unwrap_or(SIDE_MAX).max(1)
    };
    if width > 2 * WIDEST {
        // A mean of pixels: the filter below would hold all of them as floating point numbers.
        picture = picture.thumbnail_exact(2 * WIDEST, height_at(2 * WIDEST));
    }
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

fn read(file: &[u8]) -> Result<DynamicImage> {
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(Error::internal)?;
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) {
        return Err(Error::field("/data", "PICTURE_UNREADABLE", "must be a JPEG, PNG or WebP file"));
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(too_large(format!("must have at most {PIXELS_MAX} pixels; it has {width} × {height}")));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    picture.apply_orientation(orientation);
    Ok(if picture.color().has_alpha() { picture.into_rgba8().into() } else { picture.into_rgb8().into() })
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
