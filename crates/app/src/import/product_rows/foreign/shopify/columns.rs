//! The columns of Shopify's export.

use super::super::super::cells;
use super::super::Get;
use super::Spec;

/// The table that Shopify exports.
pub const SPEC: Spec = Spec {
    name: "Shopify export",
    required: &[("handle", "Handle"), ("title", "Title"), ("price", "Variant Price")],
    hint: "",
    used_as,
    is_row,
    is_known,
    columns: &[
        ("external_reference", "Handle"),
        ("slug", "Handle"),
        ("name", "Title"),
        ("description", "Body (HTML)"),
        ("categories", "Type"),
        ("tax_class", "Variant Taxable"),
        ("status", "Status"),
        ("options", "Option1 Value"),
        ("attributes", "Tags"),
        ("synonyms", "Tags"),
        ("images", "Image Src"),
        ("sku", "Variant SKU"),
        ("prices", "Variant Price"),
        ("compare_at_prices", "Variant Compare At Price"),
        ("weight_grams", "Variant Grams"),
        ("stock", "Variant Inventory Qty"),
    ],
};

/// Names of columns before and since Shopify renamed them.
fn used_as(name: &str) -> Option<String> {
    let id = match name {
        "handle" | "url_handle" => "handle",
        "title" => "title",
        "body_(html)" | "body" | "body_html" | "description" => "body",
        "vendor" => "vendor",
        "type" | "custom_product_type" => "type",
        "product_category" | "standard_product_type" | "standardized_product_type" => "category",
        "tags" => "tags",
        "published" | "published_on_online_store" => "published",
        "status" => "status",
        "gift_card" => "gift_card",
        "variant_sku" | "sku" => "sku",
        "variant_grams" | "weight_value_(grams)" => "grams",
        "variant_inventory_qty" | "inventory_quantity" => "stock",
        "variant_inventory_tracker" | "inventory_tracker" => "tracker",
        "variant_inventory_policy" | "continue_selling_when_out_of_stock" => "policy",
        "variant_price" | "price" => "price",
        "variant_compare_at_price" | "compare_at_price" => "compare",
        "variant_requires_shipping" | "requires_shipping" => "shipping",
        "variant_taxable" | "charge_tax" => "taxable",
        "image_src" | "product_image_url" => "image",
        "image_alt_text" => "alt",
        name => {
            let option = name.strip_prefix("option")?;
            let (n, part) = option.split_once('_')?;
            return (matches!(n, "1" | "2" | "3") && matches!(part, "name" | "value"))
                .then(|| name.to_owned());
        }
    };
    Some(id.to_owned())
}

fn is_known(name: &str) -> bool {
    let beginnings = [
        "variant_",
        "google_shopping",
        "option",
        "seo_",
        "image_",
        "price_",
        "compare_at_price",
        "included_",
        "unit_price",
        "cost_per_item",
        "barcode",
        "inventory_",
        "fulfillment_",
        "tax_code",
        "weight_unit",
        "continue_selling",
        "collection",
        "template_suffix",
    ];
    beginnings.iter().any(|beginning| name.starts_with(beginning)) || name.contains("metafields")
}

/// A handle, and a price or the address of a picture.
fn is_row(get: &Get<'_>) -> bool {
    let (handle, price) = (get("handle"), get("price"));
    let is_sold =
        if price.is_empty() { get("image").contains("://") } else { cells::decimal(&price).is_some() };
    !handle.is_empty() && !handle.contains(char::is_whitespace) && is_sold
}
