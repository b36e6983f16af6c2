use std::collections::BTreeMap;

use kernel::{Currency, ProductId, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::domain::{Ask, AttributeChoice, PriceRange, Product, Sort, Understanding};

fn product(number: u128, name: &str) -> Product {
    Product {
        id: ProductId::from_bits(number),
        version: 1,
        is_active: true,
        name: name.into(),
        description: String::new(),
        synonyms: Vec::new(),
        skus: vec![format!("SKU-{number}")],
        attributes: Vec::new(),
        trail: Vec::new(),
        lowest: Vec::new(),
        created: Timestamp::from_secs(i64::try_from(number).expect("small")),
        hit: number.to_string().into_bytes(),
    }
}

fn index(products: &[Product]) -> Index {
    let index = Index::create(None).expect("in memory");
    let mut writer = index.writer(0).expect("the only writer");
    // Several segments, as a living index has.
    for some in products.chunks(7) {
        for product in some {
            writer.put(product).expect("put");
        }
        writer.commit(None).expect("commit");
    }
    writer.close().expect("close");
    index
}

fn ask(query: &str) -> Ask {
    Ask { query: query.into(), limit: 100, ..Ask::default() }.check().expect("good")
}

fn found(index: &Index, ask: &Ask) -> Vec<String> {
    let hits = index.ask(ask, None).expect("an answer").hits.clone();
    hits.into_iter().map(|hit| String::from_utf8(hit).expect("a number")).collect()
}

fn hall() -> Index {
    let mut teapot = product(1, "Stoneware teapot");
    teapot.synonyms = vec!["Tea kettle".into()];
    teapot.attributes = vec![("material".into(), "stoneware".into())];
    let mut bowl = product(2, "Bowl");
    bowl.description = "Goes with the teapot.".into();
    let tall = product(3, "Tall bowl for salad");
    let cushion = product(4, "Linen cushions");
    let mut mug = product(5, "85123 mug");
    mug.skus = vec!["85123A".into()];
    index(&[teapot, bowl, tall, cushion, mug])
}

#[test]
fn words_are_found_wherever_they_stand_and_the_name_counts_most() {
    let index = hall();
    assert_eq!(found(&index, &ask("teapot")), ["1", "2"]);
    assert_eq!(found(&index, &ask("KETTLE ")), ["1"]);
    assert_eq!(found(&index, &ask("stoneware teapots")), ["1"]);
    assert_eq!(found(&index, &ask("85123a")), ["5"]);
    assert_eq!(found(&index, &ask("")), ["5", "4", "3", "2", "1"]);
}

#[test]
fn signs_alone_find_nothing_and_blanks_everything() {
    let index = hall();
    for query in ["!!!", "🎁", "-", "\u{200b}", " … "] {
        for facets in [false, true] {
            let ask = Ask { facets, categories: vec!["cat_k".into()], ..ask(query) };
            let hits = index.ask(&ask, None).expect("an answer");
            assert_eq!((hits.total, hits.hits.len()), (0, 0), "{query:?}");
        }
    }
    assert_eq!(found(&index, &ask("  ")).len(), 5);
}

#[test]
fn the_exact_name_comes_first() {
    let index = index(&[product(1, "Bowl bowl bowl"), product(2, "Bowl"), product(3, "A bowl")]);
    assert_eq!(found(&index, &ask("bowl"))[0], "2");
    assert_eq!(found(&index, &ask("BOWLS"))[0], "2");
}

#[test]
fn the_last_word_may_be_a_beginning_and_words_may_have_errors() {
    let index = hall();
    assert_eq!(found(&index, &ask("cush")), ["4"]);
    assert_eq!(found(&index, &ask("cush ")), [""; 0]);
    for typo in ["cushon", "cushoin ", "cushinos", "linnen cushion"] {
        let hits = index.ask(&ask(typo), None).expect("an answer");
        assert_eq!((hits.understanding, hits.total), (Understanding::Corrected, 1), "{typo}");
    }
    assert_eq!(index.ask(&ask("mgu"), None).expect("an answer").total, 0);
}

#[test]
fn singular_and_plural_find_each_other() {
    let names = [
        "Hoodie with pocket",
        "Beanies",
        "Camera lens 50 mm",
        "Cookie jar",
        "Bread knives",
        "Wall shelf",
        "Glasses",
        "Menu holder",
        "TV stand",
        "Rack for CDs",
    ];
    let all: Vec<_> = (1..).zip(names).map(|(number, name)| product(number, name)).collect();
    let index = index(&all);
    for (query, number) in [
        ("hoodies", "1"),
        ("hoodie ", "1"),
        ("beanie", "2"),
        ("beanies ", "2"),
        ("lenses", "3"),
        ("lens ", "3"),
        ("cookies", "4"),
        ("knife", "5"),
        ("knives ", "5"),
        ("shelves", "6"),
        ("glass", "7"),
        ("glasses ", "7"),
        ("menus ", "8"),
        ("tvs ", "9"),
        ("cd ", "10"),
    ] {
        let hits = index.ask(&ask(query), None).expect("an answer");
        assert_eq!(
            (hits.understanding, hits.hits.as_slice()),
            (Understanding::Exact, &[number.as_bytes().to_vec()][..]),
            "{query}"
        );
    }
    for typed in ["hood", "hoodi", "hoodie", "cook", "kniv", "shel", "glasse"] {
        let hits = index.ask(&ask(typed), None).expect("an answer");
        assert_eq!((hits.understanding, hits.total), (Understanding::Exact, 1), "{typed}");
    }
}

#[test]
fn letters_are_found_without_their_marks() {
    let names = [
        "Phở bowl, wide",
        "Ľahká bunda",
        "Ķirsis",
        "Cafe\u{301} cre\u{300}me cups",
        "ＡＢＣ ノート",
        "Cămașă albă",
        "Łódź lamp",
    ];
    let all: Vec<_> = (1..).zip(names).map(|(number, name)| product(number, name)).collect();
    let index = index(&all);
    for (query, number) in [
        ("pho", "1"),
        ("phở ", "1"),
        ("lahka", "2"),
        ("ľahká ", "2"),
        ("kirsis", "3"),
        ("creme", "4"),
        ("crème cup", "4"),
        ("ABC", "5"),
        ("ａｂｃ ", "5"),
        ("ノート", "5"),
        ("camasa", "6"),
        ("lodz", "7"),
        ("LÓDŹ ", "7"),
    ] {
        let hits = index.ask(&ask(query), None).expect("an answer");
        assert_eq!(
            (hits.understanding, hits.hits.as_slice()),
            (Understanding::Exact, &[number.as_bytes().to_vec()][..]),
            "{query}"
        );
    }
}

#[test]
fn compounds_are_found_however_they_are_written() {
    let mut router = product(1, "Wi-Fi router");
    router.synonyms = vec!["Access point".into()];
    let mut plain = product(4, "Router");
    plain.description = "With wi-fi.".into();
    let index = index(&[
        router,
        product(2, "Tshirt"),
        product(3, "T-Shirt, white"),
        plain,
        product(5, "Tea pot"),
        product(6, "Teapots"),
    ]);
    let same = |query: &str| {
        let mut found = found(&index, &ask(query));
        found.sort();
        found
    };
    for query in ["wifi ", "wi-fi ", "wi fi ", "WiFi", "wif"] {
        assert_eq!(same(query)[..1], ["1"], "{query}");
    }
    assert_eq!(same("wifi "), ["1", "4"]);
    for query in ["tshirt ", "t-shirt ", "t shirt ", "T\u{2011}Shirts ", "t-shirts"] {
        assert_eq!(same(query), ["2", "3"], "{query}");
    }
    for query in ["teapot ", "tea pot ", "tea-pots "] {
        assert_eq!(same(query), ["5", "6"], "{query}");
    }
    assert_eq!(found(&index, &ask("white t shirt ")), ["3"]);
}

#[test]
fn the_nearest_is_offered_when_nothing_has_every_word() {
    let hits = hall().ask(&ask("purple teapot "), None).expect("an answer");
    assert_eq!((hits.understanding, hits.hits[0].as_slice()), (Understanding::Nearest, b"1".as_slice()));
}

#[test]
fn common_words_are_not_required() {
    let index = hall();
    assert_eq!(found(&index, &ask("a bowl of the salad ")), ["3"]);
    assert_eq!(found(&index, &ask("tall bowl for salad")), ["3"]);
}

#[test]
fn no_character_has_a_meaning_of_its_own() {
    let index = hall();
    for hostile in [
        "name:*",
        "\"bowl",
        "bowl AND (",
        "[* TO *]",
        "-bowl",
        "\u{0}bowl\u{ffff}",
        "🫖",
        "((((((((",
        "a\u{1f}b",
        "bowl~9^0",
    ] {
        index.ask(&ask(hostile), None).expect("an answer");
    }
}

#[test]
fn a_change_replaces_and_an_archived_product_leaves() {
    let index = index(&[product(1, "Bowl"), product(2, "Mug")]);
    let mut writer = index.writer(0).expect("a writer");
    writer.put(&product(1, "Dish")).expect("put");
    writer.put(&Product { is_active: false, ..product(2, "Mug") }).expect("put");
    assert_eq!(found(&index, &ask("bowl")), ["1"]);
    writer.commit(Some(Position { epoch: 1, sequence: 9 })).expect("commit");
    assert_eq!(found(&index, &ask("bowl")), [""; 0]);
    assert_eq!(found(&index, &ask("dish")), ["1"]);
    assert_eq!(found(&index, &ask("mug")), [""; 0]);
    assert_eq!(index.documents(), 1);
}

#[test]
fn a_finished_index_is_opened_again_where_it_stood_and_others_are_removed() {
    let directory = tempfile::tempdir().expect("a directory");
    assert!(Index::open_newest(directory.path()).expect("none yet").is_none());
    for (sequence, name) in [(3, "Old"), (7, "New")] {
        let index = Index::create(Some(directory.path())).expect("created");
        let mut writer = index.writer(0).expect("a writer");
        writer.put(&product(1, name)).expect("put");
        writer.commit(Some(Position { epoch: 5, sequence })).expect("commit");
    }
    let unfinished = Index::create(Some(directory.path())).expect("created");
    unfinished.writer(0).expect("a writer").commit(None).expect("commit");
    drop(unfinished);
    std::fs::create_dir(directory.path().join("index-000009")).expect("rubbish");
    let (index, position) = Index::open_newest(directory.path()).expect("readable").expect("finished");
    assert_eq!(position, Position { epoch: 5, sequence: 7 });
    assert_eq!(found(&index, &ask("new")), ["1"]);
    assert_eq!(directories(directory.path()).expect("readable").len(), 1);
}

/// Every file of the index in a directory that queries read: those of the segments, and the list of them.
fn files(directory: &Path) -> Vec<PathBuf> {
    let (_, index) = directories(directory).expect("readable").pop().expect("an index");
    let all = std::fs::read_dir(index).expect("readable").map(|entry| entry.expect("an entry").path());
    let named = |path: &PathBuf, ends: &str| path.extension().is_some_and(|extension| extension == ends);
    all.filter(|path| !named(path, "lock") && !path.ends_with(".managed.json")).collect()
}

#[test]
fn an_index_with_a_wrong_byte_is_not_opened_and_removed() {
    let parent = tempfile::tempdir().expect("a directory");
    let good = parent.path().join("good");
    let index = Index::create(Some(&good)).expect("created");
    let mut writer = index.writer(0).expect("a writer");
    for number in 1..40 {
        writer.put(&product(number, "A harbour bowl")).expect("put");
    }
    writer.commit(Some(Position { epoch: 5, sequence: 3 })).expect("commit");
    writer.close().expect("closed");
    assert_eq!(index.damaged_files().expect("readable"), [""; 0]);
    let copied = |name: &str| {
        let to = parent.path().join(name).join("index-000001");
        std::fs::create_dir_all(&to).expect("made");
        for file in files(&good) {
            std::fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("copied");
        }
        to.parent().expect("a parent").to_owned()
    };
    let whole = Index::open_newest(&copied("whole")).expect("readable");
    assert_eq!(whole.expect("it is whole").0.documents(), 39);
    for (number, file) in files(&good).iter().enumerate() {
        if file.ends_with("meta.json") {
            continue;
        }
        for third in 1..3 {
            let copy = copied(&format!("damaged {number} {third}"));
            let path = copy.join("index-000001").join(file.file_name().expect("a name"));
            let mut bytes = std::fs::read(&path).expect("readable");
            let at = bytes.len() * third / 3;
            bytes[at] ^= 1;
            std::fs::write(&path, bytes).expect("written");
            let opened = Index::open_newest(&copy).expect("no failure of the start");
            assert!(opened.is_none(), "{} at {at} is seen", path.display());
            assert!(directories(&copy).expect("readable").is_empty(), "and removed");
        }
    }
}

/// An index with one product, closed.
fn index_of_one(directory: &Path) -> Index {
    let index = Index::create(Some(directory)).expect("created");
    let mut writer = index.writer(0).expect("a writer");
    writer.put(&product(1, "Bowl")).expect("put");
    writer.commit(Some(Position { epoch: 5, sequence: 3 })).expect("commit");
    writer.close().expect("closed");
    index
}

#[test]
fn a_list_of_segments_that_was_changed_is_seen() {
    let directory = tempfile::tempdir().expect("a directory");
    let _index = index_of_one(directory.path());
    let path = files(directory.path()).into_iter().find(|path| path.ends_with("meta.json")).expect("a list");
    let list = std::fs::read_to_string(&path).expect("readable");
    assert!(list.contains("\"max_doc\": 1"), "{list}");
    std::fs::write(&path, list.replace("\"max_doc\": 1", "\"max_doc\": 7")).expect("written");
    assert!(Index::open_newest(directory.path()).expect("no failure of the start").is_none());
}

#[test]
fn damage_to_an_index_that_serves_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let index = index_of_one(directory.path());
    let store =
        files(directory.path()).into_iter().find(|path| path.extension().is_some_and(|end| end == "store"));
    let store = store.expect("stored documents");
    let mut bytes = std::fs::read(&store).expect("readable");
    bytes[2] ^= 1;
    std::fs::write(&store, bytes).expect("written");
    let name = store.file_name().and_then(|name| name.to_str()).expect("a name");
    assert_eq!(index.damaged_files().expect("readable"), [name]);
}

#[test]
fn names_are_ordered_whole_and_paged_over_segments() {
    let names =
        ["Set of 3 cake tins blue", "Set of 3 cake tins green", "set of 3 cake tins azure", "Aa", "Zz"];
    let products: Vec<_> =
        (1..).zip(names.iter().cycle().take(23)).map(|(n, name)| product(n, name)).collect();
    let index = index(&products);
    let mut ask = Ask { sort: Sort::Name, limit: 4, ..Ask::default() };
    ask = ask.check().expect("good");
    let (mut seen, mut place) = (Vec::new(), None);
    loop {
        let page = index.ask(&ask, place.as_ref()).expect("an answer");
        seen.extend(page.hits.iter().cloned());
        place = page.place.clone();
        if place.is_none() {
            break;
        }
    }
    let name = |hit: &Vec<u8>| {
        let number: usize = std::str::from_utf8(hit).expect("a number").parse().expect("a number");
        crate::domain::fold(names[(number - 1) % names.len()])
    };
    assert_eq!(seen.len(), 23);
    assert!(seen.iter().map(name).is_sorted());
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 23);
}

/// Category, colour, size, price and name of a random product.
type Row = (usize, usize, Option<usize>, Option<i64>, usize);

/// Products with random facets and prices, and a random question about them.
fn shop() -> impl Strategy<Value = (Vec<Product>, Ask)> {
    let one = (0_usize..3, 0_usize..3, prop::option::of(0_usize..3), prop::option::of(1_i64..40), 0_usize..4);
    let products = prop::collection::vec(one, 1..40).prop_map(|rows| {
        let words = ["bowl", "mug", "lamp", "tea bowl"];
        let make = |(n, row): (usize, Row)| {
            let (category, colour, size, price, name) = row;
            let mut product = product(n as u128 + 1, words[name]);
            product.trail = vec!["root".into(), format!("cat{category}")];
            product.attributes = vec![("colour".into(), format!("c{colour}"))];
            product.attributes.extend(size.map(|size| ("size".into(), format!("s{size}"))));
            product.lowest = price.map(|price| (Currency::GBP, price * 1_000_000)).into_iter().collect();
            product
        };
        rows.into_iter().enumerate().map(make).collect::<Vec<_>>()
    });
    let ask = (
        prop::sample::select(vec!["", "bowl", "te", "mgu lamp", "lmap"]),
        prop::collection::vec(0_usize..3, 0..2),
        prop::collection::vec(0_usize..3, 0..3),
        prop::collection::vec(0_usize..3, 0..2),
        prop::option::of((0_i64..20, 20_i64..50)),
        any::<bool>(),
    );
    let ask = ask.prop_map(|(query, categories, colours, sizes, price, priced)| {
        let mut attributes = Vec::new();
        for (name, letter, values) in [("colour", 'c', colours), ("size", 's', sizes)] {
            if !values.is_empty() {
                let values = values.iter().map(|value| format!("{letter}{value}")).collect();
                attributes.push(AttributeChoice { name: name.into(), values });
            }
        }
        Ask {
            query: query.into(),
            categories: categories.iter().map(|n| format!("cat{n}")).collect(),
            attributes,
            currency: (priced || price.is_some()).then_some(Currency::GBP),
            price: price
                .map(|(min, below)| PriceRange { min: min * 1_000_000, below: Some(below * 1_000_000) }),
            facets: true,
            limit: 100,
            ..Ask::default()
        }
        .check()
        .expect("good")
    });
    (products, ask)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_count_is_what_choosing_it_alone_would_find((products, ask) in shop()) {
        let index = index(&products);
        let answer = index.ask(&ask, None).expect("an answer");
        prop_assert_eq!(answer.total, answer.hits.len() as u64);
        // The words must be understood alike, or other products are counted.
        let total = |ask: Ask| {
            let place = crate::domain::Place {
                key: crate::domain::Key::Number(0), tie: 0, given: 0, understanding: answer.understanding,
            };
            index.ask(&Ask { facets: false, ..ask }, Some(&place)).expect("an answer").total
        };
        prop_assert_eq!(total(ask.clone()), answer.total);
        let counts: BTreeMap<_, _> = answer.facets.values.iter().collect();
        for ((dimension, value), count) in counts {
            let mut chosen = ask.clone();
            match dimension {
                None => chosen.categories = vec![value.to_string()],
                Some(name) => {
                    chosen.attributes.retain(|choice| choice.name != **name);
                    chosen.attributes.push(AttributeChoice { name: name.to_string(), values: vec![value.to_string()] });
                }
            }
            prop_assert_eq!(total(chosen), *count, "{:?} {}", dimension, value);
        }
        if ask.currency.is_some() {
            for (band, count) in crate::domain::bands(&ask.bounds, Currency::GBP).into_iter().zip(&answer.facets.bands) {
                prop_assert_eq!(total(Ask { price: Some(band), ..ask.clone() }), *count, "{:?}", band);
            }
        }
    }

    #[test]
    fn pages_are_the_whole_in_order((products, mut ask) in shop(), sort in 0_usize..5, limit in 1_usize..9) {
        let index = index(&products);
        ask.sort = [Sort::Relevance, Sort::PriceAscending, Sort::PriceDescending, Sort::Newest, Sort::Name][sort];
        ask.currency = Some(Currency::GBP);
        let whole = found(&index, &ask);
        ask.limit = limit;
        let (mut paged, mut place) = (Vec::new(), None);
        loop {
            let page = index.ask(&ask, place.as_ref()).expect("an answer");
            paged.extend(page.hits.iter().map(|hit| String::from_utf8(hit.clone()).expect("a number")));
            place = page.place.clone();
            if place.is_none() {
                break;
            }
        }
        prop_assert_eq!(paged, whole);
    }
}
