use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use proptest::prelude::*;

use super::source;
use super::*;

mod guesses;

const LIMITS: Limits = Limits { row_bytes_max: 1 << 16, row_lines_max: 100 };
const NAMES: [&str; 4] = ["name", "sku", "prices", "weight_grams"];
const KNOWN: Known<'static> = Known { names: &NAMES, file: "a test" };

fn open(bytes: impl Into<Vec<u8>>) -> Records<Cursor<Vec<u8>>> {
    let text = Utf8::new(Cursor::new(bytes.into()), None);
    Records::open(text, LIMITS, &|name| KNOWN.find(name).is_some()).expect("opens")
}

/// Each row as its line and fields, or as the line of its fault, what is wrong, and whether it is the last.
type Row = Result<(u64, Vec<String>), (u64, Option<usize>, String, bool)>;

fn rows(bytes: impl Into<Vec<u8>>) -> Vec<Row> {
    let mut records = open(bytes);
    let fields =
        |record: &Record| (0..record.len()).map(|n| record.text(n).expect("text").to_owned()).collect();
    std::iter::from_fn(|| records.next())
        .map(|row| match row {
            Ok(record) => Ok((record.line, fields(&record))),
            Err(fault) => Err((fault.line, fault.column, fault.what, fault.is_last)),
        })
        .collect()
}

fn good(bytes: impl Into<Vec<u8>>) -> Vec<(u64, Vec<String>)> {
    rows(bytes).into_iter().map(|row| row.expect("good")).collect()
}

fn fields(bytes: impl Into<Vec<u8>>) -> Vec<Vec<String>> {
    good(bytes).into_iter().map(|(_, fields)| fields).collect()
}

#[test]
fn lines_are_those_of_the_file_however_they_end() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["a,b", "1,2", "", "\"x", "y\",3", "4,5"].join(end);
        for tail in ["", end] {
            let rows = good(format!("{text}{tail}"));
            let lines: Vec<u64> = rows.iter().map(|(line, _)| *line).collect();
            assert_eq!(lines, [1, 2, 3, 4, 6], "{end:?} {tail:?}");
            assert_eq!(rows[3].1, ["x\ny", "3"], "{end:?}");
        }
    }
}

#[test]
fn quotes_are_read_with_patience() {
    let expected: &[(&str, &[&str])] = &[
        ("\"a \"\"b\"\" c\",d", &["a \"b\" c", "d"]),
        ("Screen 24\" wide,SCR", &["Screen 24\" wide", "SCR"]),
        ("24\",x", &["24\"", "x"]),
        ("  \"a, b\"  ,c", &["a, b", "c"]),
        ("\"\",\"\"\"\"", &["", "\""]),
        ("a,", &["a", ""]),
    ];
    for (text, wanted) in expected {
        assert_eq!(fields(*text), [*wanted], "{text}");
    }
}

#[test]
fn a_quotation_mark_that_is_not_closed_takes_no_row_with_it() {
    // To the end of the file.
    let all = rows("a,b\n1,2\n3,\"4\n5,6\n7,8\n");
    assert_eq!(all.len(), 3);
    assert!(all[1].is_ok());
    let (line, column, what, is_last) = all[2].clone().expect_err("not closed");
    assert_eq!((line, column, is_last), (3, Some(1), true));
    assert!(what.contains("never closed"), "{what}");
    // To the next mark that opens.
    let all = rows("a,b\n1,2\n3,\"4\n5,6\n7,\"8\"\n9,10\n");
    assert_eq!(all.len(), 3, "nothing behind it is sure");
    let (line, column, what, is_last) = all[2].clone().expect_err("closed elsewhere");
    assert_eq!((line, column, is_last), (3, Some(1), true));
    assert!(what.contains("closed on line 5"), "{what}");
    // On its own line: that row alone is bad.
    let all = rows("a,b\n\"24\" screen\",1\n3,4\n");
    let (line, column, _, is_last) = all[1].clone().expect_err("text behind it");
    assert_eq!((line, column, is_last), (2, Some(0), false));
    assert_eq!(all[2], Ok((3, vec!["3".to_owned(), "4".to_owned()])));
}

#[test]
fn the_text_of_a_bad_row_is_not_read_as_rows() {
    let all = rows("a,b,c\n1,\"2\"x,\"over\n4,5,6\nlines, \"\"too\"\"\"\n7,8,9\n");
    let (line, column, _, is_last) = all[1].clone().expect_err("text behind quotes");
    assert_eq!((line, column, is_last), (2, Some(1), false));
    assert_eq!(all[2..], [Ok((5, ["7", "8", "9"].map(str::to_owned).to_vec()))]);
    // One that is never closed is told by the line where it opens, also in a row that is bad already.
    for text in ["a,b,c\n1,\"2\"x,\"3\n4,5,6\n", "a,b,c\n1,\"2\"x,\"3\n4,5,\"6\"\n"] {
        let all = rows(text);
        let (line, column, _, is_last) = all[1].clone().expect_err("never closed");
        assert_eq!((line, column, is_last, all.len()), (2, Some(2), true, 2), "{text}");
    }
}

#[test]
fn a_bad_row_is_known_by_the_fields_before_its_fault() {
    let mut records = open("a,b,c\n1,2,\"3\"x\n4,\"5\n");
    records.by_ref(1);
    records.next().expect("there").expect_err("text behind quotes");
    let remains = records.take_remains();
    assert_eq!([0, 1, 2].map(|n| remains.candidates(n)), [Some(vec!["1"]), Some(vec!["2"]), None]);
    records.next().expect("there").expect_err("never closed");
    let remains = records.take_remains();
    assert_eq!([0, 1].map(|n| remains.candidates(n)), [Some(vec!["4"]), None]);
    // A comma too many shifts the fields behind it, one too few does too.
    let mut records = open("1,2,3,4,\n1,2\n");
    let remains = Remains::whole(records.by_ref(1), 3);
    assert_eq!([0, 2].map(|n| remains.candidates(n)), [Some(vec!["1", "2"]), Some(vec!["3", "4"])]);
    let remains = Remains::whole(records.by_ref(1), 3);
    assert_eq!([1, 2].map(|n| remains.candidates(n)), [Some(vec!["1", "2"]), None]);
}

#[test]
fn what_separates_is_found() {
    for separator in [',', ';', '\t', '|'] {
        let s = separator;
        let text = format!("name{s}sku{s}prices\nBowl, deep; wide{s}B-1{s}1 GBP\n");
        if separator == ',' || separator == ';' {
            continue;
        }
        assert_eq!(fields(text)[1], ["Bowl, deep; wide", "B-1", "1 GBP"], "{separator:?}");
    }
    assert_eq!(fields("name;sku\nBowl, deep;B-1\n")[1], ["Bowl, deep", "B-1"]);
    assert_eq!(fields("name,sku\nBowl; deep,B-1\n")[1], ["Bowl; deep", "B-1"]);
    // A header of which nothing is known: what comes most often.
    assert_eq!(fields("x;y;z\n1,5;2;3\n")[1], ["1,5", "2", "3"]);
    // A line that says it is no row, and counts as one.
    for said in ["sep=^\r\n", "SEP=^\n", "\"sep=^\"\r\n", "sep=^\r"] {
        assert_eq!(
            good(format!("{said}name^sku\n1^2\n")),
            [(2, vec!["name".to_owned(), "sku".to_owned()]), (3, vec!["1".to_owned(), "2".to_owned()]),],
            "{said:?}"
        );
    }
    assert_eq!(good("\n\nname;sku\n1;2\n")[2].1, ["name", "sku"]);
}

#[test]
fn headers_are_found_whatever_their_case_and_blanks() {
    let mut records = open(" Name ,SKU,Weight-Grams,weigth_grams,,\n");
    let header = records.next().expect("there").expect("good");
    let columns = Columns::of(&header, &KNOWN).expect("a header");
    assert_eq!([0, 1, 2, 3].map(|known| columns.place(known)), [Some(0), Some(1), None, Some(2)]);
    assert_eq!((columns.width(), columns.unknown.len()), (4, 1), "empty names at the end are none");
    assert!(columns.told(3, &KNOWN).contains("is weight_grams meant?"), "{}", columns.told(3, &KNOWN));
    let mut records = open("name,Name\n");
    let header = records.next().expect("there").expect("good");
    let fault = Columns::of(&header, &KNOWN).expect_err("twice");
    assert_eq!((fault.line, fault.column, fault.is_last), (1, Some(1), true));
}

#[test]
fn a_row_that_is_longer_than_the_header_is_refused_unless_blank() {
    let mut records = open("1,2,,\n1,2,,x\n");
    records.next().expect("there").expect("good").check_width(2).expect("blank");
    let fault = records.next().expect("there").expect("good").check_width(2).expect_err("more");
    assert_eq!(fault.line, 2);
    assert!(fault.what.contains("4 columns") && fault.what.contains("column 4 is \"x\""), "{}", fault.what);
}

#[test]
fn encodings_are_found() {
    let text = "name,sku\nGröße für Ängste – 5 €,B-1\nčaj,žluťoučký kůň\n";
    let western = "name,sku\nGröße für Ängste,B-1\nécole à côté,C\n";
    let utf16 = |big: bool, mark: bool, text: &str| {
        let units = text.encode_utf16().chain(None);
        let mark = mark.then_some(0xfeff_u16);
        mark.into_iter()
            .chain(units)
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect::<Vec<u8>>()
    };
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(western);
    let (japanese, _, _) =
        encoding_rs::SHIFT_JIS.encode("name,sku\nこれは茶碗です。日本の器,B-1\nお皿とお茶,C\n");
    let cyrillic_text = "name,sku\nЧашка для чая с блюдцем,B-1\nТарелка глубокая,C\n";
    let (cyrillic, _, _) = encoding_rs::WINDOWS_1251.encode(cyrillic_text);
    let cases: Vec<(Vec<u8>, &str, &str)> = vec![
        (text.into(), "UTF-8", text),
        (format!("\u{feff}{text}").into(), "UTF-8", text),
        (utf16(false, true, text), "UTF-16LE", text),
        (utf16(true, true, text), "UTF-16BE", text),
        (utf16(false, false, text), "UTF-16LE", text),
        (utf16(true, false, text), "UTF-16BE", text),
        (utf16(false, false, cyrillic_text), "UTF-16LE", cyrillic_text),
        (latin.into_owned(), "windows-1252", western),
        (japanese.into_owned(), "Shift_JIS", "name,sku\nこれは茶碗です。日本の器,B-1\nお皿とお茶,C\n"),
        (cyrillic.into_owned(), "windows-1251", cyrillic_text),
    ];
    for (bytes, name, wanted) in cases {
        // In pieces of all sizes, so that letters are cut.
        for piece in [1, 3, 1 << 16] {
            let mut reader = Utf8::new(BufReader::with_capacity(piece, Cursor::new(bytes.clone())), None);
            let found = reader.found();
            let mut read = String::new();
            reader.read_to_string(&mut read).expect("UTF-8");
            assert_eq!(read, wanted, "{name}");
            assert_eq!(found.get().map(|encoding| encoding.name()), Some(name));
        }
    }
    let known = "windows-1250".parse::<Encoding>().expect("an encoding");
    let (central, _, _) = encoding_rs::WINDOWS_1250.encode("čaj");
    let mut read = String::new();
    Utf8::new(&*central, Some(known)).read_to_string(&mut read).expect("UTF-8");
    assert_eq!(read, "čaj");
    assert!("klingon".parse::<Encoding>().is_err());
}

/// What bytes are found to be, and read as.
fn read_as(bytes: &[u8]) -> (String, &'static str) {
    let mut reader = Utf8::new(bytes, None);
    let found = reader.found();
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("UTF-8");
    (text, found.get().expect("found").name())
}

#[test]
fn a_table_of_western_words_is_not_taken_for_another() {
    for text in ["CAFÉ MÉTAL £ LANTERN", "name,price\nCAFÉ,£5\n", "CRÈME BRÛLÉE,£ 3.50\n", "Größe M – 5 €\n"]
    {
        let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(text);
        assert_eq!(read_as(&bytes), (text.to_owned(), "windows-1252"));
    }
    for text in ["Łukasz, Łódź, żółty kubek\n", "Łyżka do zupy, mała\n", "žluťoučký kůň, čaj\n"]
    {
        let (bytes, _, _) = encoding_rs::WINDOWS_1250.encode(text);
        assert_eq!(read_as(&bytes).0, text);
    }
    let text = "Şeker kâsesi, çay bardağı, gümüş kaşık, İstanbul işi\n";
    let (bytes, _, _) = encoding_rs::WINDOWS_1254.encode(text);
    assert_eq!(read_as(&bytes).0, text);
}

#[test]
fn old_macintosh_text_is_found() {
    for text in [
        "Café crème\n",
        "name,sku\nÉcole à côté,A\n",
        "CAFÉ MÉTAL\n",
        "Größe für Ängste, schön grün\n",
        "Übergröße, März\n",
        "Crème brûlée – “fine”, déjà vu\n",
    ] {
        let (bytes, _, _) = encoding_rs::MACINTOSH.encode(text);
        assert_eq!(read_as(&bytes), (text.to_owned(), "macintosh"));
    }
    for text in [
        "It’s a “fine” café – Brand™ • 5 €\n",
        "Œuvre d’art, cœur, Žižek, šála\n",
        "don’t… wait…what, naïve, Ÿ\n",
    ] {
        let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(text);
        assert_ne!(read_as(&bytes).1, "macintosh", "{text}");
    }
}

#[test]
fn a_bad_byte_is_told_in_the_encoding_of_its_file() {
    let shift_jis = "shift_jis".parse::<Encoding>().expect("an encoding");
    let utf16 = "utf-16le".parse::<Encoding>().expect("an encoding");
    let (cup, _, _) = encoding_rs::SHIFT_JIS.encode("茶碗");
    let jis = |bad: &[u8]| [b"name,sku\n", &*cup, bad, b",B\n"].concat();
    let cases: [(Vec<u8>, Encoding, &str); 4] = [
        (jis(&[0xfd]), shift_jis, "is not Shift_JIS: byte 5 is 0xfd"),
        // The first half of a letter before something that is no second half.
        (jis(&[0x81]), shift_jis, "is not Shift_JIS: byte 5 is 0x81"),
        ([b"name,sku\nA", &[0x81][..]].concat(), shift_jis, "is not Shift_JIS: byte 2 is 0x81"),
        (b"\xff\xfea\0\n\0b\0\0\xd8c\0".to_vec(), utf16, "is not UTF-16LE: byte 3 is 0x00"),
    ];
    for (bytes, encoding, said) in cases {
        for piece in [1, 2, 3, 1 << 16] {
            let reader = BufReader::with_capacity(piece, Cursor::new(bytes.clone()));
            let mut records =
                Records::open(Utf8::new(reader, Some(encoding)), LIMITS, &|_| false).expect("opens");
            assert_eq!(records.by_ref(2).text(0), Err(said.to_owned()), "{piece}");
        }
    }
}

#[test]
fn what_no_encoding_explains_is_told_by_position() {
    // UTF-8 but for one byte: a fault of one field.
    let mut records =
        open(b"name,sku\nCaf\xc3\xa9 cr\xc3\xa8me \xc3\xa0 la br\xc3\xbbl\xc3\xa9e,B\nBo\xffwl,C\n".to_vec());
    let record = records.by_ref(3);
    assert_eq!(
        record.text(0),
        Err("is not UTF-8: byte 3 is 0xff; give --encoding NAME where the file has another encoding"
            .to_owned())
    );
    // UTF-16 that is cut within a letter.
    let mut records = open(b"\xff\xfea\0,\0b\0\n\0c\0,\0d".to_vec());
    let record = records.by_ref(2);
    assert_eq!(record.text(0), Ok("c"));
    assert!(record.text(1).is_err());
    let mut records = open(b"name,sku\nBowl,\0B\n".to_vec());
    assert!(records.by_ref(2).text(1).expect_err("NUL").contains("NUL at byte 1"));
    let wide = [0xff, 0xfe, 0, 0, b'a', 0, 0, 0];
    let mut reader = Utf8::new(&wide[..], None);
    assert!(reader.read_to_string(&mut String::new()).expect_err("UTF-32").to_string().contains("UTF-32"));
}

impl<R: Read> Records<R> {
    /// The last of the first rows.
    fn by_ref(&mut self, rows: usize) -> Record {
        let mut last = Record::default();
        for _ in 0..rows {
            last = self.next().expect("there").expect("good");
        }
        last
    }
}

#[test]
fn memory_is_bounded_whatever_the_file_holds() {
    for (what, endless) in [
        ("zeros", Box::new(std::io::repeat(0)) as Box<dyn Read>),
        ("a quotation mark", Box::new(Cursor::new(b"a,b\n1,\"").chain(std::io::repeat(b'\n')))),
        ("letters of Latin-1", Box::new(std::io::repeat(0xe9))),
        ("columns", Box::new(std::io::repeat(b','))),
        ("a sep line", Box::new(Cursor::new(b"sep=;").chain(std::io::repeat(b' ')))),
    ] {
        let text = Utf8::new(endless.take(10_000_000_000), None);
        let mut records = Records::open(text, LIMITS, &|_| false).expect("opens");
        let fault = std::iter::from_fn(|| records.next()).find_map(Result::err).expect(what);
        assert!(fault.is_last, "{what}: {}", fault.what);
        assert!(records.next().is_none(), "{what}");
    }
}

#[test]
fn only_files_are_opened() {
    let scratch = tempfile::tempdir().expect("a directory");
    let said = |path: &Path| source::open(path).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(said(scratch.path()).contains("a directory"), "{}", said(scratch.path()));
    let pipe = scratch.path().join("pipe.csv");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("made");
    // Nobody will ever write to it: this must not wait.
    assert!(said(&pipe).contains("a named pipe"), "{}", said(&pipe));
    assert!(said(Path::new("/dev/zero")).contains("a device"), "{}", said(Path::new("/dev/zero")));
    let sheet = scratch.path().join("sheet.csv");
    std::fs::write(&sheet, b"PK\x03\x04and so on").expect("written");
    assert!(said(&sheet).contains("spreadsheet"), "{}", said(&sheet));
}

#[test]
fn pictures_are_files_below_their_folder() {
    let scratch = tempfile::tempdir().expect("a directory");
    let folder = scratch.path().join("goods");
    std::fs::create_dir_all(folder.join("own")).expect("made");
    std::fs::write(folder.join("own/a.jpg"), b"a picture").expect("written");
    std::fs::write(scratch.path().join("secret"), b"a secret").expect("written");
    let link = |to: &Path, from: &Path| std::os::unix::fs::symlink(to, from);
    link(Path::new("own/a.jpg"), &folder.join("alias.jpg")).expect("linked");
    link(Path::new("../secret"), &folder.join("out.jpg")).expect("linked");
    link(Path::new(".."), &folder.join("up")).expect("linked");
    link(Path::new("round.jpg"), &folder.join("round.jpg")).expect("linked");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.join("pipe.jpg"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .expect("made");
    let read = |file: &str| source::read_below(&folder, file, 9);
    for file in ["own/a.jpg", "./own/a.jpg", "alias.jpg"] {
        assert_eq!(read(file), Ok(b"a picture".to_vec()), "{file}");
    }
    for (file, said) in [
        ("../secret", "not below"),
        ("/etc/hostname", "not below"),
        ("out.jpg", "a link to something outside"),
        ("up/secret", "a link to something outside"),
        ("pipe.jpg", "a named pipe"),
        ("own", "a directory"),
        ("none.jpg", "cannot be read"),
        ("round.jpg", "cannot be read"),
    ] {
        let error = read(file).expect_err(file);
        assert!(error.contains(said), "{file}: {error}");
    }
    assert!(source::read_below(&folder, "own/a.jpg", 8).expect_err("large").contains("more than 8 bytes"));
}

proptest! {
    /// What another library writes is read as it was meant, whatever is in it.
    #[test]
    fn what_is_written_is_read(table in proptest::collection::vec(proptest::collection::vec("[a-z,;\"\n é\t]{0,8}", 3), 1..8)) {
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        for row in &table {
            writer.write_record(row).expect("written");
        }
        let bytes = writer.into_inner().expect("written");
        let trimmed: Vec<Vec<String>> =
            table.iter().map(|row| row.iter().map(|field| field.trim().to_owned()).collect()).collect();
        prop_assert_eq!(fields(bytes), trimmed);
    }

    /// Whatever the bytes are, reading ends, lines never go back, and no row is given twice.
    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200)) {
        let Ok(records) = Records::open(Utf8::new(&bytes[..], None), LIMITS, &|_| false) else { return Ok(()) };
        let mut line = 0;
        for row in records {
            let now = row.as_ref().map_or_else(|fault| fault.line, |record| record.line);
            prop_assert!(now >= line);
            line = now;
        }
    }
}
