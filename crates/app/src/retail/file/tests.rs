use std::io::{BufReader, Read as _, Write as _};

use super::*;

const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

fn lines_of(text: &[u8]) -> Result<Vec<Line>, FileError> {
    let mut lines = Vec::new();
    read_from(text, |line| lines.push(line))?;
    Ok(lines)
}

fn one(line: &str) -> Result<Line, FileError> {
    lines_of(format!("{HEADER}{line}\n").as_bytes()).map(|mut lines| lines.remove(0))
}

fn message(text: &[u8]) -> String {
    lines_of(text).expect_err("cannot be read").to_string()
}

#[test]
fn a_line_as_published() {
    let line = one(
        "536365,85123A,\"SET OF 3 \"\"CREAM\"\", LARGE\",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom",
    )
    .expect("a line");
    assert_eq!(
        (&*line.invoice, &*line.sku, &*line.description),
        ("536365", "85123A", "SET OF 3 \"CREAM\", LARGE")
    );
    assert_eq!((line.quantity, line.price_micros, line.number), (6, 2_550_000, 2));
    assert_eq!(line.customer.as_deref(), Some("17850"));
    assert_eq!(line.time.to_string(), "2010-12-01T08:26:00Z");
    assert_eq!(line.money(), Money::new(1530, CURRENCY));
}

#[test]
fn refusals_in_their_order() {
    for (line, refusal) in [
        ("C1,a,x,-1,2010-12-01 08:26:00,0,,EIRE", Some(Refusal::Cancellation)),
        ("1,a,x,-1,2010-12-01 08:26:00,0,,EIRE", Some(Refusal::NoQuantity)),
        ("1,a,x,0,2010-12-01 08:26:00,1,,EIRE", Some(Refusal::NoQuantity)),
        ("1,a,x,1,2010-12-01 08:26:00,0.0,,EIRE", Some(Refusal::NoPrice)),
        ("A1,B,Adjust bad debt,1,2010-12-01 08:26:00,-11062.06,,EIRE", Some(Refusal::NoPrice)),
        ("1,a,x,1,2010-12-01 08:26:00,0.001,,EIRE", None),
    ] {
        assert_eq!(one(line).expect("a line").refusal(), refusal, "{line}");
    }
}

#[test]
fn columns_are_found_by_name_and_others_passed_over() {
    let text = "\u{feff}Country,x,InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\r\nEIRE,?,1,a,b,2,2010-12-01T08:26,1,\r\n";
    let lines = lines_of(text.as_bytes());
    // The mark stands before the first name, whichever that is.
    let line = &lines.expect("reads")[0];
    assert_eq!((&*line.country, &*line.invoice, line.quantity, &line.customer), ("EIRE", "1", 2, &None));
}

#[test]
fn bad_lines_say_where() {
    let with =
        |line: &str| message(format!("{HEADER}1,a,b,2,2010-12-01 08:26:00,1,,EIRE\n{line}\n").as_bytes());
    for (line, wanted) in [
        (
            "1,a,b,2,2010-12-01 08:26:00",
            "line 3, column 6 (UnitPrice): the line is cut short: it has 5 of 8 columns",
        ),
        ("1,a,b,2,2010-12-01 08:26:00,1,,EIRE,9", "line 3: the line has 9 columns, the first line has 8"),
        (
            "1,a,b,two,2010-12-01 08:26:00,1,,EIRE",
            "line 3, column 4 (Quantity): \"two\" is not a whole number",
        ),
        ("1,a,b,2000000000,2010-12-01 08:26:00,1,,EIRE", "line 3, column 4 (Quantity)"),
        ("1,a,b,2,2010-13-01 08:26:00,1,,EIRE", "line 3, column 5 (InvoiceDate)"),
        ("1,a,b,2,2010-12-01 08:26:00,1e3,,EIRE", "line 3, column 6 (UnitPrice)"),
        ("1,a,b,2,2010-12-01 08:26:00,NaN,,EIRE", "line 3, column 6 (UnitPrice)"),
        ("1,a,b,2,2010-12-01 08:26:00,1,x1,EIRE", "line 3, column 7 (CustomerID)"),
        (",a,b,2,2010-12-01 08:26:00,1,,EIRE", "line 3, column 1 (InvoiceNo): is empty"),
        (
            "1,a,b\u{7},2,2010-12-01 08:26:00,1,,EIRE",
            "line 3, column 3 (Description): has a control character, U+0007",
        ),
        (
            "1,a,\"b,2,2010-12-01 08:26:00,1,,EIRE",
            "line 3, column 3 (Description): a quotation mark is opened and never closed",
        ),
        ("1", "line 3, column 2 (StockCode): the line is cut short: it has 1 of 8 columns"),
    ] {
        let told = with(line);
        assert!(told.starts_with(wanted), "{line:?} was told {told:?}, wanted {wanted:?}");
    }
}

#[test]
fn bad_files_say_what() {
    assert!(message(b"").contains("line 1: the file is empty"));
    assert_eq!(
        message(b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,CustomerID,Country\n"),
        "line 1: column UnitPrice is missing from the header, which is \"InvoiceNo,StockCode,Description,Quantity…\""
    );
    let mut mixed = HEADER.as_bytes().to_vec();
    mixed.extend_from_slice("1,a,CAFÉ CRÈME BRÛLÉE À LA,2,2010-12-01 08:26:00,1,,EIRE\n".as_bytes());
    mixed.extend_from_slice(b"1,a,CAF\xc9,2,2010-12-01 08:26:00,1,,EIRE\n");
    assert_eq!(
        message(&mixed),
        "line 3, column 3 (Description): is not UTF-8: byte 4 is 0xc9; give --encoding NAME where the file has another encoding"
    );
}

#[test]
fn the_rules_are_those_of_every_other_table() {
    let mut latin1 = HEADER.as_bytes().to_vec();
    latin1.extend_from_slice(b"1,a,CAF\xc9 AU LAIT,2,2010-12-01 08:26:00,1,,EIRE\n");
    assert_eq!(&*lines_of(&latin1).expect("reads")[0].description, "CAFÉ AU LAIT");
    let text = format!("sep=;\r\n{}", HEADER.replace(',', ";").to_lowercase());
    let text = format!("{text}\r\n;;;;;;;\r\n1;a;b;2;2010-12-01 08:26:00;1;;EIRE\r\n");
    let lines = lines_of(text.as_bytes()).expect("reads");
    assert_eq!((lines.len(), lines[0].number), (1, 5), "blank lines are none, and counted");
    let bad = "1,a,\"b\" c,2,2010-12-01 08:26:00,1,,EIRE\n";
    assert!(message(format!("{HEADER}{bad}").as_bytes()).starts_with("line 2, column 3 (Description): "));
    let twice = message(HEADER.replace("Country", "Quantity").as_bytes());
    assert_eq!(twice, "line 1, column 8 (Quantity): is there twice");
}

#[test]
fn what_is_ignored_and_what_was_found_is_told() {
    let mut latin1 = HEADER.replace("Country\n", "Country,Colour,UnitPrce,\n").into_bytes();
    latin1.extend_from_slice(b"1,a,CAF\xc9 AU LAIT,2,2010-12-01 08:26:00,1,,EIRE,red,2,\n");
    let notes = read_from(latin1.as_slice(), |_| {}).expect("reads").notes;
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(
        notes[0].starts_with("line 1: Colour is not a column of the data set and is ignored"),
        "{notes:?}"
    );
    assert!(notes[1].contains("is UnitPrice meant?") && notes[2].contains("windows-1252"), "{notes:?}");
    assert!(read_from(HEADER.as_bytes(), |_| {}).expect("reads").notes.is_empty());
}

#[test]
fn an_encoding_that_was_said_is_used() {
    let text = [HEADER.as_bytes(), b"1,a,\x8acole,2,2010-12-01 08:26:00,1,,EIRE\n"].concat();
    let (mut seen, known) = (String::new(), "macintosh".parse().expect("an encoding"));
    let summary = read_as(&*text, Some(known), |line| seen = line.description.to_string()).expect("reads");
    assert_eq!((seen.as_str(), summary.notes.len()), ("äcole", 0));
}

#[test]
fn what_can_be_no_stock_code_is_refused_by_line() {
    let told = message(format!("{HEADER}1,a\u{200b}b,c,2,2010-12-01 08:26:00,1,,EIRE\n").as_bytes());
    assert!(told.starts_with("line 2, column 2 (StockCode): must be 1 to 64 bytes without hidden"), "{told}");
    assert_eq!(&*one("1,N-e\u{301},c,2,2010-12-01 08:26:00,1,,EIRE").expect("reads").sku, "N-é");
}

#[test]
fn line_breaks_and_tabs_in_a_text_are_blanks() {
    for (written, read) in [
        ("SET\tOF 3", "SET OF 3"),
        ("\"SET\r\nOF 3\"", "SET OF 3"),
        ("\"SET\rOF\u{200b} 3\"", "SET OF 3"),
        ("\u{200b}", ""),
    ] {
        let line = one(&format!("1,a,{written},2,2010-12-01 08:26:00,1,,EI\tRE")).expect(written);
        assert_eq!((&*line.description, &*line.country), (read, "EI RE"), "{written:?}");
    }
    assert!(
        message(format!("{HEADER}1,a\tb,c,2,2010-12-01 08:26:00,1,,EIRE\n").as_bytes())
            .contains("(StockCode)")
    );
}

#[test]
fn a_quotation_mark_that_closes_by_chance_takes_no_line_with_it() {
    let text = format!(
        "{HEADER}1,a,b,2,2010-12-01 08:26:00,1,,EIRE\n1,a,\"24 inch,2,2010-12-01 08:26:00,1,,EIRE\n\
         2,a,b,2,2010-12-01 08:26:00,1,,EIRE\n3,a,21\",2,2010-12-01 08:26:00,1,,EIRE\n"
    );
    let told = message(text.as_bytes());
    assert!(
        told.starts_with("line 3, column 3 (Description): a quotation mark that is opened here"),
        "{told}"
    );
    assert!(told.contains("line 4, which is a row by itself"), "{told}");
}

#[test]
fn gigabytes_of_nothing_cost_no_memory() {
    let zeros = BufReader::new(io::repeat(0).take(10_000_000_000));
    let error = read_from(zeros, |_| {}).expect_err("no lines");
    assert_eq!(error.to_string(), "line 1: the line has more than 65536 bytes");
    // The same behind an opened quotation mark, where lines end but the record does not.
    let quoted = io::Cursor::new(format!("{HEADER}1,\"")).chain(io::repeat(b'\n').take(10_000_000_000));
    let error = read_from(BufReader::new(quoted), |_| {}).expect_err("no lines");
    assert_eq!(
        error.to_string(),
        "line 2, column 2 (StockCode): a quotation mark is not closed within 100 lines"
    );
}

#[test]
fn gzip_is_unpacked_and_hashes_like_the_text() {
    let text = format!("{HEADER}1,a,b,2,2010-12-01 08:26:00,1,,EIRE");
    let directory = tempfile::tempdir().expect("a directory");
    let (plain, packed) = (directory.path().join("a.csv"), directory.path().join("a.csv.gz"));
    std::fs::write(&plain, &text).expect("written");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("packs");
    let bytes = encoder.finish().expect("packs");
    std::fs::write(&packed, &bytes).expect("written");
    let summary = read(&plain, None, |_| {}).expect("reads");
    assert_eq!(read(&packed, None, |_| {}).expect("reads"), summary);
    assert_eq!(summary.lines, 1);
    std::fs::write(&packed, &bytes[..bytes.len() - 9]).expect("written");
    assert!(matches!(read(&packed, None, |_| {}), Err(FileError::Read { .. })));
    assert!(matches!(read(&directory.path().join("none"), None, |_| {}), Err(FileError::Open(_))));
}

#[test]
fn prices_are_exact() {
    for (text, micros) in [
        ("2.55", Some(2_550_000)),
        ("0.0", Some(0)),
        ("13541.33", Some(13_541_330_000)),
        ("0.000001", Some(1)),
        ("1.10000000", Some(1_100_000)),
        ("-11062.06", Some(-11_062_060_000)),
        ("", None),
        (".5", None),
        ("1.0000001", None),
        ("1,5", None),
        ("+1", None),
        ("--1", None),
        ("1000000", None),
    ] {
        assert_eq!(parse_price(text), micros, "{text}");
    }
}

/// The facts that were counted from the published file by other means, where the file is at hand.
#[test]
fn the_published_month() {
    let Some((_, path)) = crate::files::environment().find(|(name, _)| name == "SOUK_ONLINE_RETAIL") else {
        return;
    };
    let mut lines = Vec::new();
    let summary = read(Path::new(&path), None, |line| lines.push(line)).expect("reads");
    let sales: Vec<_> = lines.iter().filter(|line| line.refusal().is_none()).collect();
    let distinct = |names: Vec<&Arc<str>>| names.into_iter().collect::<HashSet<_>>().len();
    assert_eq!((summary.lines, lines.len()), (42_481, 42_481));
    assert_eq!(sales.len(), 41_480);
    assert_eq!(distinct(lines.iter().map(|line| &line.invoice).collect()), 2_025);
    assert_eq!(distinct(sales.iter().map(|line| &line.invoice).collect()), 1_559);
    assert_eq!(sales.iter().map(|line| line.money().minor).sum::<i64>(), 82_374_614);
    assert_eq!(lines.iter().filter(|line| line.customer.is_none()).count(), 15_631);
    assert_eq!(lines.iter().filter(|line| line.price_micros == 0).count(), 273);
    assert_eq!(distinct(lines.iter().map(|line| &line.sku).collect()), 2_822);
}
