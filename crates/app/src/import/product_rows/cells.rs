//! Cells of a table: money, numbers and words that people write in more than one way.

use kernel::Currency;

use crate::table::excerpt;

/// Signs of currencies, with the codes that they may mean.
const SIGNS: [(&str, &[&str]); 8] = [
    ("£", &["GBP", "EGP", "GIP"]),
    ("€", &["EUR"]),
    ("$", &["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"]),
    ("¥", &["JPY", "CNY"]),
    ("₹", &["INR"]),
    ("zł", &["PLN"]),
    ("Kč", &["CZK"]),
    ("kr", &["SEK", "NOK", "DKK", "ISK"]),
];

/// A price with the code of its currency, `24.50 GBP`: the code and the decimal number. Where a comma does not separate fields, one
/// may stand before decimals; beside a point it has one meaning everywhere.
///
/// # Errors
/// A clause that follows the column's name.
pub fn price_with_code(text: &str, takes_comma: bool) -> Result<(String, String), String> {
    let wrong = |what: &str| format!("has {} {what}", excerpt(text));
    let is_letter = |c: char| c.is_ascii_alphabetic();
    let code_first = text.trim_start_matches(is_letter);
    let code_last = text.trim_end_matches(is_letter);
    let (code, number) = if text.len() - code_last.len() == 3 {
        (&text[code_last.len()..], code_last)
    } else if text.len() - code_first.len() == 3 {
        (&text[..3], code_first)
    } else if let Some((sign, codes)) = SIGNS.iter().find(|(sign, _)| text.contains(sign)) {
        return Err(wrong(&format!("with {sign:?}; write the currency's code, such as 24.50 {}", codes[0])));
    } else {
        return Err(wrong("where 24.50 GBP is expected"));
    };
    let code = code.to_ascii_uppercase();
    let number = number.trim();
    let is_comma = number.contains(',') && (takes_comma || number.contains('.'));
    if (is_comma || super::micros(number).is_some())
        && let Some(found) = decimal(number)
    {
        let has_three_decimals = found.separator == '.' && has_three_decimals(&code);
        if !found.is_sure && !has_three_decimals {
            return Err(wrong(&two_meanings(found.separator)));
        }
        if is_comma && super::micros(&found.text).is_some() {
            return Ok((code, found.text));
        }
    }
    if super::micros(number).is_none() {
        let with_point = number.replace(',', ".");
        if super::micros(&with_point).is_some() {
            return Err(wrong(&format!(
                "with a comma; decimals are written with a point ({with_point}), and thousands without a sign"
            )));
        }
        return Err(wrong(what_is_wrong(number)));
    }
    Ok((code, number.to_owned()))
}

/// What keeps a text from being the number of a price: a clause.
fn what_is_wrong(number: &str) -> &'static str {
    let is_code = |word: &str| word.len() == 3 && word.bytes().all(|b| b.is_ascii_alphabetic());
    let words = || number.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let below_zero = number.strip_prefix(['-', '\u{2212}']);
    let has_room = |text: &str| text.split('.').nth(1).is_none_or(|decimals| decimals.len() <= 6);
    if below_zero.is_some_and(|rest| decimal(rest).is_some()) {
        "whose price is below zero"
    } else if words().any(is_code) && words().any(|word| decimal(word).is_some()) {
        "where one price is expected; several are separated by semicolons"
    } else if decimal(number).is_some_and(|it| has_room(&it.text) && super::micros(&it.text).is_none()) {
        "whose price is too large"
    } else {
        "whose price is not a decimal number of at most 6 decimals"
    }
}

/// A whole number.
///
/// # Errors
/// A clause that follows the column's name.
pub fn whole<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let wrong = |what: &str| format!("is {}, which is not a whole number{what}", excerpt(text));
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    // 12.00, as spreadsheets like to write it; 12.000 may be thousands.
    if let Some((whole, zeros)) = text.split_once('.')
        && !zeros.is_empty()
        && zeros.bytes().all(|b| b == b'0')
        && let Ok(number) = whole.parse()
    {
        return match decimal(text) {
            Some(number) if !number.is_sure => Err(wrong(&format!(", {}", two_meanings('.')))),
            _ => Ok(number),
        };
    }
    let digits: String =
        text.chars().filter(|c| !matches!(c, ',' | '\'' | ' ' | '\u{a0}' | '\u{202f}')).collect();
    if digits != text && digits.parse::<T>().is_ok() {
        return Err(wrong(&format!("; thousands are written without a sign ({digits})")));
    }
    Err(wrong(""))
}

/// A price as shops of other countries export it, as digits with a point: `1,234.50`, `1.234,50`, `15,50` and `£15.50` have
/// one meaning. A sign must be of the currency that is expected.
///
/// A point before exactly three digits is a decimal one in currencies that have three decimals. In others it may as well stand
/// for thousands, and Shopify itself reads it so; neither Shopify nor `WooCommerce` writes thousands, but people who edit
/// their exports do.
///
/// # Errors
/// A clause that follows the column's name; `1,234` alone has two meanings.
pub fn amount(text: &str, currency: Currency) -> Result<String, String> {
    let wrong = |what: &str| format!("is {}, {what}", excerpt(text));
    let code = currency.code();
    let mut number = text.trim().to_owned();
    for (sign, codes) in SIGNS {
        if number.contains(sign) {
            if !codes.contains(&code) {
                return Err(wrong(&format!("which is not a price in {code}")));
            }
            number = number.replacen(sign, "", 1);
        }
    }
    let number = number.replacen(code, "", 1);
    let not_a_price = || wrong("which is not a price: digits with a point and at most 6 decimals");
    match decimal(&number) {
        Some(Decimal { is_sure, text: found, separator }) => {
            let has_three_decimals = separator == '.' && currency.exponent() == 3;
            if !is_sure && !has_three_decimals {
                return Err(wrong(&two_meanings(separator)));
            }
            super::micros(&found).map(|_| found).ok_or_else(not_a_price)
        }
        None => Err(not_a_price()),
    }
}

fn has_three_decimals(code: &str) -> bool {
    Currency::parse(code).is_ok_and(|currency| currency.exponent() == 3)
}

/// Why a number is refused whose separator may be of either kind.
pub fn two_meanings(separator: char) -> String {
    let name = if separator == '.' { "point" } else { "comma" };
    format!("of which the {name} could stand for thousands or for decimals")
}

/// A decimal number that was read.
pub struct Decimal {
    /// Digits, with a point before the decimals.
    pub text: String,
    /// Whether it has one meaning: `1,234` and `1.234` have two.
    pub is_sure: bool,
    /// What was taken for the sign of decimals; a point where there is none.
    pub separator: char,
}

/// A decimal number with a comma or a point before its decimals, and thousands set apart by the other one, by blanks or by
/// apostrophes. `None` for what is not a number, or whose groups are not those of thousands (or of Indian lakhs).
pub fn decimal(text: &str) -> Option<Decimal> {
    let is_blank = |c: char| c.is_whitespace() || matches!(c, '\'' | '\u{2019}');
    let text: String = text.trim().chars().map(|c| if is_blank(c) { ' ' } else { c }).collect();
    let seen = |sign: char| text.matches(sign).count();
    let last = text.rfind(['.', ',']);
    let separator = last.and_then(|at| text[at..].chars().next());
    let other = separator.map(|sign| if sign == '.' { ',' } else { '.' });
    let (whole, part) = match (last, separator, other) {
        // One sign that comes again is of thousands.
        (Some(_), Some(sign), Some(other)) if seen(sign) > 1 && seen(other) == 0 => (text.as_str(), ""),
        (Some(at), ..) => (&text[..at], &text[at + 1..]),
        _ => (text.as_str(), ""),
    };
    let digits = ungrouped(whole)?;
    if !part.bytes().all(|b| b.is_ascii_digit()) || (digits.is_empty() && part.is_empty()) {
        return None;
    }
    // Thousands begin with one to three digits, which are not zero.
    let is_thousand = part.len() == 3
        && (1..=3).contains(&whole.len())
        && !whole.starts_with('0')
        && whole.bytes().all(|b| b.is_ascii_digit());
    // Some write 15.50000000.
    let part = if part.len() > 6 { part.trim_end_matches('0') } else { part };
    let digits = if digits.is_empty() { "0" } else { &digits };
    let text = if part.is_empty() { digits.to_owned() } else { format!("{digits}.{part}") };
    Some(Decimal { text, is_sure: !is_thousand, separator: separator.unwrap_or('.') })
}

/// The digits of a whole number whose groups, if it has any, are set apart by one sign: groups of three, or of two before the
/// last as in India.
fn ungrouped(whole: &str) -> Option<String> {
    let Some(sign) = whole.chars().find(|c| !c.is_ascii_digit()) else { return Some(whole.to_owned()) };
    if !matches!(sign, ' ' | '.' | ',') {
        return None;
    }
    let groups: Vec<&str> = whole.split(sign).collect();
    let (first, others) = groups.split_first()?;
    let (last, middle) = others.split_last()?;
    let is_of = |digits: usize| {
        (1..=digits).contains(&first.len()) && middle.iter().all(|group| group.len() == digits)
    };
    let is_grouped = last.len() == 3 && (is_of(3) || is_of(2)) && !first.starts_with('0');
    let digits = groups.concat();
    (is_grouped && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// Yes or no, in the words that shops and spreadsheets of several languages write, or as a number: 1, and 0 or -1.
#[must_use]
pub fn truth(text: &str) -> Option<bool> {
    const YES: [&str; 23] = [
        "true",
        "yes",
        "y",
        "on",
        "active",
        "publish",
        "published",
        "wahr",
        "ja",
        "vrai",
        "oui",
        "si",
        "sí",
        "sì",
        "verdadero",
        "vero",
        "waar",
        "verdadeiro",
        "sim",
        "sant",
        "sand",
        "prawda",
        "tak",
    ];
    const NO: [&str; 25] = [
        "false",
        "no",
        "n",
        "off",
        "inactive",
        "unpublished",
        "draft",
        "private",
        "pending",
        "falsch",
        "nein",
        "faux",
        "non",
        "falso",
        "onwaar",
        "nee",
        "não",
        "nao",
        "falskt",
        "falsk",
        "nej",
        "nei",
        "fałsz",
        "falsz",
        "nie",
    ];
    let word = text.trim().to_lowercase();
    if YES.contains(&word.as_str()) {
        return Some(true);
    }
    if NO.contains(&word.as_str()) {
        return Some(false);
    }
    let (sign, digits) = word.strip_prefix('-').map_or((1, word.as_str()), |digits| (-1, digits));
    match sign * super::micros(&decimal(digits)?.text)? {
        1_000_000 => Some(true),
        0 | -1_000_000 => Some(false),
        _ => None,
    }
}
