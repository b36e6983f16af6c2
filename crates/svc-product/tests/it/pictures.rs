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
    let cases: Vec<(&str, Vec<u8>)> = vec![
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
