//! Cells of a table: money, numbers and words that people write in more than one way.

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

/// A price with the code of its currency, `24.50 GBP`: the code and the decimal number.
///
/// # Errors
/// A clause that follows the column's name.
pub fn price_with_code(text: &str) -> Result<(String, String), String> {
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
    let number = number.trim();
    if super::micros(number).is_none() {
        let with_point = number.replace(',', ".");
        if super::micros(&with_point).is_some() {
            return Err(wrong(&format!(
                "with a comma; decimals are written with a point ({with_point}), and thousands without a sign"
            )));
        }
        return Err(wrong("whose price is not a decimal number of at most 6 decimals"));
    }
    Ok((code.to_ascii_uppercase(), number.to_owned()))
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
    // 12.00, as spreadsheets like to write it.
    if let Some((whole, zeros)) = text.split_once('.')
        && !zeros.is_empty()
        && zeros.bytes().all(|b| b == b'0')
        && let Ok(number) = whole.parse()
    {
        return Ok(number);
    }
    let digits: String =
        text.chars().filter(|c| !matches!(c, ',' | '\'' | ' ' | '\u{a0}' | '\u{202f}')).collect();
    if digits != text && digits.parse::<T>().is_ok() {
        return Err(wrong(&format!("; thousands are written without a sign ({digits})")));
    }
    Err(wrong(""))
}

/// A decimal number as shops of other countries export it, as digits with a point: `1,234.50`, `1.234,50`, `15,50` and
/// `£15.50` have one meaning. A sign must be of the currency that is expected.
///
/// # Errors
/// A clause that follows the column's name; `1,234` alone has two meanings.
pub fn amount(text: &str, currency: &str) -> Result<String, String> {
    let wrong = |what: &str| format!("is {}, {what}", excerpt(text));
    let mut number = text.trim().to_owned();
    for (sign, codes) in SIGNS {
        if number.contains(sign) {
            if !codes.contains(&currency) {
                return Err(wrong(&format!("which is no price in {currency}")));
            }
            number = number.replacen(sign, "", 1);
        }
    }
    number = number.replacen(currency, "", 1);
    number.retain(|c| !c.is_whitespace() && c != '\'' && c != '\u{202f}');
    let decimal = match (number.rfind('.'), number.rfind(',')) {
        (Some(point), Some(comma)) if point > comma => number.replace(',', ""),
        (Some(_), Some(_)) => number.replace('.', "").replacen(',', ".", 1),
        (None, Some(comma)) if number.matches(',').count() > 1 || number.len() - comma == 4 => {
            return Err(wrong("of which the comma could stand for thousands or for decimals"));
        }
        (None, Some(_)) => number.replacen(',', ".", 1),
        _ => number,
    };
    // Some write 15.50000000.
    let decimal = match decimal.split_once('.') {
        Some((whole, part)) if part.len() > 6 => format!("{whole}.{}", part.trim_end_matches('0')),
        _ => decimal,
    };
    let decimal = decimal.strip_suffix('.').map_or(decimal.clone(), str::to_owned);
    let decimal = if decimal.starts_with('.') { format!("0{decimal}") } else { decimal };
    match super::micros(&decimal) {
        Some(_) => Ok(decimal),
        None => Err(wrong("no price: digits with a point and at most 6 decimals")),
    }
}

/// Yes or no.
#[must_use]
pub fn truth(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "on" | "active" | "wahr" | "ja" | "vrai" | "oui" | "si" | "sí" => {
            Some(true)
        }
        "false" | "no" | "n" | "0" | "-1" | "off" | "falsch" | "nein" | "faux" | "non" => Some(false),
        _ => None,
    }
}
