//! A merchant's own picture in the window.

use std::io::Cursor;
use std::time::Duration;

use contract::souk::product::v1 as pb;
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use image::{ImageFormat, Rgb, RgbImage};
use tests::World;

use super::{add, shop};

/// Gives the product `sku` a picture of its own; its content hash.
pub async fn give(world: &World, sku: &str, alt: &str) -> String {
    let plain = RgbImage::from_fn(700, 350, |x, y| Rgb([(x % 256) as u8, (y % 256) as u8, 90]));
    upload(world, sku, alt, &plain).await
}

async fn upload(world: &World, sku: &str, alt: &str, picture: &RgbImage) -> String {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).expect("written");
    let mut products = world.operator().client("product", ProductServiceClient::new);
    let request = pb::UploadPictureRequest { request_id: world.request_id(), data: file.into_inner() };
    let kept = products.upload_picture(request).await.expect("kept").into_inner();
    let mut row = tests::product_of(world.request_id(), sku, 1800);
    let image = pb::ProductImage {
        source: Some(pb::product_image::Source::ContentHash(kept.content_hash.clone())),
        alt: alt.into(),
        ..pb::ProductImage::default()
    };
    row.products[0].product.as_mut().expect("a product").images = vec![image];
    let answer = products.import_products(row).await.expect("good").into_inner();
    assert!(answer.results[0].refusals.is_empty(), "{:?}", answer.results[0].refusals);
    kept.content_hash
}

#[tokio::test(start_paused = true)]
async fn a_merchants_own_picture_wins() {
    let world = shop(451).await;
    let hash = give(&world, "bowl", "A bowl <on> \"a table\"").await;
    world.passes(Duration::from_secs(5)).await;
    let browser = world.browser();
    add(&browser, "bowl", "1").await;
    for path in ["/", "/search?q=bowl", "/products/product-bowl", "/cart"] {
        let page = browser.get(path).await;
        let text = page.text();
        let sources = format!(
            "srcset=\"/pictures/{hash}-240.webp 240w, /pictures/{hash}-480.webp 480w, /pictures/{hash}-700.webp 700w\""
        );
        assert!(text.contains(&sources), "{path}: {text}");
        assert!(text.contains(&format!("<img src=\"/pictures/{hash}-480.jpg\"")), "{path}: {text}");
        assert!(
            text.contains("width=\"480\" height=\"240\"") && !text.contains("A bowl <on>"),
            "{path}: {text}"
        );
    }
    let product = browser.get("/api/v1/products/product-bowl").await.value();
    let picture = &product["pictures"][0];
    assert_eq!((&picture["width"], &picture["alt"]), (&480.into(), &"A bowl <on> \"a table\"".into()));
    assert_eq!(picture["sources"].as_array().map(Vec::len), Some(3));
    for (name, content_type, format) in [
        (format!("{hash}-480.jpg"), "image/jpeg", ImageFormat::Jpeg),
        (format!("{hash}-700.webp"), "image/webp", ImageFormat::WebP),
    ] {
        let shown = browser.get(&format!("/pictures/{name}")).await;
        assert_eq!((shown.status, shown.header("content-type")), (http::StatusCode::OK, content_type));
        assert_eq!(shown.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(shown.header("vary"), "Accept-Encoding");
        image::load_from_memory_with_format(&shown.body, format).expect("a picture");
    }
    for name in [format!("{hash}-481.jpg"), format!("{hash}-0480.jpg"), format!("{}-480.jpg", "0".repeat(64))]
    {
        assert_eq!(
            browser.get(&format!("/pictures/{name}")).await.status,
            http::StatusCode::NOT_FOUND,
            "{name}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn only_small_pictures_are_kept_with_the_screens() {
    let world = shop(452).await;
    // Noise is what compresses worst.
    let mut noise = 1_u32;
    let picture = RgbImage::from_fn(800, 800, |_, _| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([(noise >> 8) as u8, (noise >> 16) as u8, (noise >> 24) as u8])
    });
    let hash = upload(&world, "bowl", "Noise", &picture).await;
    let browser = world.browser();
    for (width, again) in [(240, "souk; hit"), (800, "souk; fwd=miss")] {
        let path = format!("/pictures/{hash}-{width}.webp");
        let first = browser.get(&path).await;
        assert_eq!(first.header("content-type"), "image/webp");
        let second = browser.get(&path).await;
        let bytes = second.body.len();
        assert!(second.header("cache-status").starts_with(again), "{bytes} bytes: {:?}", second.headers);
        assert_eq!(second.body, first.body);
    }
}
