use std::io::{BufReader, Cursor, Read};

use super::*;

mod quotes;
mod told;

fn items(format: Format, text: impl Into<Vec<u8>>) -> Vec<Item> {
    format.read(Box::new(Cursor::new(text.into())), None).collect()
}

fn good(format: Format, text: impl Into<Vec<u8>>) -> Vec<Located> {
    let product = |item| match item {
        Item::Product(located) => Some(located),
        _ => None,
    };
    items(format, text).into_iter().filter_map(product).collect()
}

fn problems(format: Format, text: impl Into<Vec<u8>>) -> Vec<(u64, String)> {
    let refused = |item| match item {
        Item::Refused(problems) => problems,
        _ => Vec::new(),
    };
    let problems = items(format, text).into_iter().flat_map(refused);
    problems.map(|problem| (problem.line, problem.column)).collect()
}

fn notes(format: Format, text: impl Into<Vec<u8>>) -> Vec<Problem> {
    let note = |item| match item {
        Item::Note(note) => Some(note),
        _ => None,
    };
    items(format, text).into_iter().filter_map(note).collect()
}

#[test]
fn prices_are_exact() {
    for (text, value) in [("2.55", 2_550_000), ("0.000001", 1), ("12", 12_000_000), (" 3.5 ", 3_500_000)] {
        assert_eq!(micros(text), Some(value), "{text}");
    }
    for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "0.0000001", "99999999999999999999", "NaN"] {
        assert_eq!(micros(text), None, "{text}");
    }
}

#[test]
fn a_json_line_is_a_product_and_a_bad_one_does_not_end_the_file() {
    let text = br#"{"name": "Bowl", "variants": [{"sku": "B-1", "prices": {"GBP": "12.50"}, "stock": 3}]}

{"name": "Mug", "variants": [], "colour": "red"}
{"name": "Mug", "variants": [{"sku": "M-1", "prices": {"GBP": 9.5}}]}
not json
{"name": "Mug", "variants": [{"sku": "M-1", "prices": {"GBP": "9.50", "EUR": "11"}}]}
{"name": "Bowl again", "variants": [{"sku": "B-1"}]}
"#;
    let good = good(Format::JsonLines, text);
    assert_eq!(good.len(), 3);
    let bowl = good[0].row.to_import().expect("good");
    assert_eq!(bowl.external_reference, "B-1");
    assert_eq!(bowl.product.expect("there").variants[0].prices[0].micros, 12_500_000);
    assert_eq!(good[0].row.stock().collect::<Vec<_>>(), [("B-1", 3)]);
    let lines: Vec<_> = problems(Format::JsonLines, text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [4, 5, 7]);
    let notes = notes(Format::JsonLines, text);
    assert_eq!(
        (notes.len(), notes[0].line, notes[0].column.as_str()),
        (1, 3, "/colour"),
        "told, and ignored"
    );
}

#[test]
fn json_lines_are_read_in_other_encodings_and_by_true_lines() {
    let line = r#"{"name": "Bøwl", "variants": [{"sku": "B-1", "color": "red"}]}"#;
    let text = format!("\u{feff}\r\n{line}\r\n[1]\r\n");
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [text.clone().into_bytes(), utf16] {
        assert_eq!(good(Format::JsonLines, bytes.clone())[0].lines, [2]);
        assert_eq!(problems(Format::JsonLines, bytes.clone()), [(3, String::new())]);
        let told = notes(Format::JsonLines, bytes);
        assert_eq!(told[0].column, "/variants/0/color");
    }
    let broken = b"{\"name\": \"\xc3\xb8\xc3\xb8\xc3\xb8\xc3\xb8\xc3\xb8\xff\", \"variants\": []}\n";
    assert_eq!(problems(Format::JsonLines, broken), [(1, String::new())]);
}

#[test]
fn lines_of_one_reference_are_variants_of_one_product() {
    let text = b"external_reference,name,sku,options,prices,weight_grams,attributes\n\
        r1,Bowl,B-1,colour=blue,12.50 GBP; 14 EUR,400,material=stoneware; made in=Portugal\n\
        r1,,B-2,colour=green,12.50 GBP,400,\n\
        ,Mug,M-1,,9 GBP,,\n";
    let rows = good(Format::Csv, text);
    assert_eq!(problems(Format::Csv, text), []);
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].lines.as_slice(), rows[0].row.variants.len()), ([2, 3].as_slice(), 2));
    let bowl = rows[0].row.to_import().expect("good").product.expect("there");
    assert_eq!((bowl.option_names.as_slice(), bowl.attributes.len()), (["colour".to_owned()].as_slice(), 2));
    assert_eq!(rows[1].row.reference(), "M-1");
    let refusal = rows[0].problem("/product/variants/1/prices/0/micros", "must be less");
    assert_eq!((refusal.line, refusal.column.as_str()), (3, "prices"));
    let refusal = rows[0].problem("/category_paths/0", "must be");
    assert_eq!((refusal.line, refusal.column.as_str()), (2, "categories"));
}

#[test]
fn what_is_wrong_in_a_csv_is_named_by_line_and_column() {
    let text = b"name,sku,prices,stock,options\n\
        Bowl,B-1,12.5,,\n\
        Bowl,B-1,12.50 GBP,many,\n\
        Bowl,B-1\n\
        Bowl,B-1,12.50 GBP,1,blue\n\
        Bowl,B-1,12.50 GBP; 13 GBP,1,\n\
        Bo\xffwl,B-1,12.50 GBP,1,\n\
        Caf\xc3\xa9 cr\xc3\xa8me br\xc3\xbbl\xc3\xa9e \xc3\xa0 la,B-0,12.50 GBP,1,\n\
        Bowl,B-1,12.50 GBP,1,\n";
    let expected = [(2, "prices"), (3, "stock"), (4, "prices"), (5, "options"), (6, "prices"), (7, "name")];
    assert_eq!(problems(Format::Csv, text), expected.map(|(line, column)| (line, column.to_owned())));
    assert_eq!(good(Format::Csv, text).len(), 2);
    for (header, column) in [(&b"name,sku\n"[..], "prices"), (b"name,sku,sku,prices\n", "sku")] {
        assert_eq!(problems(Format::Csv, header), [(1, column.to_owned())]);
    }
    assert_eq!(problems(Format::Csv, b"").len(), 1);
    let told = notes(Format::Csv, "name,sku,prices,stok\nBowl,B-1,1 GBP,3\n");
    assert_eq!((told.len(), told[0].column.as_str()), (1, "stok"));
    assert!(told[0].reason.contains("is stock meant?"), "{}", told[0].reason);
}

#[test]
fn what_people_write_in_cells_is_read_or_told() {
    let told = |column: &str, cell: &str| {
        let text = format!(
            "name,sku,prices,stock\nBowl,B-1,{},{}\n",
            if column == "prices" { cell } else { "1 GBP" },
            if column == "stock" { cell } else { "1" }
        );
        match items(Format::Csv, text).remove(0) {
            Item::Refused(problems) => {
                assert_eq!((problems.len(), problems[0].column.as_str()), (1, column), "{problems:?}");
                problems[0].reason.clone()
            }
            Item::Product(located) => {
                format!("{:?} {:?}", located.row.variants[0].prices, located.row.variants[0].stock)
            }
            Item::Note(note) => note.to_string(),
        }
    };
    for (column, cell, said) in [
        ("prices", "\"24,50 GBP\"", "written with a point (24.50)"),
        ("prices", "£24.50", "write the currency's code"),
        ("prices", "24.50", "where 24.50 GBP is expected"),
        ("prices", "x GBP", "not a decimal number"),
        ("prices", "24.50 gbp", "{\"GBP\": \"24.50\"}"),
        ("prices", "EUR 24.50", "{\"EUR\": \"24.50\"}"),
        ("stock", "12.00", "Some(12)"),
        ("stock", "\"1,200\"", "without a sign (1200)"),
        ("stock", "1.5", "not a whole number"),
        ("stock", "many", "\"many\", which is not a whole number"),
    ] {
        let reason = told(column, cell);
        assert!(reason.contains(said), "{cell}: {reason}");
    }
}

#[test]
fn a_product_with_a_bad_row_is_refused_as_a_whole_with_all_that_is_wrong() {
    let text = "external_reference,name,sku,prices,stock\n\
        r1,Bowl,B-1,1 GBP,1\n\
        r1,,B-2,none,none\n\
        r1,,B-3,1 GBP,1\n\
        r2,Mug,M-1,1 GBP,1\n";
    let all = items(Format::Csv, text);
    let Item::Refused(problems) = &all[0] else { panic!("{all:?}") };
    let said: Vec<_> = problems.iter().map(|problem| (problem.line, problem.column.as_str())).collect();
    assert_eq!(said, [(3, "prices"), (3, "stock")]);
    assert!(matches!(&all[1], Item::Product(located) if located.row.reference() == "r2"));
    assert_eq!(all.len(), 2);
    // A SKU of another row is refused by its own row.
    let text = "name,sku,prices\nBowl,B-1,1 GBP\nMug,B-1,1 GBP\n";
    assert_eq!((problems_of(text), good(Format::Csv, text).len()), (vec![(3, "sku".to_owned())], 1));
}

/// The references of the products that go in, and the lines of what is refused.
fn outcome(text: impl Into<Vec<u8>>) -> (Vec<String>, Vec<u64>) {
    let text = text.into();
    let references =
        good(Format::Csv, text.clone()).into_iter().map(|located| located.row.reference().to_owned());
    let lines = problems(Format::Csv, text).into_iter().map(|(line, _)| line);
    (references.collect(), lines.collect())
}

#[test]
fn a_product_never_goes_in_without_a_row_that_may_be_its_own() {
    let rows = |bad: &str, after: &str| {
        outcome(format!(
            "external_reference,name,sku,prices\nr1,Bowl,B-1,1 GBP\nr1,,B-2,1 GBP\n{bad}\n{after}"
        ))
    };
    let next = "r2,Mug,M-1,1 GBP\nr2,,M-2,1 GBP\nr3,Jug,J-1,1 GBP\n";
    let of = |references: &[&str], lines: &[u64]| {
        (references.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>(), lines.to_vec())
    };
    for (bad, after, wanted, why) in [
        ("r1,,\"B-3\"x,1 GBP", next, of(&["r2", "r3"], &[4]), "its last row, by the fields before the fault"),
        ("r1,,B-3", next, of(&["r2", "r3"], &[4]), "its last row is short"),
        ("r1,,B-3,1 GBP,more", next, of(&["r2", "r3"], &[2, 4]), "its last row is wide"),
        ("r1,,\u{0},1 GBP", next, of(&["r2", "r3"], &[4]), "its last row has a bad cell"),
        ("r2,Mug,\"M-0\"x,1 GBP", next, of(&["r1", "r3"], &[4, 5]), "the first row of the next one"),
        ("r2,Mug,M-0", next, of(&["r1", "r3"], &[4, 5]), "the first row of the next one is short"),
        ("\"r1\"x,,B-3,1 GBP", next, of(&["r3"], &[2, 4, 5]), "nobody knows whose row it is"),
        ("\"r9\"x,,B-3,1 GBP\nr9,Pan,P-1,1 GBP", next, of(&["r2", "r3"], &[2, 4, 5]), "or of one between"),
        ("r1, ,blue,B-3,1 GBP", next, of(&["r2", "r3"], &[2, 4]), "shifted by a comma"),
        ("r1,,\"B-3", "", of(&[], &[2, 4]), "the file ends within its row"),
        ("\"r1", "", of(&[], &[2, 4]), "the file ends within a row that may be its own"),
        ("r2,Mug,\"M-1", "", of(&["r1"], &[4]), "the file ends within a row of another"),
        (",Mug,\"M-1\"x,1 GBP", next, of(&["r1", "r2", "r3"], &[4]), "a product of its own"),
    ] {
        let (references, mut lines) = rows(bad, after);
        lines.sort_unstable();
        let mut wanted = wanted;
        wanted.1.sort_unstable();
        assert_eq!((references, lines), wanted, "{why}: {bad}");
    }
    // A comma too many before the reference shifts it.
    let text =
        "name,external_reference,sku,prices\nBowl,r1,B-1,1 GBP\nBowl, blue,r1,B-2,1 GBP\nMug,r2,M-1,1 GBP\n";
    assert_eq!(outcome(text), of(&["r2"], &[3, 2]));
    // A quotation mark that opens in its row swallows what follows.
    let text = "external_reference,name,sku,prices\nr1,Bowl,B-1,1 GBP\nr1,,\"B-2,1 GBP\nr1,,\"B-3\",1 GBP\n";
    assert_eq!(outcome(text), of(&[], &[2, 3]));
}

#[test]
fn products_that_are_too_large_are_refused_once_and_not_kept() {
    let options: Vec<String> = (0..60_000).map(|n| format!("o{n}=x")).collect();
    let options = options.join(";");
    let header = "external_reference,name,sku,prices,options\n";
    let rows = (0..16).map(|n| format!("r1,Bowl,B-{n},1 GBP,{options}\n"));
    let text: String =
        std::iter::once(header.to_owned()).chain(rows).chain(["r2,Mug,M-1,1 GBP,\n".to_owned()]).collect();
    let (references, lines) = outcome(text);
    assert_eq!((references, lines.len()), (vec!["r2".to_owned()], 1));
    // Nor is more kept of what is wrong than can be listed.
    let prices = "x;".repeat(100_000);
    let text = format!("{header}r1,Bowl,B-1,{prices},\nr1,Bowl,B-2,{prices},\n");
    assert_eq!(problems(Format::Csv, text).len(), PROBLEMS_MAX);
}

#[test]
fn a_row_of_many_options_is_read_in_good_time() {
    let options: Vec<String> = (0..100_000).map(|n| format!("o{n}=x")).collect();
    let text = format!("name,sku,prices,options\nBowl,B-1,1 GBP,{}\n", options.join(";"));
    let row = good(Format::Csv, text).remove(0).row;
    let variants = row.to_import().expect("good").product.expect("there").variants;
    assert_eq!(variants[0].options.len(), 100_000);
}

fn problems_of(text: &str) -> Vec<(u64, String)> {
    problems(Format::Csv, text)
}

#[test]
fn pictures_need_no_words_and_no_sizes() {
    let text = "name,sku,prices,images\nBowl,B-1,1 GBP,bowl.jpg; my bowl.PNG a blue bowl; https://x.example/a.jpg; https://x.example/b.jpg 800x600 seen\n";
    let images = good(Format::Csv, text).remove(0).row.images;
    let told: Vec<_> = images
        .iter()
        .map(|image| (format!("{}{}", image.file, image.url), image.alt.as_str(), image.width))
        .collect();
    assert_eq!(
        told,
        [
            ("bowl.jpg".to_owned(), "", 0),
            ("my bowl.PNG".to_owned(), "a blue bowl", 0),
            ("https://x.example/a.jpg".to_owned(), "", 0),
            ("https://x.example/b.jpg".to_owned(), "seen", 800),
        ]
    );
}

#[test]
fn values_that_no_product_has_are_named() {
    let row = ProductRow {
        tax_class: "luxury".into(),
        status: "archived".into(),
        variants: vec![VariantRow {
            prices: [("GBP", "x"), ("ZZZ", "1")].map(|(code, price)| (code.into(), price.into())).into(),
            sku: "A".into(),
            stock: Some(-1),
            ..VariantRow::default()
        }],
        ..ProductRow::default()
    };
    let wrong: Vec<_> = row.to_import().expect_err("much").into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(
        wrong,
        ["/tax_class", "/status", "/variants/0/prices/GBP", "/variants/0/prices/ZZZ", "/variants/0/stock"]
    );
}

#[test]
fn a_file_without_an_end_takes_no_memory() {
    for format in [Format::Csv, Format::JsonLines] {
        let endless = BufReader::new(std::io::repeat(0).take(1 << 40));
        let rows: Vec<_> = format.read(Box::new(endless), None).take(3).collect();
        assert_eq!(rows.len(), 1, "{format:?}");
        assert!(matches!(&rows[0], Item::Refused(problems) if problems[0].is_last), "{format:?}");
    }
}

#[test]
fn formats_are_known_by_their_names() {
    assert_eq!(Format::of(Path::new("a/b.CSV.gz")), Some(Format::Csv));
    assert_eq!(Format::of(Path::new("b.jsonl")), Some(Format::JsonLines));
    assert_eq!(Format::of(Path::new("b.xlsx")), None);
}

#[test]
fn names_that_the_catalogue_takes_for_one_are_one_in_a_file() {
    let file = |rows: &[(&str, &str)]| {
        let rows = rows.iter().map(|(reference, sku)| format!("{reference},Cup,{sku},1 GBP\n"));
        format!("external_reference,name,sku,prices\n{}", rows.collect::<String>())
    };
    for (rows, column, products) in [
        ([("", "N-café"), ("", "N-cafe\u{301}")], "sku", 1),
        ([("a", "N-café"), ("b", "N-cafe\u{301}")], "sku", 1),
        // Rows that follow each other are of one product.
        ([("réf", "A"), ("re\u{301}f", "B")], "", 1),
        ([("x\u{200b}ref", "A"), ("xref", "B")], "", 1),
    ] {
        let text = file(&rows);
        assert_eq!(good(Format::Csv, text.clone()).len(), products, "{rows:?}");
        let wanted: Vec<_> = [(3, column.to_owned())].into_iter().filter(|_| !column.is_empty()).collect();
        assert_eq!(problems(Format::Csv, text), wanted, "{rows:?}");
    }
    let apart = file(&[("réf", "A"), ("other", "O"), ("re\u{301}f", "B")]);
    assert_eq!(problems(Format::Csv, apart), [(4, "external_reference".to_owned())]);
    let line = |reference: &str, sku: &str| {
        format!(
            "{{\"external_reference\": \"{reference}\", \"name\": \"Cup\", \"variants\": [{{\"sku\": \"{sku}\"}}]}}\n"
        )
    };
    let lines = [line("x\u{200b}ref", "A"), line("xref", "B"), line("", "N-café"), line("", "N-cafe\u{301}")]
        .concat();
    let wanted = [(2, "/external_reference".to_owned()), (4, "/variants/0/sku".to_owned())];
    assert_eq!(problems(Format::JsonLines, lines.clone()), wanted);
    assert_eq!(good(Format::JsonLines, lines)[1].row.variants[0].sku, "N-café");
}

#[test]
fn prices_have_one_meaning_or_are_refused() {
    let price = |separator: char, price: &str| {
        let text = format!("name{separator}sku{separator}prices\nCup{separator}A{separator}\"{price}\"\n");
        let found = good(Format::Csv, text);
        found
            .first()
            .map(|located| located.row.variants[0].prices.values().next().cloned().unwrap_or_default())
    };
    for (written, wanted) in [
        ("1.299 EUR", None),
        ("12.345 GBP", None),
        ("1.299 KWD", Some("1.299")),
        ("0.299 EUR", Some("0.299")),
        ("1.2990 EUR", Some("1.2990")),
        ("1299 EUR", Some("1299")),
        ("9.50 GBP", Some("9.50")),
    ] {
        for separator in [',', ';', '\t'] {
            assert_eq!(price(separator, written).as_deref(), wanted, "{written} {separator}");
        }
    }
    for (written, wanted) in [
        ("9,50 GBP", Some("9.50")),
        ("1.234,50 EUR", Some("1234.50")),
        ("1,234.50 GBP", Some("1234.50")),
        ("1,234 EUR", None),
        ("1,2,3 EUR", None),
    ] {
        assert_eq!(price(';', written).as_deref(), wanted, "{written}");
        // Both signs have one meaning wherever they stand.
        let wanted = wanted.filter(|_| written.contains('.'));
        assert_eq!(price(',', written).as_deref(), wanted, "{written}");
    }
}

#[test]
fn json_that_is_no_product_is_told_field_by_field() {
    let told = |line: &str| -> Vec<(String, String)> {
        let refused = items(
            Format::JsonLines,
            format!("{{\"name\": \"Cup\", \"variants\": [{{\"sku\": \"C\"}}]}}\n{line}\n"),
        );
        let problems = refused.into_iter().filter_map(|item| match item {
            Item::Refused(problems) => Some(problems),
            _ => None,
        });
        problems.flatten().map(|problem| (problem.column, problem.reason)).collect()
    };
    for (line, column, reason) in [
        (
            "{\"name\": \"A\", \"variants\": [{\"sku\": \"A\", \"stock\": \"7\"}]}",
            "/variants/0/stock",
            "is \"7\", which is not a whole number: numbers are written without quotation marks",
        ),
        (
            "{\"name\": \"A\", \"variants\": [{\"sku\": \"A\", \"prices\": {\"GBP\": 9.5}}]}",
            "/variants/0/prices/GBP",
            "is 9.5, which is not a text: prices are written in quotation marks",
        ),
        ("{\"name\": 3, \"variants\": []}", "/name", "is 3, which is not a text"),
        ("{\"name\": \"A\"}", "/variants", "is required"),
        ("{\"name\": \"A\", \"variants\": {}}", "/variants", "is an object, which is not a list of variants"),
        ("[1]", "", "is a list, where a product, an object with name and variants, is expected"),
        (
            "{\"name\": \"A\", \"variants\": [",
            "",
            "ends before its JSON is complete; a product stands on one line",
        ),
        ("{\"name\": \"A\" \"variants\"}", "", "is not JSON from character 14 on"),
    ] {
        assert_eq!(told(line), [(column.to_owned(), reason.to_owned())], "{line}");
    }
    let both = told("{\"name\": 1, \"variants\": [{\"weight_grams\": 1e10}]}");
    let columns: Vec<&str> = both.iter().map(|(column, _)| column.as_str()).collect();
    assert_eq!(columns, ["/name", "/variants/0/sku", "/variants/0/weight_grams"]);
}

#[test]
fn a_json_file_that_is_not_lines_is_refused_once() {
    let product = "{\"name\": \"Cup\", \"variants\": [{\"sku\": \"C\"}]}";
    for text in [
        format!("[\n{product},\n{product}\n]"),
        format!("\n [{product}]"),
        "{\n\"name\": \"Cup\"\n}".to_owned(),
    ] {
        let found = items(Format::JsonLines, text.clone());
        assert!(
            matches!(found.as_slice(), [Item::Refused(problems)] if problems[0].is_last),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn a_product_without_variants_is_told_that_alone() {
    let rows = good(Format::JsonLines, "{\"name\": \"Cup\", \"variants\": []}\n");
    let wrong = rows[0].row.to_import().expect_err("no variant");
    assert_eq!(wrong.iter().map(|(pointer, _)| pointer.as_str()).collect::<Vec<_>>(), ["/variants"]);
}

#[test]
fn an_encoding_that_was_said_is_not_told() {
    let text = b"name,sku,prices\nCaf\xe9,C,1 GBP\n";
    assert_eq!(notes(Format::Csv, text).len(), 1);
    for format in [Format::Csv, Format::Shopify(Currency::GBP), Format::WooCommerce(Currency::GBP)] {
        let text = b"name,sku,prices,handle,title,variant price,type,regular price\nCaf\xe9,C,1 GBP,h,Caf\xe9,1,simple,1\n";
        let known = "windows-1252".parse().expect("an encoding");
        let notes = format.read(Box::new(Cursor::new(text.to_vec())), Some(known));
        let notes =
            notes.filter(|item| matches!(item, Item::Note(note) if note.reason.contains("--encoding")));
        assert_eq!(notes.count(), 0);
    }
}
