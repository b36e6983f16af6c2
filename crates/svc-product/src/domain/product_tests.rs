use kernel::Currency;
use proptest::prelude::*;

use super::super::draft::Input;
use super::*;

fn why(seconds: i64) -> Why {
    Why { actor: "cus_1".into(), reason: "spring".into(), now: Timestamp::from_secs(seconds) }
}

fn input(skus: &[(&str, &str, i64)]) -> Input {
    Input {
        name: "Stoneware bowl".into(),
        option_names: vec!["colour".into()],
        variants: skus
            .iter()
            .map(|(sku, colour, micros)| InputVariant {
                sku: (*sku).into(),
                options: vec![OptionValue { name: "colour".into(), value: (*colour).into() }],
                prices: vec![UnitPrice::new(*micros, Currency::GBP)],
                weight_grams: 400,
                compare_at: Vec::new(),
            })
            .collect(),
        ..Input::default()
    }
}

fn product(skus: &[(&str, &str, i64)]) -> Product {
    let draft = input(skus).check().expect("a good product");
    Product::create(ProductId::from_bits(1), draft, Vec::new(), &why(1))
}

#[test]
fn skus_that_differ_in_case_alone_are_two() {
    let product = product(&[("85123A", "white", 2_550_000), ("85123a", "cream", 2_950_000)]);
    assert_eq!(product.variant("85123a").expect("is there").options[0].value, "cream");
    assert!(product.variant("85123").is_none());
}

#[test]
fn skus_that_look_the_same_are_one() {
    let made = product(&[("N-e\u{301}", "red", 1)]);
    assert_eq!(made.variants[0].sku, "N-é");
    let error = input(&[("N-e\u{301}", "red", 1), ("N-é", "blue", 1)]).check().expect_err("one SKU twice");
    assert_eq!(error.violations()[0].field, "/variants/1/sku");
}

#[test]
fn a_sku_that_an_earlier_release_stored_keeps_its_spelling() {
    let mut stored = product(&[("N-é", "red", 1), ("B", "blue", 2)]);
    "N-e\u{301}".clone_into(&mut stored.variants[0].sku);
    for given in ["N-é", "N-e\u{301}"] {
        let draft = input(&[(given, "red", 5), ("B", "blue", 2)]).check().expect("good");
        let revision = stored.revise(draft, Vec::new(), &why(2));
        assert_eq!(revision.product.variants[0].sku, "N-e\u{301}");
        assert_eq!(revision.prices.len(), 1, "the price changed, and no variant went");
    }
}

#[test]
fn texts_are_kept_as_they_read() {
    let mut pasted = input(&[("A", "sea\tblue", 1)]);
    pasted.name = "Cafe\u{301}\r\ncup\u{200b}".into();
    pasted.description = "first\r\nsecond\tline\rthird".into();
    pasted.synonyms = vec!["\u{feff}Mug".into()];
    let product =
        Product::create(ProductId::from_bits(1), pasted.check().expect("good"), Vec::new(), &why(1));
    assert_eq!((product.name.as_str(), product.slug.as_str()), ("Café cup", "cafe-cup"));
    assert_eq!(product.description, "first\nsecond line\nthird");
    assert_eq!(
        (product.synonyms[0].as_str(), product.variants[0].options[0].value.as_str()),
        ("Mug", "sea blue")
    );
    let mut hidden = input(&[("A\u{200b}", "red", 1)]);
    hidden.name = "\u{3164}".into();
    let error = hidden.check().expect_err("two wrong fields");
    let fields: Vec<_> = error.violations().iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["/name", "/variants/0/sku"]);
}

#[test]
fn every_wrong_field_is_named() {
    let mut wrong = input(&[("A", "red", -1), ("A", "red", 1), (" B", "blue", 1)]);
    wrong.name = "\u{7}".into();
    wrong.slug = "Not A Slug".into();
    wrong.status = Some(Status::Archived);
    wrong.variants[2].options.clear();
    wrong.variants[2].weight_grams = 1_000_001;
    wrong.variants[2].prices = vec![UnitPrice::new(1, Currency::EUR), UnitPrice::new(2, Currency::EUR)];
    wrong.images = vec![Image {
        source: ImageSource::Url("http://example.com/a.png".into()),
        alt: String::new(),
        width: 0,
        height: 20_001,
        widths: Vec::new(),
    }];
    wrong.attributes = vec![Attribute::default()];
    let error = wrong.check().expect_err("much is wrong");
    let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
    for field in [
        "/name",
        "/slug",
        "/status",
        "/variants/0/prices/0/micros",
        "/variants/1/sku",
        "/variants/1/options",
        "/variants/2/sku",
        "/variants/2/options",
        "/variants/2/weight_grams",
        "/variants/2/prices/1/currency_code",
        "/images/0/url",
        "/images/0/height",
        "/attributes/0/name",
        "/attributes/0/value",
    ] {
        assert!(fields.contains(&field), "{field} is not among {fields:?}");
    }
}

#[test]
fn a_product_without_variants_is_none_and_too_many_of_anything_are_refused() {
    assert_eq!(input(&[]).check().expect_err("none").violations()[0].field, "/variants");
    let mut many = input(&[("A", "red", 1)]);
    many.synonyms = (0..51).map(|n| format!("word {n}")).collect();
    assert_eq!(many.check().expect_err("too many").violations()[0].field, "/synonyms");
}

#[test]
fn the_same_again_changes_nothing() {
    let before = product(&[("A", "red", 1_000_000)]);
    let draft = input(&[("A", "red", 1_000_000)]).check().expect("good");
    assert!(before.revise(draft, Vec::new(), &why(9)).is_nothing());
    let same = before.with_price("A", UnitPrice::new(1_000_000, Currency::GBP), &why(9)).expect("same price");
    assert!(same.is_nothing());
}

#[test]
fn prices_are_in_the_order_they_were_set_also_when_the_clock_goes_back() {
    let before = product(&[("A", "red", 1_000_000)]);
    let price = |micros| UnitPrice::new(micros, Currency::GBP);
    let ahead = before.with_price("A", price(2_000_000), &why(31_536_000)).expect("a price").product;
    let back = ahead.with_price("A", price(3_000_000), &why(9)).expect("a price").product;
    let again = back.with_price("A", price(4_000_000), &why(10)).expect("a price").product;
    let since = [&before, &ahead, &back, &again].map(|product| product.variants[0].prices[0].since);
    assert!(since.is_sorted_by(|one, next| one < next), "{since:?}");
}

#[test]
fn a_new_price_ends_the_old_one_and_leaves_the_rest() {
    let before = product(&[("A", "red", 1_000_000), ("B", "blue", 2_000_000)]);
    let price = UnitPrice::new(1_500_000, Currency::GBP);
    let revision = before.with_price("A", price, &why(9)).expect("a price");
    assert!(!revision.details && !revision.archived);
    let [change] = revision.prices.as_slice() else { panic!("one change: {:?}", revision.prices) };
    let record = change.record().expect("there was a price");
    assert_eq!((record.price.unit.micros, record.price.since), (1_000_000, Timestamp::from_secs(1)));
    assert_eq!(revision.product.variants[0].prices[0].since, Timestamp::from_secs(9));
    assert_eq!(revision.product.variants[1], before.variants[1]);
    let error = before.with_price("C", price, &why(9)).expect_err("no such SKU");
    assert_eq!((error.reason(), error.message()), ("SKU_NOT_FOUND", "/sku is not a SKU of this product"));
}

#[test]
fn a_variant_that_leaves_takes_its_prices_to_the_history() {
    let before = product(&[("A", "red", 1_000_000), ("B", "blue", 2_000_000)]);
    let revision =
        before.revise(input(&[("A", "red", 1_000_000)]).check().expect("good"), Vec::new(), &why(9));
    assert!(revision.details);
    assert_eq!(revision.prices.len(), 1);
    assert!(revision.prices[0].after.is_none() && revision.prices[0].sku == "B");
}

#[test]
fn archiving_is_done_once_and_undone_by_an_update() {
    let before = product(&[("A", "red", 1_000_000)]);
    let archived = before.archive(&why(5));
    assert!(archived.archived && !archived.details);
    assert!(archived.product.archive(&why(6)).is_nothing());
    let mut again = input(&[("A", "red", 1_000_000)]);
    assert!(archived.product.revise(again.clone().check().expect("good"), Vec::new(), &why(7)).is_nothing());
    again.status = Some(Status::Active);
    let draft = again.check().expect("good");
    let back = archived.product.revise(draft, Vec::new(), &why(7));
    assert!(back.details && back.product.status == Status::Active);
}

#[test]
fn a_made_slug_stays_when_the_name_changes() {
    let before = product(&[("A", "red", 1_000_000)]);
    let mut renamed = input(&[("A", "red", 1_000_000)]);
    renamed.name = "Stoneware dish".into();
    let revision = before.revise(renamed.clone().check().expect("good"), Vec::new(), &why(9));
    assert_eq!(revision.product.slug, "stoneware-bowl");
    renamed.slug = "dish".into();
    assert_eq!(before.revise(renamed.check().expect("good"), Vec::new(), &why(9)).product.slug, "dish");
}

fn catalogue() -> impl Strategy<Value = Vec<(String, i64, i64)>> {
    prop::collection::vec((0_u8..12, 0_i64..5, 0_i64..5), 1..8).prop_map(|rows| {
        let mut rows: Vec<_> = rows.into_iter().map(|(n, a, b)| (format!("S{n}"), a, b)).collect();
        rows.sort();
        rows.dedup_by(|a, b| a.0 == b.0);
        rows
    })
}

fn priced(rows: &[(String, i64, i64)]) -> Input {
    let rows: Vec<_> = rows.iter().map(|(sku, gbp, eur)| (sku.as_str(), sku.as_str(), *gbp, *eur)).collect();
    let mut input =
        input(&rows.iter().map(|(sku, colour, gbp, _)| (*sku, *colour, *gbp)).collect::<Vec<_>>());
    for (variant, (_, _, _, eur)) in input.variants.iter_mut().zip(&rows) {
        // A price of 0 in euro stands for none, so that currencies come and go.
        variant.prices.extend((*eur > 0).then(|| UnitPrice::new(*eur, Currency::EUR)));
    }
    input
}

proptest! {
    #[test]
    fn prices_before_with_the_changes_are_the_prices_after(a in catalogue(), b in catalogue()) {
        let draft = priced(&a).check().expect("good");
        let before = Product::create(ProductId::from_bits(1), draft, Vec::new(), &why(1));
        let revision = before.revise(priced(&b).check().expect("good"), Vec::new(), &why(2));
        let list = |product: &Product| {
            let of = |v: &Variant| v.prices.iter().map(|p| ((v.sku.clone(), p.unit.currency), p.clone())).collect::<Vec<_>>();
            product.variants.iter().flat_map(of).collect::<std::collections::BTreeMap<_, _>>()
        };
        let mut folded = list(&before);
        for change in &revision.prices {
            let key = (change.sku.clone(), change.currency);
            prop_assert_eq!(folded.remove(&key), change.before.clone());
            if let Some(after) = change.after.clone() {
                folded.insert(key, after);
            }
        }
        prop_assert_eq!(folded, list(&revision.product));
    }

    #[test]
    fn any_text_is_checked_without_a_panic(name in any::<String>(), sku in any::<String>(), value in any::<String>()) {
        let mut wild = input(&[("A", "red", 1)]);
        wild.name = name;
        wild.variants[0].sku = sku;
        wild.variants[0].options[0].value = value;
        if let Ok(draft) = wild.check() {
            prop_assert!(super::super::slug_is_good(draft.slug()));
            prop_assert!(super::super::slug_is_good(draft.with_slug_tail("a1b2c3").slug()));
        }
    }
}

#[test]
fn catalogues_of_other_shops_fit() {
    let mut wide = input(&[("A", "red", 1_000_000)]);
    wide.name = "n".repeat(255);
    wide.description = "d".repeat(20_000);
    wide.external_reference = "r".repeat(300);
    wide.option_names = vec!["o".repeat(100)];
    let variant = |n: usize| InputVariant {
        sku: format!("SKU-{n}"),
        options: vec![OptionValue { name: "o".repeat(100), value: format!("{n:v>255}") }],
        prices: vec![UnitPrice::new(0, Currency::GBP)],
        ..InputVariant::default()
    };
    wide.variants = (0..250).map(variant).collect();
    wide.attributes = vec![Attribute { name: "tag".into(), value: "t".repeat(255) }];
    wide.clone().check().expect("as large as the largest");
    wide.variants.push(variant(250));
    wide.name.push('n');
    let error = wide.check().expect_err("larger");
    let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["/name", "/variants"]);
}

#[test]
fn a_picture_is_called_by_its_product_and_needs_no_sizes() {
    let mut plain = input(&[("A", "red", 1)]);
    let source = ImageSource::Url("https://example.com/a.png".into());
    plain.images = vec![Image { source, alt: String::new(), width: 0, height: 0, widths: Vec::new() }];
    let product = Product::create(ProductId::from_bits(1), plain.check().expect("good"), Vec::new(), &why(1));
    assert_eq!(product.images[0].alt, "Stoneware bowl");
}

#[test]
fn a_price_is_compared_with_higher_ones_alone() {
    let mut sale = input(&[("A", "red", 45_000_000)]);
    let compare = |micros, currency| UnitPrice::new(micros, currency);
    sale.variants[0].compare_at =
        vec![compare(55_000_000, Currency::GBP), compare(60_000_000, Currency::EUR)];
    let draft = sale.clone().check().expect("good");
    let product = Product::create(ProductId::from_bits(1), draft, Vec::new(), &why(1));
    let compared = |product: &Product| product.variants[0].compared().collect::<Vec<_>>();
    assert_eq!(compared(&product), [compare(55_000_000, Currency::GBP)], "it has no price in euros");
    let dearer = product.with_price("A", compare(55_000_000, Currency::GBP), &why(2)).expect("a price");
    assert_eq!(compared(&dearer.product), []);
    sale.variants[0].compare_at.push(compare(-1, Currency::USD));
    let error = sale.check().expect_err("below zero");
    assert_eq!(error.violations()[0].field, "/variants/0/compare_at_prices/2/micros");
}
