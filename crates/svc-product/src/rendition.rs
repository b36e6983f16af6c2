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
use crate::domain::limits::PICTURE_BYTES_MAX;

/// The longest side, in pixels: the most that WebP holds.
const SIDE_MAX: u32 = 16_383;
/// The most pixels: a camera's 50 million.
const PIXELS_MAX: u64 = 50_000_000;
/// Memory that reading one may take, what its decoder holds included. It is worked out before anything is decoded: a file of
/// 400 KB can say that it is 400 MB. All of the pixels above fit at four bytes, in a progressive JPEG of usual sampling too;
/// of sixteen bits a colour with transparency, 27 million do. One picture is read at a time.
const MEMORY_MAX: u64 = 320 << 20;
/// The most pixels that go on from a file, unless its widest rendition has more: what comes after reading holds them twice.
const NARROWED_PIXELS_MAX: u64 = 12_000_000;
/// Bytes of floating point numbers that a filter may hold; where it would hold more, means of pixels must do.
const FILTER_BYTES_MAX: u64 = 192 << 20;
/// Bytes for each pixel that a filter holds: four colours of four bytes.
const FILTER_PIXEL_BYTES: u64 = 16;
/// Bytes for each pixel while it is converted to sRGB beside itself: 16 bits a colour with transparency, and 8 bits.
const CONVERTED_PIXEL_BYTES: u64 = 12;
/// Bytes for each pixel while it is written: with transparency, a copy of it, and the same on white.
const WRITTEN_PIXEL_BYTES: u64 = 11;
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
        return Err(Error::field("/data", "INVALID_ARGUMENT", "is empty"));
    }
    if file.len() > PICTURE_BYTES_MAX {
        return Err(too_large(format!("must have at most {PICTURE_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// Reads a file and makes its renditions. A large one takes about a second of a processor.
///
/// # Errors
/// `PICTURE_UNREADABLE`, `PICTURE_TOO_LARGE`.
pub fn render(file: &[u8]) -> Result<Rendered> {
    let Read { mut picture, width, height } = read(file)?;
    let mut renditions = Vec::new();
    for narrow in widths(width).into_iter().rev() {
        if narrow < picture.width() {
            // From the one above it, which is a good deal smaller than the file.
            let low = height_at((width, height), narrow);
            picture = if filter_bytes(picture.width(), low) > FILTER_BYTES_MAX {
                picture.thumbnail_exact(narrow, low)
            } else {
                picture.resize_exact(narrow, low, FilterType::CatmullRom)
            };
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

/// The height of a picture at another width.
fn height_at((width, height): (u32, u32), narrow: u32) -> u32 {
    let low = u64::from(height) * u64::from(narrow) / u64::from(width.max(1));
    u32::try_from(low).unwrap_or(SIDE_MAX).max(1)
}

/// What a filter holds: the picture at its former width and its new height.
fn filter_bytes(width: u32, low: u32) -> u64 {
    u64::from(width) * u64::from(low) * FILTER_PIXEL_BYTES
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
    let layout = layout::layout(file, format)?;
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (across, down) = decoder.dimensions();
    let bytes = if layout.is_cmyk { 4 * u64::from(across) * u64::from(down) } else { decoder.total_bytes() };
    check_size((across, down), bytes, layout.scratch)?;
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
fn narrower(picture: DynamicImage, is_turned: bool, size: (u32, u32)) -> DynamicImage {
    let (width, height) = narrowed(size);
    if width >= size.0 {
        return picture;
    }
    if is_turned { picture.thumbnail_exact(height, width) } else { picture.thumbnail_exact(width, height) }
}

/// The size that a picture goes on with: no narrower than its widest rendition.
fn narrowed((width, height): (u32, u32)) -> (u32, u32) {
    const NARROWER: u32 = 2 * WIDEST;
    let shape = f64::from(width) / f64::from(height.max(1));
    // Exact enough: below 2^53, and rounded down.
    let fitting = (NARROWED_PIXELS_MAX as f64 * shape).sqrt() as u32;
    let narrow = width.min(NARROWER).min(fitting).max(width.min(WIDEST));
    if narrow >= width { (width, height) } else { (narrow, height_at((width, height), narrow)) }
}

fn area((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// The most memory that rendering takes at any time, in bytes: reading with what the decoder holds, making it narrower, converting
/// it, and making each width from the one above.
fn memory(size: (u32, u32), bytes: u64, scratch: f64) -> u64 {
    let pixels = area(size).max(1);
    // Exact: pixels are below 2^53, and so is their product with a few halves.
    let mut most = bytes.saturating_add((pixels as f64 * scratch) as u64);
    // Which way it is turned is not known yet.
    for seen in [size, (size.1, size.0)] {
        let mut above = narrowed(seen);
        if above != seen {
            most = most.max(bytes.saturating_add(area(above) * bytes.div_ceil(pixels)));
        }
        most = most.max(area(above) * CONVERTED_PIXEL_BYTES);
        for narrow in widths(seen.0).into_iter().rev() {
            let made = (narrow, height_at(seen, narrow));
            if narrow < above.0 {
                let filter = Some(filter_bytes(above.0, made.1)).filter(|bytes| *bytes <= FILTER_BYTES_MAX);
                most = most.max(4 * (area(above) + area(made)) + filter.unwrap_or(0));
                above = made;
            }
            most = most.max(area(above) * WRITTEN_PIXEL_BYTES);
        }
    }
    most
}

/// Refuses what would take too much memory, before anything is decoded.
fn check_size((width, height): (u32, u32), bytes: u64, scratch: f64) -> Result<()> {
    let pixels = area((width, height));
    if pixels > PIXELS_MAX {
        return Err(too_large(format!("must have at most {PIXELS_MAX} pixels; it has {width} × {height}")));
    }
    let memory = memory((width, height), bytes, scratch);
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
    let inks = decoder.decode().ok()?;
    // Such files hold inks inverted.
    colour::inks_to_srgb(inks, size, profile, |line| {
        for pixel in line.chunks_exact_mut(4) {
            if space == ColorSpace::YCCK {
                let [y, cb, cr] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
                // JFIF's conversion; what it gives is the ink.
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
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What pictures hold for each pixel: bytes of their own, and what their decoder adds.
    const KINDS: [(u64, f64); 8] =
        [(1, 4.0), (2, 3.0), (3, 0.0), (3, 3.0), (4, 0.0), (4, 8.0), (6, 3.0), (8, 4.0)];

    #[test]
    fn what_goes_on_from_a_file_is_bounded_and_wide_enough() {
        for (width, height) in [
            (2_880, 16_383),
            (2_881, 16_383),
            (1_440, 16_383),
            (1_439, 16_383),
            (16_383, 2_880),
            (6_000, 8_000),
            (1, 16_383),
        ] {
            let (wide, high) = narrowed((width, height));
            let widest = width.min(WIDEST);
            assert!(wide >= widest && wide <= width && high <= height, "{width} × {height}: {wide} × {high}");
            assert!(area((wide, high)) <= NARROWED_PIXELS_MAX || wide == widest, "{wide} × {high}");
        }
        assert_eq!(narrowed((1_000, 800)), (1_000, 800));
        assert_eq!(narrowed((6_000, 4_000)), (2_880, 1_920), "a photograph keeps twice the widest rendition");
    }

    #[test]
    fn a_filter_counts_as_memory_and_tall_pictures_do_without() {
        // 2,880 × 8,191 floating point pixels beside the picture itself were 518 MB.
        assert!(filter_bytes(2_880, 8_191) > MEMORY_MAX);
        for size in [(2_880, 16_383), (1_440, 16_383), (960, 16_383), (16_383, 2_880), (5_000, 10_000)] {
            for (bytes, scratch) in KINDS {
                let own = area(size) * bytes;
                let reading = own + (area(size) as f64 * scratch) as u64;
                let most = memory(size, own, scratch);
                assert!(most <= MEMORY_MAX.max(reading), "{size:?} at {bytes} bytes takes {most}");
            }
        }
    }

    #[test]
    fn a_tall_picture_is_rendered_in_every_width() {
        let tall = image::GrayImage::from_fn(250, 6_000, |_, y| image::Luma([(y / 24) as u8]));
        let mut file = Cursor::new(Vec::new());
        DynamicImage::from(tall).write_to(&mut file, ImageFormat::Png).expect("a PNG");
        let rendered = render(file.get_ref()).expect("rendered");
        let sizes: Vec<_> = rendered.renditions.iter().map(|made| (made.width, made.height)).collect();
        let expected = [(250, 6_000), (240, 5_760)];
        assert_eq!(sizes, expected.into_iter().flat_map(|size| [size, size]).collect::<Vec<_>>());
    }
}
