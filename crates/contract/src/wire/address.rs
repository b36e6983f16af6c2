//! Postal addresses: limits and countries.

use kernel::{Error, Result, Violations, postal};

use crate::souk::r#type::v1;

/// Street lines of an address.
const LINES_MAX: usize = 4;
/// Characters of the recipient and of a street line.
const LINE_CHARS_MAX: usize = 200;
/// Characters of the city and of the region.
const PLACE_CHARS_MAX: usize = 100;
/// Characters of the postal code.
const POSTAL_CODE_CHARS_MAX: usize = 20;
/// Characters of the telephone number.
const PHONE_CHARS_MAX: usize = 40;

/// ISO 3166-1 alpha-2, all officially assigned codes (2024), and `ZZ` for unknown.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW ZZ";

/// A checked address, its texts clean. Only the country is required here: staff know what they do, and a quote for somebody
/// who has not said more is made for a country. [`deliverable_address`] asks for the rest.
///
/// # Errors
/// `INVALID_ARGUMENT` when absent, naming every wrong field.
pub fn parse_address(pointer: &str, value: &Option<v1::Address>) -> Result<v1::Address> {
    let Some(value) = value else {
        return Err(Error::field(pointer, "INVALID_ARGUMENT", "is required"));
    };
    let mut violations = Violations::new();
    let mut text = |field: &str, text: &str, chars_max: usize| {
        violations.optional_text(&format!("{pointer}/{field}"), text, chars_max)
    };
    let address = v1::Address {
        recipient: text("recipient", &value.recipient, LINE_CHARS_MAX),
        lines: (0..)
            .zip(value.lines.iter().take(LINES_MAX))
            .map(|(n, line)| text(&format!("lines/{n}"), line, LINE_CHARS_MAX))
            .collect(),
        city: text("city", &value.city, PLACE_CHARS_MAX),
        region: text("region", &value.region, PLACE_CHARS_MAX),
        postal_code: text("postal_code", &value.postal_code, POSTAL_CODE_CHARS_MAX),
        country_code: value.country_code.clone(),
        phone: text("phone", &value.phone, PHONE_CHARS_MAX),
    };
    violations.check(
        value.lines.len() <= LINES_MAX,
        format!("{pointer}/lines"),
        format!("has more than {LINES_MAX} lines"),
    );
    // A number may be written in many ways; what has no digit is none, whatever the country.
    let is_number = address.phone.is_empty() || address.phone.contains(char::is_numeric);
    violations.check(is_number, format!("{pointer}/phone"), "has no digit");
    violations.take(&format!("{pointer}/country_code"), country(&value.country_code));
    violations.finish()?;
    Ok(address)
}

/// An address that a parcel can be sent to: with a recipient, a street and a city, and with the region and the postal code
/// that its country asks for ([`kernel::postal`]). It takes what [`parse_address`] gave.
///
/// # Errors
/// `INVALID_ADDRESS` naming every wrong field.
pub fn deliverable_address(pointer: &str, mut address: v1::Address) -> Result<v1::Address> {
    let mut violations = Violations::new();
    let at = |field: &str| format!("{pointer}/{field}");
    violations.check(!address.recipient.is_empty(), at("recipient"), "is required");
    violations.check(address.lines.iter().any(|line| !line.is_empty()), at("lines"), "is required");
    violations.check(!address.city.is_empty(), at("city"), "is required");
    match postal::address_format(&address.country_code) {
        None => violations.add(at("country_code"), "must be a known country"),
        Some(format) => {
            let (region, postal_code) = (at("region"), at("postal_code"));
            if let Err(wrong) = format.check_region(&address.region) {
                violations.add(region, wrong);
            }
            match format.check_postal_code(&address.postal_code) {
                Ok(code) => address.postal_code = code,
                Err(wrong) => violations.add(postal_code, wrong),
            }
        }
    }
    violations.finish_as("INVALID_ADDRESS")?;
    Ok(address)
}

/// An address that was checked when its order was placed, by the rules of that time: only its lengths, its control
/// characters and its country are looked at, so that an order that was accepted is also sent.
///
/// # Errors
/// `INVALID_ARGUMENT` when absent, naming every wrong field.
pub fn parse_frozen_address(pointer: &str, value: &Option<v1::Address>) -> Result<v1::Address> {
    let Some(value) = value else {
        return Err(Error::field(pointer, "INVALID_ARGUMENT", "is required"));
    };
    let mut violations = Violations::new();
    let mut check = |field: &str, text: &str, chars_max: usize| {
        let fits = text.chars().count() <= chars_max && !text.chars().any(char::is_control);
        violations.check(fits, format!("{pointer}/{field}"), format!("is no line of {chars_max} characters"));
    };
    check("recipient", &value.recipient, LINE_CHARS_MAX);
    for (n, line) in value.lines.iter().enumerate().take(LINES_MAX) {
        check(&format!("lines/{n}"), line, LINE_CHARS_MAX);
    }
    check("city", &value.city, PLACE_CHARS_MAX);
    check("region", &value.region, PLACE_CHARS_MAX);
    check("postal_code", &value.postal_code, POSTAL_CODE_CHARS_MAX);
    check("phone", &value.phone, PHONE_CHARS_MAX);
    violations.check(
        value.lines.len() <= LINES_MAX,
        format!("{pointer}/lines"),
        format!("has more than {LINES_MAX} lines"),
    );
    violations.take(&format!("{pointer}/country_code"), country(&value.country_code));
    violations.finish()?;
    Ok(value.clone())
}

/// A country: ISO 3166-1 alpha-2 in capitals, `ZZ` for unknown.
///
/// # Errors
/// `INVALID_COUNTRY`.
pub fn parse_country(pointer: &str, code: &str) -> Result<String> {
    country(code).map(|()| code.to_owned()).map_err(|error| error.at(pointer))
}

fn country(code: &str) -> Result<()> {
    if code.len() == 2 && COUNTRIES.split(' ').any(|known| known == code) {
        return Ok(());
    }
    Err(Error::invalid("INVALID_COUNTRY", "is not an ISO 3166-1 country code in capitals"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn london() -> v1::Address {
        v1::Address {
            recipient: " Ada Lovelace ".into(),
            lines: vec!["12 St James's Square".into()],
            city: "London".into(),
            postal_code: "SW1Y 4JH".into(),
            country_code: "GB".into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_good_address_is_trimmed() {
        let address = parse_address("/address", &Some(london())).expect("good");
        assert_eq!(address.recipient, "Ada Lovelace");
        assert_eq!(address.lines, london().lines);
    }

    #[test]
    fn lines_are_lines_and_hidden_characters_are_gone() {
        let pasted = v1::Address {
            recipient: "Ada\tLovelace\u{200b}".into(),
            lines: vec!["Flat 3\r\n12 St James's Square".into()],
            phone: "\u{202a}+44 20 7946 0000\u{202c}".into(),
            ..london()
        };
        let address = parse_address("/address", &Some(pasted)).expect("good");
        assert_eq!(address.recipient, "Ada Lovelace");
        assert_eq!(address.lines, ["Flat 3 12 St James's Square"]);
        assert_eq!(address.phone, "+44 20 7946 0000");
        for nothing in ["\u{200b}", "\u{2060}", "\u{3164}", "\u{2800}"] {
            let address = v1::Address { recipient: nothing.into(), ..london() };
            let error = parse_address("/address", &Some(address)).expect_err("shows nothing");
            assert_eq!(error.violations()[0].field, "/address/recipient");
        }
    }

    #[test]
    fn a_parcel_needs_what_its_country_asks_for() {
        let wrong = |address: v1::Address| {
            let address = parse_address("/destination", &Some(address)).expect("an address");
            match deliverable_address("/destination", address) {
                Ok(_) => Vec::new(),
                Err(error) => {
                    assert_eq!(error.reason(), "INVALID_ADDRESS");
                    error.violations().iter().map(|violation| violation.field.clone()).collect()
                }
            }
        };
        assert!(wrong(london()).is_empty());
        let without = v1::Address { postal_code: String::new(), ..london() };
        assert_eq!(wrong(without.clone()), ["/destination/postal_code"]);
        assert_eq!(
            wrong(v1::Address { country_code: "US".into(), ..london() }),
            ["/destination/region", "/destination/postal_code"]
        );
        assert!(wrong(v1::Address { country_code: "IE".into(), ..without.clone() }).is_empty());
        assert!(wrong(v1::Address { country_code: "BS".into(), ..without.clone() }).is_empty());
        assert_eq!(
            wrong(v1::Address { country_code: "ZZ".into(), ..without }),
            ["/destination/country_code"]
        );
        let bare = v1::Address { country_code: "GB".into(), ..Default::default() };
        assert_eq!(
            wrong(bare),
            ["/destination/recipient", "/destination/lines", "/destination/city", "/destination/postal_code"]
        );
        let small = v1::Address { postal_code: " sw1y 4jh".into(), ..london() };
        let address = deliverable_address("/a", small).expect("good");
        assert_eq!(address.postal_code, "SW1Y 4JH");
    }

    #[test]
    fn a_phone_number_has_a_digit() {
        for number in ["", "+44 20 7946 0000", "٠٢٠ ٧٩٤٦", "1-800-FLOWERS"] {
            let address = v1::Address { phone: number.into(), ..london() };
            assert!(parse_address("/address", &Some(address)).is_ok(), "{number}");
        }
        let address = v1::Address { phone: "abc".into(), ..london() };
        let error = parse_address("/address", &Some(address)).expect_err("no number");
        assert_eq!(error.message(), "/address/phone has no digit");
    }

    #[test]
    fn an_address_of_an_order_is_not_judged_again() {
        let old = v1::Address { recipient: "\u{200b}".into(), postal_code: String::new(), ..london() };
        assert_eq!(parse_frozen_address("/destination", &Some(old.clone())).expect("as it was"), old);
        let spoiled = v1::Address { city: "a\nb".into(), country_code: "gb".into(), ..london() };
        let error = parse_frozen_address("/destination", &Some(spoiled)).expect_err("two wrong fields");
        assert_eq!(error.violations().len(), 2);
    }

    #[test]
    fn the_country_alone_will_do() {
        let unknown = v1::Address { country_code: "ZZ".into(), ..Default::default() };
        assert_eq!(parse_address("/address", &Some(unknown.clone())).expect("enough"), unknown);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = v1::Address {
            recipient: "x".repeat(201),
            lines: vec!["a\u{1b}b".into(), String::new(), String::new(), String::new(), String::new()],
            postal_code: "\u{7}".into(),
            country_code: "gb".into(),
            ..london()
        };
        let error = parse_address("/destination", &Some(wrong)).expect_err("five wrong fields");
        let fields: Vec<&str> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "/destination/recipient",
                "/destination/lines/0",
                "/destination/postal_code",
                "/destination/lines",
                "/destination/country_code"
            ]
        );
    }

    #[test]
    fn countries_are_those_of_the_list() {
        assert_eq!(COUNTRIES.split(' ').count(), 250);
        for code in ["GB", "IE", "JE", "ZA", "ZZ"] {
            parse_country("/country_code", code).expect(code);
        }
        for code in ["", "UK", "EIRE", "gb", "A "] {
            assert_eq!(parse_country("/country_code", code).expect_err(code).reason(), "INVALID_COUNTRY");
        }
    }
}
