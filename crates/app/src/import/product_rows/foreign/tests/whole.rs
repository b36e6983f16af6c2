//! Products go in whole, or not: what is refused of an export, and what that costs.

use super::*;

const HEADER: &str =
    "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Inventory Qty,Body (HTML)\n";

/// References that went in, and lines of what was refused.
fn outcome(format: Format, text: &str) -> (Vec<String>, Vec<u64>) {
    let told = read(format, text);
    let references = told.products.iter().map(|located| located.row.external_reference.clone());
    let mut lines: Vec<u64> = told.refused.iter().map(|(line, _)| *line).collect();
    lines.sort_unstable();
    (references.collect(), lines)
}

fn of(references: &[&str], lines: &[u64]) -> (Vec<String>, Vec<u64>) {
    (references.iter().map(|it| (*it).to_owned()).collect(), lines.to_vec())
}

fn shopify(rows: &str) -> (Vec<String>, Vec<u64>) {
    outcome(SHOPIFY, &format!("{HEADER}{rows}"))
}

#[test]
fn a_shopify_product_never_goes_in_without_one_of_its_rows() {
    let cap = "cap,Cap,Size,S,C-S,9,1,\ncap,,,M,C-M,9,1,\n";
    let mug = "mug,Mug,,,MUG,5,1,\n";
    for (rows, wanted, why) in [
        (format!("{cap}cap,,,L,C-L,ask,1,\n{mug}"), of(&["shopify:mug"], &[4]), "a price that is none"),
        (format!("{cap}cap,,,L,C-S,9,1,\n{mug}"), of(&["shopify:mug"], &[4]), "a SKU used twice"),
        (
            format!("{cap}cap,,,L,C-L,9,\"1,200\",\n{mug}"),
            of(&["shopify:mug"], &[4]),
            "stock of two meanings",
        ),
        (format!("{cap}cap,,,L,\"C-L\"x,9,1,\n{mug}"), of(&["shopify:mug"], &[2, 4]), "quotes"),
        (format!("{cap}\"cap\"x,,,L,C-L,9,1,\n{mug}"), of(&[], &[2, 4, 5]), "quotes around its handle"),
        (format!("{cap}cap,,,L,C-L,9,1,,more\n{mug}"), of(&["shopify:mug"], &[2, 4]), "too many columns"),
        (format!("{cap},,,L,C-L,9,1,\n{mug}"), of(&[], &[2, 4, 5]), "no handle"),
        (
            format!("{cap},Pan,,,P-1,9,1,\n{mug}"),
            of(&["shopify:cap", "shopify:mug"], &[4]),
            "no handle but a title",
        ),
        (format!("{mug}{cap}cap,,,L,\"C-L\n"), of(&["shopify:mug"], &[3, 5]), "the file ends within its row"),
        (format!("{cap}mug,Mug,,,\"MUG\n"), of(&["shopify:cap"], &[4]), "the file ends within another's row"),
        (
            format!("{cap}{mug}cap,,,L,C-L,9,1,\n"),
            of(&["shopify:cap", "shopify:mug"], &[5]),
            "it comes again",
        ),
    ] {
        assert_eq!(shopify(&rows), wanted, "{why}");
    }
    let text = format!("{HEADER}{cap}cap,,,L,C-L,ask,1,\n");
    let refused = SHOPIFY.read(Box::new(Cursor::new(text.into_bytes())), None).next();
    let Some(Item::Refused(problems)) = refused else { panic!("{refused:?}") };
    assert!(problems[0].reason.contains("would be removed"), "{problems:?}");
}

#[test]
fn the_fault_that_ends_a_file_is_told_after_what_goes_in() {
    // Whoever reads it first takes the whole file for unreadable.
    let text = format!("{HEADER}mug,Mug,,,,5,1,\njug,Jug,,,JUG,5,1,\npot,Pot,,,\"POT\n");
    let items: Vec<Item> = SHOPIFY.read(Box::new(Cursor::new(text.into_bytes())), None).collect();
    assert!(matches!(items.last(), Some(Item::Refused(problems)) if problems[0].is_last), "{items:?}");
    let text = format!("{WOO_HEADER}\n44,simple,,Hat,1,,,,,,,1,1,,,15,,,,,,,,,,,,\n45,simple,\"X\n");
    let items: Vec<Item> = WOO.read(Box::new(Cursor::new(text.into_bytes())), None).collect();
    assert!(matches!(items.last(), Some(Item::Refused(problems)) if problems[0].is_last), "{items:?}");
    assert_eq!(items.iter().filter(|item| matches!(item, Item::Product(_))).count(), 1);
}

#[test]
fn a_woocommerce_product_never_goes_in_without_one_of_its_variations() {
    let row = |id: u32, kind: &str, sku: &str, price: &str, parent: &str, value: &str| {
        format!("{id},{kind},{sku},Thing {id},1,,,,,,,1,1,,,{price},,,,{parent},Size,{value},,,,,,\n")
    };
    let tee = [
        row(50, "variable", "TEE", "", "", "\"S, M\""),
        row(51, "variation", "TEE-S", "9", "id:50", "S"),
        row(52, "variation", "TEE-M", "9", "TEE", "M"),
    ]
    .concat();
    let cup =
        [row(60, "variable", "CUP", "", "", "S"), row(61, "variation", "CUP-S", "9", "id:60", "S")].concat();
    let hat = row(70, "simple", "HAT", "9", "", "");
    let all = format!("{tee}{cup}{hat}");
    let (tee_in, cup_in, hat_in) = ("woocommerce:50", "woocommerce:60", "woocommerce:70");
    for (bad, wanted, why) in [
        (
            row(53, "variation", "TEE-L", "ask", "id:50", "L"),
            of(&[cup_in, hat_in], &[8]),
            "a price that is none",
        ),
        (row(53, "variation", "HAT", "9", "id:50", "L"), of(&[cup_in, hat_in], &[8]), "a SKU used twice"),
        (
            row(53, "variation", "TEE-L", "9", "TEE", "S"),
            of(&[cup_in, hat_in], &[8]),
            "attributes used twice",
        ),
        (row(53, "variation", "TEE-L", "9", "id:50", "\"L\"x"), of(&[cup_in, hat_in], &[2, 8]), "quotes"),
        (
            row(53, "variation", "\"T\"x", "9", "id:50", "L"),
            of(&[hat_in], &[2, 5, 8]),
            "quotes before its parent",
        ),
        (row(53, "simple", "\"T\"x", "9", "", ""), of(&[tee_in, cup_in, hat_in], &[8]), "a simple product"),
        (row(53, "variation", "TEE-L", "9", "id:50", "\"L"), of(&[hat_in], &[2, 5, 8]), "the file ends"),
    ] {
        let (mut references, lines) = outcome(WOO, &format!("{WOO_HEADER}\n{all}{bad}"));
        references.sort_unstable();
        assert_eq!((references, lines), wanted, "{why}");
    }
}

#[test]
fn a_made_sku_takes_none_that_the_file_names() {
    let text = format!("{HEADER}mug,Mug,Colour,Red,,5,1,\njug,Jug,,,JUG,5,1,\nother,Other,,,mug-red,5,1,\n");
    let told = read(SHOPIFY, &text);
    assert_eq!(told.refused, []);
    let skus = ["Jug", "Other", "Mug"].map(|name| named(&told, name).row.variants[0].sku.as_str());
    assert_eq!(skus, ["JUG", "mug-red", "mug-red-2"]);
}

#[test]
fn many_skus_are_made_of_one_name() {
    let mut skus = Skus::default();
    let long = "x".repeat(70);
    let mut last = String::new();
    for n in 0..20_000 {
        last = skus.make(["mug"].into_iter(), n);
        skus.make([long.as_str()].into_iter(), n);
    }
    assert_eq!(last, "mug-20000");
}

#[test]
fn stock_of_two_meanings_is_refused() {
    for (text, wanted) in [
        ("1,200", None),
        ("1.200", None),
        ("1,5", Some(1)),
        ("12.00", Some(12)),
        ("0,500", Some(0)),
        ("-3", Some(0)),
    ] {
        let mut notes = Vec::new();
        assert_eq!(stock(2, "Stock", text, &mut notes).ok().flatten(), wanted, "{text}");
    }
}

#[test]
fn exports_of_any_size_are_held_within_bounds() {
    // A product of endless rows is refused once, and no more of it is kept.
    let rows: String = (0..ROWS_MAX + 50).map(|n| format!("cap,Cap,Size,{n},C-{n},9,1,\n")).collect();
    assert_eq!(shopify(&format!("{rows}mug,Mug,,,MUG,5,1,\n")), of(&["shopify:mug"], &[5_002]));
    // Many variations of one product are compared in good time.
    let rows: String =
        (0..4_000).map(|n| format!("{n},variation,V-{n},V,1,,,,,,,1,1,,,9,,,,P,Size,{n},,,,,,\n")).collect();
    let text = format!("{WOO_HEADER}\n{rows}9999,variable,P,Pan,1,,,,,,,1,,,,,,,,,Size,,,,,,,\n");
    let told = read(WOO, &text);
    assert_eq!((told.products.len(), told.products[0].row.variants.len()), (1, 4_000));
    let pictures: String = (0..20_000).map(|n| format!("{n}.jpg, ")).collect();
    let text = format!("{WOO_HEADER}\n1,simple,S,Pan,1,,,,,,,1,1,,,9,,,\"{pictures}\",,,,,,,,,\n");
    assert_eq!(read(WOO, &text).products[0].row.images.len(), 20_000);
}
