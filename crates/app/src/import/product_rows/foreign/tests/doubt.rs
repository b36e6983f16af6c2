//! What an export does not say for certain: it is told, and nothing goes live or untaxed by it.

use super::*;

const HEADER: &str = "ID,Type,SKU,Name,Published,Tax status,Tax class,Stock,Regular price,Categories,Parent,Attribute 1 name,Attribute 1 value(s)";

fn woo(rows: &[&str]) -> Told {
    read(WOO, &format!("{HEADER}\n{}\n", rows.join("\n")))
}

/// The notes and the status of a simple product by its type and what stands under "Published".
fn woo_status(kind: &str, published: &str) -> (String, Vec<(u64, String)>) {
    let told = woo(&[&format!("1,{kind},A,Hat,{published},taxable,,1,9,,,,")]);
    assert_eq!(told.refused, [], "{kind} {published}");
    (named(&told, "Hat").row.status.clone(), told.notes)
}

#[test]
fn what_is_not_published_for_certain_is_kept_back_and_told() {
    for published in ["1", "1.0", "TRUE", "yes", "publish", "WAHR"] {
        assert_eq!(woo_status("simple", published), ("active".to_owned(), Vec::new()), "{published}");
    }
    for published in
        ["'-1", "-1", "-1.0", "0", "0.0", "2", "draft", "private", "FALSO", "ONWAAR", "maybe", ""]
    {
        let wanted = ("draft".to_owned(), vec![(2, "Published".to_owned())]);
        assert_eq!(woo_status("simple", published), wanted, "{published}");
    }
    let told = read(WOO, "ID,Type,SKU,Name,Regular price\n1,simple,A,Hat,9\n");
    assert_eq!((named(&told, "Hat").row.status.as_str(), told.notes.len()), ("active", 0));
    for (published, status) in
        [("FALSO", "draft"), ("ONWAAR", "draft"), ("maybe", "draft"), ("", "active"), ("VERO", "active")]
    {
        let told = read(
            SHOPIFY,
            &format!(
                "Handle,Title,Published,Variant SKU,Variant Price,Status\nhat,Hat,{published},A,9,active\n"
            ),
        );
        assert_eq!(named(&told, "Hat").row.status, status, "{published}");
        assert_eq!(told.notes.len(), usize::from(status == "draft"), "{published}");
    }
}

#[test]
fn what_is_no_parcel_is_kept_back_and_told() {
    for kind in ["booking", "bundle", "subscription", "gift-card", ""] {
        let wanted = ("draft".to_owned(), vec![(2, "Type".to_owned())]);
        assert_eq!(woo_status(kind, "1"), wanted, "{kind}");
    }
    for kind in
        ["\"simple, virtual\"", "virtual", "\"simple, downloadable, virtual\"", "\"Simple, Downloadable\""]
    {
        let wanted = ("draft".to_owned(), vec![(2, "Type".to_owned())]);
        assert_eq!(woo_status(kind, "1"), wanted, "{kind}");
    }
    for (shipping, status) in [("FALSE", "draft"), ("false", "draft"), ("TRUE", "active"), ("", "active")] {
        for column in ["Variant Requires Shipping", "Requires shipping"] {
            let told = read(
                SHOPIFY,
                &format!(
                    "Handle,Title,{column},Variant SKU,Variant Price,Option1 Name,Option1 Value\n\
                     hat,Hat,TRUE,A,9,Kind,Felt\nhat,,{shipping},B,9,Kind,Pattern\n"
                ),
            );
            assert_eq!(named(&told, "Hat").row.status, status, "{shipping}");
            let notes: Vec<_> = told.notes.iter().map(|(line, column)| (*line, column.as_str())).collect();
            let wanted = if status == "draft" { vec![(3, "Variant Requires Shipping")] } else { Vec::new() };
            assert_eq!(notes, wanted, "{shipping}");
        }
    }
    for (card, status) in
        [("TRUE", "draft"), ("WAHR", "draft"), ("maybe", "draft"), ("FALSE", "active"), ("", "active")]
    {
        let told =
            read(SHOPIFY, &format!("Handle,Title,Gift Card,Variant SKU,Variant Price\nhat,Hat,{card},A,9\n"));
        assert_eq!(named(&told, "Hat").row.status, status, "{card}");
        let columns: Vec<&str> = told.notes.iter().map(|(_, column)| column.as_str()).collect();
        assert_eq!(columns, if status == "draft" { vec!["Gift Card"] } else { Vec::new() }, "{card}");
    }
}

#[test]
fn a_product_with_a_variation_that_is_no_parcel_is_kept_back() {
    for (kind, status, notes) in [
        ("\"variation, virtual\"", "draft", vec![(3, "Type".to_owned())]),
        ("variation", "active", Vec::new()),
    ] {
        let told = woo(&[
            "1,variable,P,Hat,1,taxable,,,,,,Size,\"S, L\"",
            &format!("2,{kind},A,x,1,taxable,,4,9,,P,Size,S"),
            "3,variation,B,x,1,taxable,,3,9,,P,Size,L",
        ]);
        assert_eq!((named(&told, "Hat").row.status.as_str(), &told.notes), (status, &notes), "{kind}");
    }
}

#[test]
fn an_apostrophe_before_what_looks_like_a_formula_is_not_of_the_cell() {
    let told = woo(&[
        "1,variable,'-P,'=Hat,1,taxable,,,,'@Home > '+More,,'+Size,\"'-S, L\"",
        "2,variation,'-S,x,1,taxable,,'-4,9,,'-P,'+Size,'-S",
        "3,variation,L,x,1,taxable,,3,9,,'-P,'+Size,L",
        "4,simple,Q,'Quoted' bowl,1,taxable,,1,9,,,,",
    ]);
    assert_eq!(told.refused, []);
    let hat = &named(&told, "=Hat").row;
    let variants: Vec<_> = hat
        .variants
        .iter()
        .map(|variant| (variant.sku.as_str(), variant.options["+Size"].as_str(), variant.stock))
        .collect();
    assert_eq!(variants, [("-S", "-S", Some(0)), ("L", "L", Some(3))]);
    assert_eq!(hat.categories, ["@Home/'+More"]);
    assert_eq!(told.notes, [(3, "Stock".to_owned())], "below zero");
    assert_eq!(named(&told, "'Quoted' bowl").row.variants[0].sku, "Q");
}

#[test]
fn variations_of_a_draft_wait_with_it() {
    let told = woo(&[
        "1,variable,P,Hat,-1,taxable,,,,,,Size,\"S, L, M\"",
        "2,variation,S,x,'-1,taxable,,4,9,,P,Size,S",
        "3,variation,L,x,0,taxable,,3,9,,P,Size,L",
        "4,variation,M,x,,taxable,,3,9,,P,Size,M",
    ]);
    let hat = &named(&told, "Hat").row;
    assert_eq!((hat.status.as_str(), hat.variants.len(), hat.variants[0].sku.as_str()), ("draft", 1, "S"));
    let columns: Vec<_> = told.notes.iter().map(|(line, column)| (*line, column.as_str())).collect();
    assert_eq!(columns, [(4, "Published"), (5, "Published"), (2, "Published")]);
}

#[test]
fn rows_of_one_product_that_differ_in_tax_take_the_highest() {
    let shopify = |book: &str, toy: &str| {
        let told = read(
            SHOPIFY,
            &format!(
                "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Taxable\n\
                 set,Set,Kind,Book,B,9,{book}\nset,,,Toy,T,9,{toy}\n"
            ),
        );
        (named(&told, "Set").row.tax_class.clone(), told.notes)
    };
    let at = |line: u64, column: &str| vec![(line, column.to_owned())];
    assert_eq!(shopify("false", "true"), ("standard".to_owned(), at(2, "Variant Taxable")));
    assert_eq!(shopify("true", "false"), ("standard".to_owned(), at(3, "Variant Taxable")));
    assert_eq!(shopify("false", "false"), ("zero".to_owned(), Vec::new()));
    assert_eq!(shopify("false", ""), ("zero".to_owned(), Vec::new()));
    let woo = |status: &str, parent: &str, first: &str, second: &str| {
        let told = woo(&[
            &format!("1,variable,P,Set,1,{status},{parent},,,,,Kind,\"A, B\""),
            &format!("2,variation,A,x,1,{status},{first},1,9,,P,Kind,A"),
            &format!("3,variation,B,x,1,{status},{second},1,9,,P,Kind,B"),
        ]);
        (named(&told, "Set").row.tax_class.clone(), told.notes)
    };
    assert_eq!(woo("taxable", "", "zero-rate", "standard"), ("standard".to_owned(), at(3, "Tax class")));
    assert_eq!(woo("taxable", "", "zero-rate", "reduced-rate"), ("reduced".to_owned(), at(3, "Tax class")));
    assert_eq!(woo("taxable", "reduced-rate", "parent", "parent"), ("reduced".to_owned(), Vec::new()));
    assert_eq!(woo("taxable", "", "zero-rate", "zero-rate"), ("zero".to_owned(), Vec::new()));
    assert_eq!(woo("none", "", "", "standard"), ("zero".to_owned(), Vec::new()));
}

#[test]
fn entities_are_decoded_in_categories_too() {
    let told = woo(&["1,simple,A,Hat,1,taxable,,1,9,\"Food > Tea &amp; Coffee, R&#038;B\",,,"]);
    assert_eq!(named(&told, "Hat").row.categories, ["Food/Tea & Coffee", "R&B"]);
    let text = "Handle,Title,Vendor,Type,Tags,Variant SKU,Variant Price\nhat,Hat,Ash &amp; Oak,Tea &amp; Coffee,a &amp; b,A,9\n";
    let told = read(SHOPIFY, text);
    let hat = &named(&told, "Hat").row;
    assert_eq!(hat.categories, ["Tea & Coffee"]);
    assert!(
        format!("{:?}", hat.attributes).contains("Ash & Oak")
            && format!("{:?}", hat.attributes).contains("a & b")
    );
}

#[test]
fn texts_that_are_cut_are_told() {
    let (title, value) = ("t".repeat(NAME_CHARS_MAX + 1), "v".repeat(300));
    let columns = |told: Told| {
        assert_eq!((told.refused.len(), told.products.len()), (0, 1));
        told.notes.into_iter().map(|(_, column)| column).collect::<Vec<_>>()
    };
    let text = format!(
        "Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Price\nhat,{title},{value},Size,{value},A,9\n"
    );
    assert_eq!(columns(read(SHOPIFY, &text)), ["Option1 Value", "Title", "Tags"]);
    let parent = format!("1,variable,P,{title},1,taxable,,,,,,Size,{value}");
    let told = woo(&[&parent, &format!("2,variation,A,x,1,taxable,,1,9,,P,Size,{value}")]);
    assert_eq!(columns(told), ["Name", "Attribute 1 value(s)"]);
}

#[test]
fn handles_and_skus_that_look_the_same_are_one() {
    let header = "Handle,Title,Variant SKU,Variant Price\n";
    let told = read(SHOPIFY, &format!("{header}té,Tea,A,9\nx,Other,X,9\nte\u{301},Tee,B,9\n"));
    assert_eq!((told.products.len(), told.refused), (2, vec![(4, "Handle".to_owned())]));
    let told = read(SHOPIFY, &format!("{header}a,Tea,N-é,9\nb,Tee,N-e\u{301},9\n"));
    assert_eq!((told.products.len(), told.refused), (1, vec![(3, "Variant SKU".to_owned())]));
}
