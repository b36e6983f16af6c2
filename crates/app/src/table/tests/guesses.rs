//! Encodings that a detector made for the web guesses wrong in a short table.

use super::*;

/// What a table with one name is found to be, and the name that is read.
fn name_of(name: &[u8]) -> (String, &'static str) {
    let bytes = [b"name,sku,prices\n", name, b",E-13,24.50 GBP\n"].concat();
    let (text, encoding) = read_as(&bytes);
    let name = text.lines().nth(1).and_then(|line| line.split(',').next()).unwrap_or_default();
    (name.to_owned(), encoding)
}

#[test]
fn western_words_are_not_taken_for_those_of_other_scripts() {
    for name in
        ["Œuvre “quoted” – 10 €", "Œuvre", "cœur de bœuf", "CŒUR", "Œillet crème", "naïve", "garçon", "5 µm"]
    {
        let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(name);
        assert_eq!(name_of(&bytes), (name.to_owned(), "windows-1252"));
    }
    for name in ["Œuvre", "cœur de bœuf", "Œufs et crème brûlée"] {
        let (bytes, _, _) = encoding_rs::ISO_8859_15.encode(name);
        assert_eq!(name_of(&bytes), (name.to_owned(), "ISO-8859-15"));
    }
    // Code page 437, which is not read: at least as letters of the west.
    assert_eq!(name_of(b"L\x84ufer").1, "windows-1252");
    for (name, encoding) in [
        ("Świeca, śliwka", encoding_rs::WINDOWS_1250),
        ("Ľudová izba", encoding_rs::WINDOWS_1250),
        ("カップ", encoding_rs::SHIFT_JIS),
        ("磁器カップ M", encoding_rs::SHIFT_JIS),
        ("Tシャツ L", encoding_rs::SHIFT_JIS),
        ("红色杯子 XL", encoding_rs::GBK),
        ("도자기 컵", encoding_rs::EUC_KR),
        ("Чашка", encoding_rs::WINDOWS_1251),
    ] {
        let (bytes, _, _) = encoding.encode(name);
        let read = name_of(&bytes).0;
        assert_eq!(Some(read.as_str()), name.split(',').next());
    }
}

#[test]
fn a_guess_is_told_with_words_that_it_makes() {
    let sample = |text: &str, encoding: &'static encoding_rs::Encoding| {
        let (bytes, _, _) = encoding.encode(text);
        let mut reader = Utf8::new(&*bytes, None);
        let found = reader.found();
        reader.read_to_string(&mut String::new()).expect("UTF-8");
        found.sample().to_owned()
    };
    let western = encoding_rs::WINDOWS_1252;
    assert_eq!(sample("name,price\nBowl “x”,5 €\nTasse à café,1\nCafé;café\n", western), "à café Café");
    assert_eq!(sample("name,price\nBowl,5 €\n", western), "€");
    assert_eq!(sample("name\nBowl é", encoding_rs::UTF_8), "");
}
