//! Pictures of products: a merchant's own where there is one, else drawn after the product's name.

use contract::souk::product::v1::{PictureFormat, ProductImage, product_image::Source};
use picture::{Kind, Picture};
use quick_cache::sync::Cache;
use schemars::JsonSchema;
use serde::Serialize;

/// A picture.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PictureView {
    /// Where it is, at this gateway.
    pub url: String,
    /// What is seen.
    pub alt: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The same as WebP, the narrowest first. None of a drawing, which is sharp at any size.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<PictureSource>,
}

/// A picture in one width.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PictureSource {
    /// Where it is, at this gateway.
    pub url: String,
    /// In pixels.
    pub width: u32,
}

/// Side of a drawn picture, in pixels.
const SIDE: u32 = 480;
/// What a client gets that does not choose: the first width that is as wide as this, in pixels.
const USUAL_WIDTH: u32 = 480;
/// Drawings that are remembered; beyond that, all are forgotten and drawn again.
const DRAWINGS_MAX: usize = 20_000;

impl PictureView {
    /// A picture that a merchant uploaded. One that stands elsewhere is not shown: a page needs nothing from elsewhere.
    pub fn own(image: &ProductImage) -> Option<Self> {
        let Some(Source::ContentHash(hash)) = &image.source else { return None };
        let pixels = |side: i32| u32::try_from(side).ok().filter(|side| *side > 0);
        let (width, height) = (pixels(image.width)?, pixels(image.height)?);
        let widths: Vec<u32> = image.widths.iter().filter_map(|width| pixels(*width)).collect();
        let usual = widths.iter().copied().find(|width| *width >= USUAL_WIDTH).or(widths.last().copied())?;
        let low = (u64::from(height) * u64::from(usual) / u64::from(width)).max(1);
        let address = |width: u32, ending: &str| format!("/pictures/{hash}-{width}.{ending}");
        Some(Self {
            url: address(usual, "jpg"),
            alt: image.alt.clone(),
            width: usual,
            height: u32::try_from(low).unwrap_or(height),
            sources: widths
                .iter()
                .map(|width| PictureSource { url: address(*width, "webp"), width: *width })
                .collect(),
        })
    }

    /// Its sources, as a browser chooses from them.
    pub fn srcset(&self) -> String {
        let sources = self.sources.iter().map(|source| format!("{} {}w", source.url, source.width));
        sources.collect::<Vec<_>>().join(", ")
    }
}

/// The drawings that stand for pictures. What is said of one takes drawing it, so it is remembered.
pub struct Pictures(Cache<String, PictureView>);

impl Default for Pictures {
    fn default() -> Self {
        Self(Cache::new(DRAWINGS_MAX))
    }
}

impl Pictures {
    /// The picture of a product.
    pub fn of(
        &self,
        own: Option<&ProductImage>,
        product_id: &str,
        name: &str,
        category: &str,
    ) -> PictureView {
        own.and_then(PictureView::own).unwrap_or_else(|| self.drawn(product_id, name, category))
    }

    fn drawn(&self, product_id: &str, name: &str, category: &str) -> PictureView {
        let key = [product_id, name, category].join("\u{1f}");
        if let Some(known) = self.0.get(&key) {
            return known;
        }
        let picture = Picture::of(product_id, name, category);
        let view = PictureView {
            url: format!("/pictures/{}", drawing_name(&picture)),
            alt: picture.alt(name),
            width: SIDE,
            height: SIDE,
            sources: Vec::new(),
        };
        self.0.insert(key, view.clone());
        view
    }
}

/// What the name of a picture means.
pub enum Named {
    /// A drawing.
    Drawing(Picture),
    /// A merchant's own.
    Own {
        /// SHA-256 of what was uploaded.
        content_hash: String,
        /// In pixels.
        width: i32,
        /// How it is written.
        format: PictureFormat,
    },
}

/// The picture that a name in an address means. One picture has one name, so that nobody fills the shelf with the same bytes
/// under many.
pub fn named(name: &str) -> Option<Named> {
    let (stem, ending) = name.rsplit_once('.')?;
    if ending == "svg" {
        return drawing_named(stem).filter(|picture| drawing_name(picture) == name).map(Named::Drawing);
    }
    let format = match ending {
        "webp" => PictureFormat::Webp,
        "jpg" => PictureFormat::Jpeg,
        _ => return None,
    };
    let (hash, digits) = stem.split_once('-')?;
    let width: u16 = digits.parse().ok().filter(|width: &u16| width.to_string() == digits)?;
    let hexadecimal = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let own = Named::Own { content_hash: hash.to_owned(), width: width.into(), format };
    (hexadecimal && width > 0).then_some(own)
}

/// The name of a drawing: `bowl-00000000000000ff.svg`, or `tile-00000000000000ff-AB.svg`.
fn drawing_name(picture: &Picture) -> String {
    let dash = if picture.initials.is_empty() { "" } else { "-" };
    format!("{}-{:016x}{dash}{}.svg", picture.kind.as_str(), picture.seed, picture.initials)
}

fn drawing_named(stem: &str) -> Option<Picture> {
    let mut parts = stem.split('-');
    let kind = Kind::parse(parts.next()?)?;
    let seed = parts.next().filter(|seed| seed.len() == 16)?;
    let initials = parts.next().unwrap_or_default().to_owned();
    let picture = Picture { kind, seed: u64::from_str_radix(seed, 16).ok()?, initials };
    (parts.next().is_none() && picture.initials.len() <= 2).then_some(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_one_name() {
        let picture = Picture::of("prd_1", "Zzyzx", "");
        assert!(matches!(named(&drawing_name(&picture)), Some(Named::Drawing(same)) if same == picture));
        let hash = "0a".repeat(32);
        assert!(matches!(
            named(&format!("{hash}-480.jpg")),
            Some(Named::Own { width: 480, format: PictureFormat::Jpeg, .. })
        ));
        let bad = [
            "bowl.svg",
            "bowl-ff.svg",
            "bowl-00000000000000FF.svg",
            "nothing-00000000000000ff.svg",
            "../x",
            "tile-00000000000000ff-ABCD.svg",
            "0a0a-480.jpg",
        ];
        let bad = bad.map(str::to_owned).into_iter().chain(
            ["0480.jpg", "+480.jpg", "0.webp", "480.png", "70000.webp"].map(|end| format!("{hash}-{end}")),
        );
        for bad in bad {
            assert!(named(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_merchants_own_picture_comes_in_widths() {
        let image = ProductImage {
            source: Some(Source::ContentHash("ab".repeat(32))),
            alt: "A bowl".into(),
            width: 3000,
            height: 2000,
            widths: vec![240, 480, 960, 1440],
        };
        let own = PictureView::own(&image).expect("shown");
        assert_eq!((own.width, own.height, own.sources.len()), (480, 320, 4));
        assert!(own.srcset().ends_with("-1440.webp 1440w"));
        let elsewhere =
            ProductImage { source: Some(Source::Url("https://example.com/a.png".into())), ..image.clone() };
        assert!(PictureView::own(&elsewhere).is_none());
        let narrow = PictureView::own(&ProductImage { width: 100, height: 1, widths: vec![100], ..image });
        assert_eq!(narrow.map(|own| (own.width, own.height)), Some((100, 1)));
    }
}
