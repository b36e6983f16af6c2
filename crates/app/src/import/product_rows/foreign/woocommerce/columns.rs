//! The columns of WooCommerce's export.

use super::super::super::cells;
use super::super::Get;
use super::Spec;
use super::languages::english;

/// Attributes of a product that are looked at.
pub const ATTRIBUTES_MAX: usize = 50;

/// The table that WooCommerce exports.
pub const SPEC: Spec = Spec {
    name: "WooCommerce export",
    required: &[("type", "Type"), ("name", "Name"), ("regular_price", "Regular price")],
    hint: "; where it was exported in a language that is not read here, set the language of your WordPress profile to English \
           (Users, Profile, Language) and export it again",
    used_as,
    is_row,
    is_known,
    columns: &[
        ("external_reference", "ID"),
        ("slug", "ID"),
        ("name", "Name"),
        ("description", "Description"),
        ("categories", "Categories"),
        ("tax_class", "Tax class"),
        ("status", "Published"),
        ("options", "Attribute 1 value(s)"),
        ("attributes", "Tags"),
        ("synonyms", "Tags"),
        ("images", "Images"),
        ("sku", "SKU"),
        ("prices", "Regular price"),
        ("compare_at_prices", "Sale price"),
        ("weight_grams", "Weight"),
        ("stock", "Stock"),
    ],
};

fn used_as(name: &str) -> Option<String> {
    used_in_english(name).or_else(|| used_in_english(&english(name)?))
}

fn used_in_english(name: &str) -> Option<String> {
    const USED: [&str; 20] = [
        "id",
        "type",
        "sku",
        "name",
        "published",
        "visibility_in_catalog",
        "short_description",
        "description",
        "tax_status",
        "tax_class",
        "stock",
        "sale_price",
        "regular_price",
        "categories",
        "tags",
        "images",
        "parent",
        "brands",
        "in_stock?",
        "backorders_allowed?",
    ];
    if USED.contains(&name) {
        return Some(name.to_owned());
    }
    if matches!(name, "date_sale_price_starts" | "date_sale_price_ends") {
        return Some(name.to_owned());
    }
    if let Some(unit) = name.strip_prefix("weight_(") {
        let unit = unit.trim_end_matches(')');
        return matches!(unit, "kg" | "g" | "lbs" | "lb" | "oz").then(|| format!("weight_{unit}"));
    }
    let (n, part) = name.strip_prefix("attribute_")?.split_once('_')?;
    let is_number = n.parse::<usize>().is_ok_and(|n| (1..=ATTRIBUTES_MAX).contains(&n));
    let part = if part == "values" || part == "value(s)" { "value" } else { part };
    (is_number && matches!(part, "name" | "value")).then(|| format!("attribute_{n}_{part}"))
}

fn is_known(name: &str) -> bool {
    let beginnings = [
        "attribute_",
        "meta:",
        "download",
        "length_(",
        "width_(",
        "height_(",
        "is_featured",
        "low_stock",
        "sold_individually",
        "allow_customer",
        "purchase_note",
        "shipping_class",
        "grouped_products",
        "upsells",
        "cross_sells",
        "external_url",
        "button_text",
        "position",
        "gtin",
        "swatches",
        "weight_(",
        "product_url",
        "slug",
    ];
    beginnings.iter().any(|beginning| name.starts_with(beginning))
}

/// A name, a type of those that there are, and a price that is a number.
fn is_row(get: &Get<'_>) -> bool {
    let (types, price) = (get("type"), get("regular_price"));
    let mut types = types.split(',').map(str::trim);
    let is_type = types.any(|kind| {
        let kinds = ["simple", "variable", "variation", "grouped", "external", "virtual", "downloadable"];
        kinds.contains(&kind) || kind.contains("subscription")
    });
    is_type && !get("name").is_empty() && (price.is_empty() || cells::decimal(&price).is_some())
}
