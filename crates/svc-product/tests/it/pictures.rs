use std::io::Cursor;

use contract::souk::product::v1 as pb;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use kernel::Error;

use super::shop::{Shop, bowl, fields};

/// A picture that is red on the left and blue on the right.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| Rgb(if x < width / 2 { [220, 20, 30] } else { [20, 30, 220] }))
}

fn file(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).expect("written");
    file.into_inner()
}

async fn upload(shop: &Shop, key: &str, data: Vec<u8>) -> Result<pb::UploadPictureResponse, Error> {
    let request = pb::UploadPictureRequest { request_id: key.into(), data };
    Ok(shop.staff.clone().upload_picture(request).await.map_err(contract::error)?.into_inner())
}

async fn get(
    shop: &Shop,
    content_hash: &str,
    width: i32,
    format: pb::PictureFormat,
) -> Result<pb::GetPictureResponse, Error> {
    let request = pb::GetPictureRequest { content_hash: content_hash.into(), width, format: format.into() };
    Ok(shop.anybody.clone().get_picture(request).await.map_err(contract::error)?.into_inner())
}

fn red(pixel: Rgb<u8>) -> bool {
    pixel.0[0] > 150 && pixel.0[2] < 100
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_kept_in_widths_and_formats_once() {
    let shop = Shop::open(40).await;
    let data = file(halves(1000, 500), ImageFormat::Png);
    let kept = upload(&shop, "u-1", data.clone()).await.expect("kept");
    assert_eq!((kept.width, kept.height, kept.widths.as_slice()), (1000, 500, &[240, 480, 960, 1000][..]));
    assert_eq!(upload(&shop, "u-1", data.clone()).await.expect("replayed"), kept);
    assert_eq!(upload(&shop, "u-2", data).await.expect("the same bytes"), kept);
    for (format, read) in
        [(pb::PictureFormat::Webp, ImageFormat::WebP), (pb::PictureFormat::Jpeg, ImageFormat::Jpeg)]
    {
        for width in &kept.widths {
            let shown = get(&shop, &kept.content_hash, *width, format).await.expect("shown");
            let picture =
                image::load_from_memory_with_format(&shown.data, read).expect("a picture").to_rgb8();
            assert_eq!((shown.width, shown.height), (*width, *width / 2));
            assert_eq!((picture.width() as i32, picture.height() as i32), (shown.width, shown.height));
            assert!(red(*picture.get_pixel(5, 5)) && !red(*picture.get_pixel(picture.width() - 5, 5)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_pixels_go_on_turned_as_the_camera_says() {
    let shop = Shop::open(41).await;
    let picture = halves(300, 200);
    let mut data = Vec::new();
    let mut encoder = JpegEncoder::new(&mut data);
    // TIFF, little-endian, one entry: orientation 6, "turn right"; then words that name a place.
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    exif.extend_from_slice(b"51.5007 N 0.1246 W");
    encoder.set_exif_metadata(exif).expect("taken");
    encoder.encode_image(&picture).expect("written");
    assert!(data.windows(7).any(|bytes| bytes == b"51.5007"), "the file says where it was taken");
    let kept = upload(&shop, "u-1", data).await.expect("kept");
    assert_eq!((kept.width, kept.height), (200, 300), "as it is seen");
    for format in [pb::PictureFormat::Webp, pb::PictureFormat::Jpeg] {
        let shown = get(&shop, &kept.content_hash, 200, format).await.expect("shown");
        let holds = |words: &[u8]| shown.data.windows(words.len()).any(|bytes| bytes == words);
        assert!(!holds(b"51.5007") && !holds(b"Exif") && !holds(b"EXIF"));
        let seen = image::load_from_memory(&shown.data).expect("a picture").to_rgb8();
        assert!(red(*seen.get_pixel(100, 10)) && !red(*seen.get_pixel(100, 290)), "red is on top");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_transparent_stays_so_or_is_white() {
    let shop = Shop::open(42).await;
    let data = file(RgbaImage::from_pixel(64, 64, Rgba([200, 0, 0, 0])), ImageFormat::Png);
    let kept = upload(&shop, "u-1", data).await.expect("kept");
    assert_eq!(kept.widths, [64]);
    let webp = get(&shop, &kept.content_hash, 64, pb::PictureFormat::Webp).await.expect("shown");
    assert_eq!(image::load_from_memory(&webp.data).expect("WebP").to_rgba8().get_pixel(9, 9).0[3], 0);
    let jpeg = get(&shop, &kept.content_hash, 64, pb::PictureFormat::Jpeg).await.expect("shown");
    assert!(
        image::load_from_memory(&jpeg.data)
            .expect("JPEG")
            .to_rgb8()
            .get_pixel(9, 9)
            .0
            .iter()
            .all(|c| *c > 250)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_picture_is_refused_by_name() {
    let shop = Shop::open(43).await;
    let good = file(halves(100, 100), ImageFormat::Png);
    let mut bomb = good.clone();
    // The header of a PNG says how large it is: 30,000 by 30,000 here, in a file of a few hundred bytes.
    bomb[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let cut = |format: ImageFormat, less: usize| {
        let whole = file(halves(200, 100), format);
        whole[..whole.len() - less].to_vec()
    };
    let jpeg = file(halves(200, 100), ImageFormat::Jpeg);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("PICTURE_UNREADABLE", jpeg[..jpeg.len() / 10 + 600].to_vec()),
        ("PICTURE_UNREADABLE", cut(ImageFormat::Jpeg, 2)),
        ("PICTURE_UNREADABLE", cut(ImageFormat::Png, 12)),
        ("PICTURE_UNREADABLE", cut(ImageFormat::WebP, 3)),
        ("INVALID_ARGUMENT", Vec::new()),
        ("PICTURE_UNREADABLE", b"<svg onload=alert(1)>".to_vec()),
        ("PICTURE_UNREADABLE", b"GIF89a".to_vec()),
        ("PICTURE_UNREADABLE", good[..good.len() / 2].to_vec()),
        ("PICTURE_UNREADABLE", bomb),
        ("PICTURE_TOO_LARGE", file(halves(16_384, 1), ImageFormat::Png)),
        ("PICTURE_TOO_LARGE", vec![0; (10 << 20) + 1]),
    ];
    for (n, (reason, data)) in cases.into_iter().enumerate() {
        let error = upload(&shop, &format!("u-{n}"), data).await.expect_err(reason);
        assert_eq!(
            (error.reason(), fields(&error).as_slice()),
            (reason, &["/data"][..]),
            "case {n}: {error:?}"
        );
    }
    let hash = "0".repeat(64);
    let unknown = get(&shop, &hash, 240, pb::PictureFormat::Webp).await.expect_err("unknown");
    assert_eq!(unknown.reason(), "PICTURE_NOT_FOUND");
    for (hash, width, field) in [("abc", 240, "/content_hash"), (hash.as_str(), 0, "/width")] {
        let error = get(&shop, hash, width, pb::PictureFormat::Webp).await.expect_err(field);
        assert_eq!(fields(&error), [field]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_product_names_its_pictures_and_knows_their_size() {
    let shop = Shop::open(44).await;
    let kept = upload(&shop, "u-1", file(halves(600, 400), ImageFormat::Jpeg)).await.expect("kept");
    let image = |hash: &str| pb::ProductImage {
        source: Some(pb::product_image::Source::ContentHash(hash.into())),
        alt: "A bowl on a table".into(),
        // Whatever a caller says of it.
        width: 7,
        ..pb::ProductImage::default()
    };
    let mut product = bowl("Harbour bowl", &[("B-1", 1800)]);
    product.images = vec![image(&kept.content_hash)];
    let made = shop.create("k-1", product.clone()).await.expect("made");
    let shown = &made.images[0];
    assert_eq!((shown.width, shown.height, shown.widths.as_slice()), (600, 400, &[240, 480, 600][..]));
    let variant = shop.variants(&["B-1"]).await.variants.remove(0);
    assert_eq!(variant.image.as_ref(), Some(shown));
    product.images.push(image(&"1".repeat(64)));
    let error = shop.update("k-2", &made, product.clone()).await.expect_err("not uploaded");
    assert_eq!(
        (error.reason(), fields(&error)),
        ("PICTURE_NOT_FOUND", vec!["/product/images/1/content_hash"])
    );
    product.images[1] = image("no hash");
    let error = shop.update("k-3", &made, product).await.expect_err("no hash");
    assert_eq!(fields(&error), ["/product/images/1/content_hash"]);
}

#[tokio::test(start_paused = true)]
async fn a_large_picture_looks_the_same_in_every_width() {
    let shop = Shop::open(45).await;
    let kept = upload(&shop, "u-1", file(halves(4000, 800), ImageFormat::Png)).await.expect("kept");
    assert_eq!(kept.widths, [240, 480, 960, 1440]);
    for width in &kept.widths {
        let shown = get(&shop, &kept.content_hash, *width, pb::PictureFormat::Jpeg).await.expect("shown");
        let picture = image::load_from_memory(&shown.data).expect("a picture").to_rgb8();
        let (middle, low) = (picture.width() / 2, picture.height() / 2);
        assert_eq!(shown.height, *width / 5);
        assert!(red(*picture.get_pixel(middle - 6, low)) && !red(*picture.get_pixel(middle + 6, low)));
    }
}

/// The middle of a picture as the shop shows it.
async fn middle(shop: &Shop, key: &str, data: Vec<u8>) -> [u8; 3] {
    let kept = upload(shop, key, data).await.expect("kept");
    let shown =
        get(shop, &kept.content_hash, kept.width.min(1440), pb::PictureFormat::Jpeg).await.expect("shown");
    let picture = image::load_from_memory(&shown.data).expect("a picture").to_rgb8();
    picture.get_pixel(picture.width() / 2, picture.height() / 2).0
}

fn near(found: [u8; 3], wanted: [u8; 3]) -> bool {
    found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) <= 4)
}

/// The pixel that shows sRGB's (30, 160, 60) under a profile.
fn under(profile: &moxcms::ColorProfile) -> [u8; 3] {
    let srgb = moxcms::ColorProfile::new_srgb();
    let layout = moxcms::Layout::Rgb;
    let transform = srgb.create_transform_8bit(layout, profile, layout, moxcms::TransformOptions::default());
    let mut pixel = [0; 3];
    transform.expect("a transform").transform(&[30, 160, 60], &mut pixel).expect("transformed");
    pixel
}

fn encoded<E: ImageEncoder>(mut encoder: E, icc: Option<Vec<u8>>, picture: &DynamicImage) {
    if let Some(icc) = icc {
        encoder.set_icc_profile(icc).expect("taken");
    }
    encoder
        .write_image(picture.as_bytes(), picture.width(), picture.height(), picture.color().into())
        .expect("written");
}

#[tokio::test(start_paused = true)]
async fn colours_are_those_that_the_profile_means() {
    use moxcms::ColorProfile;
    let shop = Shop::open(46).await;
    let profiles = [
        ("Display P3", ColorProfile::new_display_p3()),
        ("Adobe RGB", ColorProfile::new_adobe_rgb()),
        ("ProPhoto", ColorProfile::new_pro_photo_rgb()),
        ("sRGB", ColorProfile::new_srgb()),
    ];
    for (name, profile) in profiles {
        let pixel = under(&profile);
        assert!(
            name == "sRGB" || !near(pixel, [30, 160, 60]),
            "{name} would look the same without its profile"
        );
        let icc = Some(profile.encode().expect("encoded"));
        let eight = DynamicImage::from(RgbImage::from_pixel(64, 48, Rgb(pixel)));
        let clear = DynamicImage::from(eight.to_rgba8());
        let sixteen = DynamicImage::from(eight.to_rgb16());
        let mut files = vec![Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new()];
        encoded(JpegEncoder::new_with_quality(&mut files[0], 100), icc.clone(), &eight);
        encoded(image::codecs::png::PngEncoder::new(&mut files[1]), icc.clone(), &eight);
        encoded(image::codecs::png::PngEncoder::new(&mut files[2]), icc.clone(), &clear);
        encoded(image::codecs::png::PngEncoder::new(&mut files[3]), icc.clone(), &sixteen);
        encoded(image::codecs::webp::WebPEncoder::new_lossless(&mut files[4]), icc, &eight);
        for (n, data) in files.into_iter().enumerate() {
            let found = middle(&shop, &format!("{}-{n}", name.replace(' ', "")), data).await;
            assert!(near(found, [30, 160, 60]), "{name}, file {n}: {found:?}");
        }
    }
}

/// A PNG with chunks of its own behind its header.
fn with_chunks(png: &[u8], chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut file = png[..33].to_vec();
    for (kind, data) in chunks {
        let body: Vec<u8> = kind.iter().chain(data).copied().collect();
        file.extend(u32::try_from(data.len()).expect("small").to_be_bytes());
        file.extend(&body);
        file.extend(crc(&body).to_be_bytes());
    }
    file.extend(&png[33..]);
    file
}

/// CRC-32 of ISO 3309, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)))
    })
}

#[tokio::test(start_paused = true)]
async fn a_png_says_its_colours_by_gamma_places_or_code_points_too() {
    let shop = Shop::open(47).await;
    let words = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    // Linear light: the sRGB curve of IEC 61966-2-1, undone.
    let linear = |value: u8| {
        let value = f64::from(value) / 255.0;
        let light = if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) };
        (light * 65_535.0).round() as u16
    };
    let pixel = [30, 160, 60].map(linear);
    let light = image::ImageBuffer::<Rgb<u16>, Vec<u16>>::from_pixel(64, 48, Rgb(pixel));
    let light = file(DynamicImage::ImageRgb16(light), ImageFormat::Png);
    let found = middle(&shop, "linear", with_chunks(&light, &[(b"gAMA", words(&[100_000]))])).await;
    assert!(near(found, [30, 160, 60]), "gamma 1: {found:?}");
    let p3 = under(&moxcms::ColorProfile::new_display_p3());
    let p3 = file(RgbImage::from_pixel(64, 48, Rgb(p3)), ImageFormat::Png);
    // Primaries of Display P3 (SMPTE EG 432-1) with the transfer of sRGB.
    let found = middle(&shop, "cicp", with_chunks(&p3, &[(b"cICP", vec![12, 13, 0, 1])])).await;
    assert!(near(found, [30, 160, 60]), "code points: {found:?}");
    let places = words(&[31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000]);
    let found =
        middle(&shop, "places", with_chunks(&p3, &[(b"gAMA", words(&[45_455])), (b"cHRM", places)])).await;
    assert!(near(found, [30, 160, 60]), "places: {found:?}");
    let plain = file(RgbImage::from_pixel(64, 48, Rgb([30, 160, 60])), ImageFormat::Png);
    let usual = words(&[31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000]);
    for (key, chunks) in [
        ("usual", vec![(b"gAMA", words(&[45_455])), (b"cHRM", usual)]),
        ("srgb", vec![(b"sRGB", vec![0]), (b"gAMA", words(&[100_000]))]),
        ("nonsense", vec![(b"gAMA", words(&[0])), (b"cHRM", words(&[0; 8]))]),
        ("broken", vec![(b"cICP", vec![255, 255, 0, 1])]),
    ] {
        let found = middle(&shop, key, with_chunks(&plain, &chunks)).await;
        assert!(near(found, [30, 160, 60]), "{key}: {found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn greys_and_palettes_keep_their_colours() {
    let shop = Shop::open(48).await;
    let grey = DynamicImage::from(image::GrayImage::from_pixel(64, 48, image::Luma([90])));
    let dark = moxcms::ColorProfile::new_gray_with_gamma(1.0).encode().expect("encoded");
    let mut data = Vec::new();
    encoded(image::codecs::png::PngEncoder::new(&mut data), Some(dark), &grey);
    // 90 of 255 in linear light is 160 in sRGB.
    let found = middle(&shop, "linear-grey", data).await;
    assert!(near(found, [160, 160, 160]), "{found:?}");
    let mut data = Vec::new();
    let srgb = moxcms::ColorProfile::new_srgb().encode().expect("encoded");
    encoded(JpegEncoder::new_with_quality(&mut data, 100), Some(srgb), &grey);
    let found = middle(&shop, "grey-under-three", data).await;
    assert!(near(found, [90, 90, 90]), "{found:?}");
    let mut data = Vec::new();
    encoded(JpegEncoder::new_with_quality(&mut data, 100), Some(b"no profile".to_vec()), &grey);
    assert!(near(middle(&shop, "broken-profile", data).await, [90, 90, 90]));
}

/// A PNG whose header says other sides than it has, as somebody would make it who wants to fill our memory.
fn said_to_be(mut png: Vec<u8>, width: u32, height: u32) -> Vec<u8> {
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&sum);
    png
}

#[tokio::test(start_paused = true)]
async fn a_colour_profile_that_unpacks_to_too_much_is_refused() {
    let shop = Shop::open(1).await;
    let png = file(halves(10, 10), ImageFormat::Png);
    let packed = |bytes: usize| {
        let mut chunk = b"bomb\0\0".to_vec();
        let mut packer = flate2::write::ZlibEncoder::new(&mut chunk, flate2::Compression::best());
        std::io::Write::write_all(&mut packer, &vec![0; bytes]).expect("packed");
        packer.finish().expect("packed");
        chunk
    };
    let small = with_chunks(&png, &[(b"iCCP", packed(4 << 20))]);
    assert!(upload(&shop, "k-1", small).await.is_ok(), "a profile that cannot be read is passed over");
    let bomb = with_chunks(&png, &[(b"iCCP", packed((4 << 20) + 1))]);
    let error = upload(&shop, "k-2", bomb).await.expect_err("too large");
    assert_eq!(error.reason(), "PICTURE_TOO_LARGE");
}

#[tokio::test(start_paused = true)]
async fn what_would_take_too_much_memory_is_refused_before_it_is_decoded() {
    let shop = Shop::open(49).await;
    let small = DynamicImage::from(halves(8, 8));
    let jpeg = |width: u16, height: u16| {
        let mut file = file(small.clone(), ImageFormat::Jpeg);
        let at = file.windows(4).position(|bytes| bytes == [0xff, 0xc0, 0, 17]).expect("a frame");
        // Progressive, and three components of full size.
        file[at + 1] = 0xc2;
        file[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
        file[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
        (0..3).for_each(|n| file[at + 11 + n * 3] = 0x11);
        file
    };
    let webp = |width: u32, height: u32| {
        let mut file = file(small.clone(), ImageFormat::WebP);
        assert_eq!(&file[12..16], b"VP8L");
        let sides = (width - 1) | (height - 1) << 14;
        file[21..25].copy_from_slice(&sides.to_le_bytes());
        file
    };
    let png =
        |picture: DynamicImage, width, height| said_to_be(file(picture, ImageFormat::Png), width, height);
    // Sixteen bits a colour with transparency at 7000 × 7000 are 392 MB.
    for (n, data) in [
        png(small.to_rgba16().into(), 7000, 7000),
        png(small.to_rgba16().into(), 7000, 4100),
        png(small.to_rgb16().into(), 7000, 7000),
        jpeg(7000, 7000),
        webp(7000, 7000),
    ]
    .into_iter()
    .enumerate()
    {
        let error = upload(&shop, &format!("u-{n}"), data).await.expect_err("too large");
        assert_eq!(
            (error.reason(), fields(&error).as_slice()),
            ("PICTURE_TOO_LARGE", &["/data"][..]),
            "file {n}"
        );
        let said = &error.violations()[0].description;
        assert!(said.contains("at most 320 MiB") && said.contains("7000 × "), "file {n}: {said}");
    }
    // Sides that fit are decoded, and then have fewer pixels than they should.
    for (n, data) in [png(small.to_rgba16().into(), 700, 400), webp(700, 400)].into_iter().enumerate() {
        let error = upload(&shop, &format!("v-{n}"), data).await.expect_err("damaged");
        assert_eq!(error.reason(), "PICTURE_UNREADABLE", "file {n}");
    }
}
