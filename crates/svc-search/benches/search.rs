//! Searches over 100,000 products, one after another on one core: what a shop's visitors ask, with and without facets.
//!
//! `cargo bench -p svc-search`

use criterion::{Criterion, criterion_group, criterion_main};
use kernel::{Currency, ProductId, Timestamp};
use svc_search::domain::{Ask, AttributeChoice, Product, Sort};
use svc_search::index::Index;

const PRODUCTS: u32 = 100_000;
const WRITER_BYTES: usize = 64_000_000;

const FIRST: &[&str] = &[
    "White", "Red", "Vintage", "Hanging", "Small", "Large", "Set of 3", "Retro", "Wooden", "Blue", "Pink",
    "Jumbo", "Ceramic", "Glass", "Paper", "Linen", "Felt", "Enamel", "Silver", "Regency",
];
const SECOND: &[&str] = &[
    "heart",
    "polka dot",
    "spotty",
    "union jack",
    "rose",
    "star",
    "butterfly",
    "cake",
    "doily",
    "strawberry",
    "woodland",
    "christmas",
    "paisley",
    "gingham",
    "tartan",
    "nautical",
    "alphabet",
    "garden",
    "kitchen",
    "circus",
];
const THIRD: &[&str] = &[
    "mug",
    "bowl",
    "teapot",
    "t-light holder",
    "lunch bag",
    "cake stand",
    "bunting",
    "notebook",
    "candle",
    "clock",
    "scarf",
    "tray",
    "basket",
    "cushion",
    "lamp",
    "rug",
    "doormat",
    "hot water bottle",
    "drawer knob",
    "gift tape",
];

fn product(number: u32) -> Product {
    let pick =
        |words: &'static [&'static str], divisor: u32| words[(number / divisor) as usize % words.len()];
    let name = format!("{} {} {} {}", pick(FIRST, 1), pick(SECOND, 20), pick(THIRD, 400), number / 8000);
    let colour = ["red", "blue", "green", "white", "black"][number as usize % 5];
    Product {
        id: ProductId::from_bits(u128::from(number) << 64 | 1),
        version: 1,
        is_active: true,
        description: format!("A {name} for the house, made with care and sent with care."),
        synonyms: vec![format!("{} {}", pick(THIRD, 400), pick(FIRST, 1))],
        skus: vec![format!("SKU{number}")],
        attributes: vec![
            ("colour".into(), colour.into()),
            ("range".into(), format!("range {}", number % 50)),
        ],
        trail: vec!["cat_all".into(), format!("cat_{}", number / 400 % 20)],
        lowest: vec![(Currency::GBP, i64::from(number % 9_900 + 100) * 10_000)],
        created: Timestamp::from_secs(i64::from(number)),
        hit: name.clone().into_bytes(),
        name,
    }
}

fn index() -> Index {
    let index = Index::create(None).expect("in memory");
    let mut writer = index.writer(WRITER_BYTES).expect("a writer");
    for number in 0..PRODUCTS {
        writer.put(&product(number)).expect("put");
    }
    writer.commit(None).expect("commit");
    writer.close().expect("close");
    index
}

fn asks(facets: bool) -> Vec<Ask> {
    let words = [
        "red heart mug",
        "teapot",
        "hanging ligh",
        "woodland cl",
        "SKU4711",
        "strawbery tray",
        "linen",
        "cake stand",
        "",
    ];
    let ask = |query: &&str| Ask {
        query: (*query).into(),
        limit: 20,
        facets,
        currency: Some(Currency::GBP),
        ..Ask::default()
    };
    words.iter().map(|word| ask(word).check().expect("good")).collect()
}

fn search(criterion: &mut Criterion) {
    let index = index();
    let mut group = criterion.benchmark_group("100,000 products");
    for (name, asks) in [("visitors' words", asks(false)), ("with facets", asks(true))] {
        for ask in &asks {
            group.bench_function(format!("{name}: {:?}", ask.query), |bencher| {
                bencher.iter(|| index.ask(ask, None).expect("an answer"));
            });
        }
        group.bench_function(format!("{name}: mixed"), |bencher| {
            let mut next = asks.iter().cycle();
            bencher.iter(|| index.ask(next.next().expect("endless"), None).expect("an answer"));
        });
    }
    let choice = AttributeChoice { name: "colour".into(), values: vec!["red".into()] };
    let category = Ask {
        categories: vec!["cat_3".into()],
        attributes: vec![choice],
        sort: Sort::PriceAscending,
        currency: Some(Currency::GBP),
        limit: 20,
        ..Ask::default()
    };
    let category = category.check().expect("good");
    group.bench_function("a category by price", |bencher| {
        bencher.iter(|| index.ask(&category, None).expect("an answer"));
    });
    group.finish();
}

criterion_group!(benches, search);
criterion_main!(benches);
