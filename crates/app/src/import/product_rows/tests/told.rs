//! What is said of cells that are wrong, and of what goes in otherwise than it stands in the file.

use super::*;
use crate::import::sent::{keep_back_unpriced, skip_elsewhere};

/// Everything that is wrong with a file, that which needs no catalogue included.
fn reasons(text: &str) -> Vec<String> {
    let of_item = |item| match item {
        Item::Refused(problems) => problems,
        Item::Product(located) => {
            let wrong = located.row.to_import().err().unwrap_or_default();
            wrong.iter().map(|(pointer, reason)| located.problem(pointer, reason)).collect()
        }
        Item::Note(_) => Vec::new(),
    };
    items(Format::Csv, text).into_iter().flat_map(of_item).map(|problem| problem.to_string()).collect()
}

#[test]
fn an_empty_sku_is_told_once() {
    assert_eq!(
        reasons("name,sku,prices\nM,,1 GBP\nN,,1 GBP\nO,O,1 GBP\n"),
        ["line 2: sku is empty", "line 3: sku is empty"]
    );
}

#[test]
fn a_price_is_refused_for_what_is_wrong_with_it() {
    for (price, said) in [
        ("-5 GBP", "whose price is below zero"),
        ("999999999999999999 GBP", "whose price is too large"),
        ("5 GBP 6 EUR", "several are separated by semicolons"),
        ("5 GBP, 6 EUR", "several are separated by semicolons"),
        ("1.1234567 GBP", "not a decimal number of at most 6 decimals"),
        ("1. GBP", "not a decimal number of at most 6 decimals"),
        ("5 XTS", "is in \"XTS\", which is not an ISO 4217 currency code"),
    ] {
        let told = reasons(&format!("name,sku,prices\nCup,C,\"{price}\"\n"));
        assert!(told.len() == 1 && told[0].contains(said), "{price}: {told:?}");
    }
}

#[test]
fn refusals_quote_what_they_refuse() {
    let told = reasons("name,sku,prices,tax_class,status,stock\nCup,C,1 GBP,luxury,archived,-3\n");
    for (told, seen) in told.iter().zip(["\"luxury\"", "\"archived\"", "-3"]) {
        assert!(told.contains(seen), "{told}");
    }
    assert_eq!(told.len(), 3);
    let row = good(Format::Csv, "name,sku,prices,slug,options\nCup,C,1 GBP,A b,size=L\n").remove(0).row;
    let sent = row.to_import().expect("good").product;
    for (pointer, seen) in [
        ("/product/slug", "must be so; it is \"A b\""),
        ("/product/option_names/0", "must be so; it is \"size\""),
        ("/product/variants/0/options/0/value", "must be so; it is \"L\""),
        ("/product/variants/7/sku", "must be so"),
    ] {
        assert_eq!(Located::with_value(sent.as_ref(), pointer, "must be so"), seen);
    }
}

#[test]
fn a_table_without_its_columns_names_all_and_the_shop_that_it_looks_like() {
    for (header, said) in [
        (
            "Handle,Title,Body (HTML),Variant Price\n",
            "name, sku, prices are missing from the header, which is \"Handle,Title,Body (HTML),Variant Price\" (separated by \
             ','); it looks like an export of Shopify: give --from shopify --currency CODE",
        ),
        (
            "ID,Type,SKU,Name,Regular price\n",
            "prices is missing from the header, which is \"ID,Type,SKU,Name,Regular price\" (separated by ','); it looks like \
             an export of WooCommerce: give --from woocommerce --currency CODE",
        ),
        ("sku\n", "name, prices are missing from the header, which is \"sku\" (separated by ',')"),
    ] {
        assert_eq!(reasons(header), [format!("line 1: {said}")]);
    }
    let told: Vec<_> = problems(Format::Shopify(Currency::GBP), "Handle,Body\n");
    assert_eq!(told, [(1, "Title, Variant Price".to_owned())]);
}

#[test]
fn what_has_no_price_goes_in_as_a_draft_and_is_told() {
    let header = "external_reference,name,sku,prices,status\n";
    for (rows, lines, status) in [
        ("a,Cup,C,,\n", [2, 2].as_slice(), "draft"),
        ("a,Cup,C,,active\n", &[2, 2], "draft"),
        ("a,Cup,C,,draft\n", &[2], "draft"),
        ("a,Cup,C,1 GBP,\na,,D,,\n", &[3], ""),
        ("a,Cup,C,1 GBP,\n", &[], ""),
    ] {
        let mut located = good(Format::Csv, format!("{header}{rows}")).remove(0);
        let told = keep_back_unpriced(&mut located);
        assert_eq!(told.iter().map(|note| note.line).collect::<Vec<_>>(), lines, "{rows}");
        assert!(told.iter().all(|note| note.column == "prices"), "{told:?}");
        assert_eq!(located.row.status, status, "{rows}");
    }
    let export = "Handle,Title,Variant Price,Variant SKU\ncup,Cup,,C\n";
    let mut located = good(Format::Shopify(Currency::GBP), export).remove(0);
    assert_eq!((keep_back_unpriced(&mut located).len(), located.row.status.as_str()), (1, "draft"));
}

#[test]
fn pictures_at_an_address_are_skipped_and_told() {
    for (images, said) in [
        (
            "https://x.example/a.jpg",
            Some("is a picture that stands elsewhere, \"https://x.example/a.jpg\"; it is skipped"),
        ),
        (
            "http://x.example/a.jpg",
            Some("is a picture that stands elsewhere, \"http://x.example/a.jpg\"; it is skipped"),
        ),
        (
            "b.jpg; https://x.example/a.jpg 8x6 seen; http://y.example/",
            Some(
                "has 2 pictures that stand elsewhere, \"https://x.example/a.jpg\" the first; they are skipped",
            ),
        ),
        ("b.jpg", None),
    ] {
        let text = format!("name,sku,prices,images\nCup,C,1 GBP,{images}\n");
        let mut located = good(Format::Csv, text).remove(0);
        let told = skip_elsewhere(&mut located).map(|note| note.reason);
        assert_eq!(told.as_deref(), said);
        assert_eq!(located.row.images.len(), usize::from(images.starts_with('b')));
    }
}

#[test]
fn a_guessed_encoding_is_told_with_a_sample() {
    let told = notes(Format::Csv, b"name,sku,prices\nCaf\xe9,C,1 GBP\n");
    let said = "the file was read as windows-1252, so that it has \"Caf\u{e9}\"; give --encoding NAME where that is wrong";
    assert_eq!(told.iter().map(|note| note.reason.as_str()).collect::<Vec<_>>(), [said]);
}
