use std::io::Cursor;

use super::*;

fn read(format: Format, text: &'static [u8]) -> Vec<Result<Located, Problem>> {
    format.read(Cursor::new(text)).collect()
}

fn problems(format: Format, text: &'static [u8]) -> Vec<(u64, String)> {
    let rows = read(format, text).into_iter();
    rows.filter_map(|row| row.err().map(|problem| (problem.line, problem.column))).collect()
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
    let rows = read(Format::JsonLines, text);
    let good: Vec<_> = rows.iter().filter_map(|row| row.as_ref().ok()).collect();
    assert_eq!(good.len(), 2);
    let bowl = good[0].row.to_import().expect("good");
    assert_eq!(bowl.external_reference, "B-1");
    assert_eq!(bowl.product.expect("there").variants[0].prices[0].micros, 12_500_000);
    assert_eq!(good[0].row.stock().collect::<Vec<_>>(), [("B-1", 3)]);
    let lines: Vec<_> = problems(Format::JsonLines, text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [3, 4, 5, 7]);
}

#[test]
fn lines_of_one_reference_are_variants_of_one_product() {
    let text = b"external_reference,name,sku,options,prices,weight_grams,attributes\n\
        r1,Bowl,B-1,colour=blue,12.50 GBP; 14 EUR,400,material=stoneware; made in=Portugal\n\
        r1,,B-2,colour=green,12.50 GBP,400,\n\
        ,Mug,M-1,,9 GBP,,\n";
    let rows: Vec<_> = read(Format::Csv, text).into_iter().map(|row| row.expect("good")).collect();
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
        Bowl,B-1,12.50 GBP\n\
        Bowl,B-1,12.50 GBP,1,blue\n\
        Bowl,B-1,12.50 GBP; 13 GBP,1,\n\
        Bo\xffwl,B-1,12.50 GBP,1,\n\
        Bowl,B-1,12.50 GBP,1,\n";
    let expected = [(2, "prices"), (3, "stock"), (4, "stock"), (5, "options"), (6, "prices"), (7, "name")];
    assert_eq!(problems(Format::Csv, text), expected.map(|(line, column)| (line, column.to_owned())));
    assert_eq!(read(Format::Csv, text).iter().filter(|row| row.is_ok()).count(), 1);
    for (header, column) in [
        (&b"name,sku\n"[..], "prices"),
        (b"name,sku,prices,color\n", "color"),
        (b"name,sku,sku,prices\n", "sku"),
    ] {
        assert_eq!(problems(Format::Csv, header), [(1, column.to_owned())]);
    }
    assert_eq!(problems(Format::Csv, b"").len(), 1);
}

#[test]
fn values_that_no_product_has_are_named() {
    let row = ProductRow {
        tax_class: "luxury".into(),
        status: "archived".into(),
        variants: vec![VariantRow {
            prices: [("GBP", "x"), ("ZZZ", "1")].map(|(code, price)| (code.into(), price.into())).into(),
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
        let rows: Vec<_> = format.read(std::io::repeat(0).take(1 << 40)).take(3).collect();
        assert_eq!(rows.len(), 1, "{format:?}");
        assert!(rows[0].as_ref().expect_err("too long").is_last, "{format:?}");
    }
}

#[test]
fn formats_are_known_by_their_names() {
    assert_eq!(Format::of(Path::new("a/b.CSV.gz")), Some(Format::Csv));
    assert_eq!(Format::of(Path::new("b.jsonl")), Some(Format::JsonLines));
    assert_eq!(Format::of(Path::new("b.xlsx")), None);
}
