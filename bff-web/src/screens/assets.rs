//! What pages are made of beside their text: the stylesheet, the module, icons, drawn pictures. Each has its content in its
//! address, so that a browser keeps it for ever.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use contract::souk::product::v1::{GetPictureRequest, PictureFormat};
use edge::{Answer, Keep, Need, Nothing, Route};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Method};
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{NoParams, page};
use crate::pictures::{Named, named};
use crate::shop::{Shop, Visit};

/// What never changes under its address.
pub const FOR_EVER: Keep = Keep { fresh: Duration::from_secs(86_400), stale: Duration::from_secs(172_800) };

/// The largest picture that is kept with the screens; larger ones would push them off the shelf. A browser keeps them all.
const PICTURE_BYTES_KEPT: usize = 64 << 10;

const PICTURE: Need = Need::required("the picture", "/souk.product.v1.ProductService/GetPicture");

/// A file in the binary.
struct Asset {
    /// `/assets/window-0123456789.css`.
    address: String,
    name: String,
    content_type: &'static str,
    bytes: &'static str,
}

impl Asset {
    fn new(stem: &str, ending: &str, content_type: &'static str, bytes: &'static str) -> Self {
        let digest = Sha256::digest(bytes.as_bytes());
        let hash: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{stem}-{hash}.{ending}");
        Self { address: format!("/assets/{name}"), name, content_type, bytes }
    }
}

static CSS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("window", "css", "text/css; charset=utf-8", include_str!("../assets/window.css"))
});
static JS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("window", "js", "text/javascript; charset=utf-8", include_str!("../assets/window.js"))
});
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("../assets/icon.svg")));

/// Address of the stylesheet.
pub fn css() -> &'static str {
    &CSS.address
}

/// Address of the module that improves pages.
pub fn js() -> &'static str {
    &JS.address
}

/// Address of the shop's icon.
pub fn icon() -> &'static str {
    &ICON.address
}

/// Which of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    name: String,
}

/// Their routes.
pub fn routes(shop: &Arc<Shop>) -> Vec<Route> {
    vec![
        page(shop, Method::GET, "/assets/{name}", asset).kept(FOR_EVER, &[]).public(),
        page(shop, Method::GET, "/pictures/{name}", picture).kept(FOR_EVER, &[]).public().needs(&[&PICTURE]),
        page(shop, Method::GET, "/favicon.ico", favicon).kept(FOR_EVER, &[]).public(),
        page(shop, Method::GET, "/robots.txt", robots).kept(FOR_EVER, &[]).public(),
    ]
}

fn for_ever(answer: Answer) -> Answer {
    answer.with(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"))
}

async fn asset(_: Visit, which: Which, _: Nothing) -> Result<Answer> {
    let known = [&*CSS, &*JS, &*ICON].into_iter().find(|asset| asset.name == which.name);
    let asset =
        known.ok_or_else(|| Error::not_found("ROUTE_NOT_FOUND", "there is nothing at this address"))?;
    Ok(for_ever(Answer::raw(asset.content_type, asset.bytes)))
}

async fn picture(visit: Visit, which: Which, _: Nothing) -> Result<Answer> {
    let named = named(&which.name);
    let named = named.ok_or_else(|| Error::not_found("ROUTE_NOT_FOUND", "there is no such picture"))?;
    Ok(for_ever(match named {
        Named::Drawing(picture) => Answer::raw("image/svg+xml", picture.svg()),
        Named::Own { content_hash, width, format } => {
            let request = visit.request(GetPictureRequest { content_hash, width, format: format.into() });
            let answer = visit.need(&PICTURE, visit.shop.products.clone().get_picture(request)).await?;
            let content_type = match format {
                PictureFormat::Jpeg => "image/jpeg",
                _ => "image/webp",
            };
            let large = answer.data.len() > PICTURE_BYTES_KEPT;
            Answer::raw(content_type, answer.data).passing(large)
        }
    }))
}

async fn favicon(_: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    Ok(Answer::raw(ICON.content_type, ICON.bytes))
}

async fn robots(_: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    let text = "User-agent: *\nDisallow: /account\nDisallow: /api/\nDisallow: /cart\nDisallow: /checkout\nDisallow: /orders\nDisallow: /search\n";
    Ok(Answer::raw("text/plain; charset=utf-8", text))
}
