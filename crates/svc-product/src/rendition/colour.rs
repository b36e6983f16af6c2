//! Converts a picture to sRGB: what a screen takes it for that is not told otherwise.

use image::{DynamicImage, RgbImage, RgbaImage};
use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout,
    MatrixCoefficients, ToneReprCurve, TransferCharacteristics, TransformOptions,
};

use super::layout::PngColour;

/// The encoding of sRGB as one exponent, and how far another may be from it to mean the same.
const USUAL_GAMMA: f64 = 0.454_55;
const GAMMA_NEAR: f64 = 0.005;
/// The same of places in the chromaticity diagram.
const USUAL_PLACES: [[f64; 2]; 4] = [[0.3127, 0.329], [0.64, 0.33], [0.3, 0.6], [0.15, 0.06]];
const PLACE_NEAR: f64 = 0.003;
/// Exponents that a file may say.
const GAMMA_RANGE: std::ops::RangeInclusive<f64> = 0.1..=4.0;

/// The profile that a file carries, or says by other means; `None` where it is sRGB, or says nothing that makes sense.
pub fn profile(icc: Option<Vec<u8>>, png: Option<PngColour>, is_grey: bool) -> Option<ColorProfile> {
    if let Some(PngColour::Cicp { primaries, transfer }) = png {
        return of_code_points(primaries, transfer);
    }
    if let Some(icc) = icc {
        return match ColorProfile::new_from_slice(&icc) {
            Ok(profile) => Some(profile),
            Err(error) => {
                tracing::debug!(%error, "a colour profile that cannot be read");
                None
            }
        };
    }
    match png? {
        PngColour::Gamma { gamma, places } => of_gamma(gamma, places, is_grey),
        PngColour::Srgb | PngColour::Cicp { .. } => None,
    }
}

fn of_code_points(primaries: u8, transfer: u8) -> Option<ColorProfile> {
    let color_primaries = CicpColorPrimaries::try_from(primaries).ok()?;
    let transfer_characteristics = TransferCharacteristics::try_from(transfer).ok()?;
    if matches!(
        (color_primaries, transfer_characteristics),
        (CicpColorPrimaries::Bt709, TransferCharacteristics::Srgb)
    ) {
        return None;
    }
    // Code points that mean nothing, or that some other thing is to say.
    ColorPrimaries::try_from(color_primaries).ok()?;
    ToneReprCurve::try_from(transfer_characteristics).ok()?;
    Some(ColorProfile::new_from_cicp(CicpProfile {
        color_primaries,
        transfer_characteristics,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    }))
}

fn of_gamma(gamma: Option<f64>, places: Option<[[f64; 2]; 4]>, is_grey: bool) -> Option<ColorProfile> {
    let gamma = gamma.filter(|gamma| GAMMA_RANGE.contains(gamma) && (gamma - USUAL_GAMMA).abs() > GAMMA_NEAR);
    let is_near = |places: &[[f64; 2]; 4]| {
        let pairs = places.iter().flatten().zip(USUAL_PLACES.iter().flatten());
        pairs.into_iter().all(|(place, usual)| (place - usual).abs() < PLACE_NEAR)
    };
    // Three places on one line span no colours.
    let makes_sense = |places: &[[f64; 2]; 4]| {
        let [_, red, green, blue] = places;
        let area = (green[0] - red[0]) * (blue[1] - red[1]) - (blue[0] - red[0]) * (green[1] - red[1]);
        area.abs() > 0.01 && places.iter().all(|[x, y]| *x < 1.0 && *y > 0.0 && *y < 1.0)
    };
    let places = places.filter(|places| !is_near(places) && makes_sense(places));
    if gamma.is_none() && places.is_none() {
        return None;
    }
    if is_grey {
        return gamma.map(|gamma| ColorProfile::new_gray_with_gamma((1.0 / gamma) as f32));
    }
    let mut profile = ColorProfile::new_srgb();
    profile.cicp = None;
    if let Some([white, red, green, blue]) = places {
        let place = |[x, y]: [f64; 2]| Chromaticity::new(x as f32, y as f32);
        let primaries = ColorPrimaries { red: place(red), green: place(green), blue: place(blue) };
        profile.update_rgb_colorimetry(place(white).to_xyyb(), primaries);
    }
    if let Some(gamma) = gamma {
        let curve = ToneReprCurve::Parametric(vec![(1.0 / gamma) as f32]);
        profile.red_trc = Some(curve.clone());
        profile.green_trc = Some(curve.clone());
        profile.blue_trc = Some(curve);
    }
    Some(profile)
}

/// The picture in sRGB, with 8 bits a colour. A profile that does not fit its pixels changes nothing.
pub fn to_srgb(picture: DynamicImage, profile: Option<&ColorProfile>) -> DynamicImage {
    let plain = |picture: DynamicImage| -> DynamicImage {
        if picture.color().has_alpha() { picture.into_rgba8().into() } else { picture.into_rgb8().into() }
    };
    let Some(profile) = profile else { return plain(picture) };
    let is_grey = matches!(profile.color_space, DataColorSpace::Gray);
    if !is_grey && !matches!(profile.color_space, DataColorSpace::Rgb) {
        return plain(picture);
    }
    // Grey pixels under a profile for three colours are three colours that are the same.
    let picture = match picture {
        DynamicImage::ImageLuma8(_) if !is_grey => picture.into_rgb8().into(),
        DynamicImage::ImageLumaA8(_) if !is_grey => picture.into_rgba8().into(),
        DynamicImage::ImageLuma16(_) if !is_grey => picture.into_rgb16().into(),
        DynamicImage::ImageLumaA16(_) if !is_grey => picture.into_rgba16().into(),
        other => other,
    };
    let (from, to) = match picture.color().channel_count() {
        1 if is_grey => (Layout::Gray, Layout::Rgb),
        2 if is_grey => (Layout::GrayAlpha, Layout::Rgba),
        3 if !is_grey => (Layout::Rgb, Layout::Rgb),
        4 if !is_grey => (Layout::Rgba, Layout::Rgba),
        _ => return plain(picture),
    };
    let size = (picture.width(), picture.height());
    let converted = match &picture {
        DynamicImage::ImageLuma16(pixels) => sixteen(pixels, size, profile, (from, to)),
        DynamicImage::ImageLumaA16(pixels) => sixteen(pixels, size, profile, (from, to)),
        DynamicImage::ImageRgb16(pixels) => sixteen(pixels, size, profile, (from, to)),
        DynamicImage::ImageRgba16(pixels) => sixteen(pixels, size, profile, (from, to)),
        other => eight(other.as_bytes(), size, profile, (from, to)),
    };
    converted.unwrap_or_else(|| plain(picture))
}

/// A picture of four inks, row by row in its own memory. `prepare` makes a row what the profile takes: 255 is all of an ink.
pub fn inks_to_srgb(
    mut inks: Vec<u8>,
    (width, height): (u32, u32),
    profile: &ColorProfile,
    prepare: impl Fn(&mut [u8]),
) -> Option<DynamicImage> {
    if !matches!(profile.color_space, DataColorSpace::Cmyk) {
        return None;
    }
    let srgb = ColorProfile::new_srgb();
    let transform =
        profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, TransformOptions::default());
    let transform = transform
        .inspect_err(|error| tracing::debug!(%error, "a colour profile that is not applied"))
        .ok()?;
    let (wide, narrow) = (width as usize * 4, width as usize * 3);
    let mut line = vec![0; wide];
    for row in 0..height as usize {
        line.copy_from_slice(inks.get(row * wide..(row + 1) * wide)?);
        prepare(&mut line);
        // Three colours take less room than four inks: no row is written over that is still to be read.
        transform.transform(&line, inks.get_mut(row * narrow..(row + 1) * narrow)?).ok()?;
    }
    inks.truncate(height as usize * narrow);
    assembled(inks, (width, height), Layout::Rgb)
}

fn eight(
    pixels: &[u8],
    (width, height): (u32, u32),
    profile: &ColorProfile,
    (from, to): (Layout, Layout),
) -> Option<DynamicImage> {
    let srgb = ColorProfile::new_srgb();
    let transform = profile.create_transform_8bit(from, &srgb, to, TransformOptions::default());
    let transform = transform
        .inspect_err(|error| tracing::debug!(%error, "a colour profile that is not applied"))
        .ok()?;
    let (wide, narrow) = (width as usize * to.channels(), width as usize * from.channels());
    let mut out = vec![0; wide * height as usize];
    for (row, out) in pixels.chunks_exact(narrow).zip(out.chunks_exact_mut(wide)) {
        transform.transform(row, out).ok()?;
    }
    assembled(out, (width, height), to)
}

fn sixteen(
    pixels: &[u16],
    (width, height): (u32, u32),
    profile: &ColorProfile,
    (from, to): (Layout, Layout),
) -> Option<DynamicImage> {
    let srgb = ColorProfile::new_srgb();
    let transform = profile.create_transform_16bit(from, &srgb, to, TransformOptions::default());
    let transform = transform
        .inspect_err(|error| tracing::debug!(%error, "a colour profile that is not applied"))
        .ok()?;
    let (wide, narrow) = (width as usize * to.channels(), width as usize * from.channels());
    let mut out = vec![0; wide * height as usize];
    let mut line = vec![0_u16; wide];
    for (row, out) in pixels.chunks_exact(narrow).zip(out.chunks_exact_mut(wide)) {
        transform.transform(row, &mut line).ok()?;
        for (small, large) in out.iter_mut().zip(&line) {
            *small = u8::try_from((u32::from(*large) + 128) / 257).unwrap_or(u8::MAX);
        }
    }
    assembled(out, (width, height), to)
}

fn assembled(out: Vec<u8>, (width, height): (u32, u32), layout: Layout) -> Option<DynamicImage> {
    match layout {
        Layout::Rgb => RgbImage::from_raw(width, height, out).map(DynamicImage::from),
        _ => RgbaImage::from_raw(width, height, out).map(DynamicImage::from),
    }
}
