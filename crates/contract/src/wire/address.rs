//! Postal addresses: limits and countries.

use kernel::{Error, Result, Violations};

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

/// A checked address, its texts trimmed. Only the country is required here; what else a use needs is checked where it
/// is used.
///
/// # Errors
/// `INVALID_ARGUMENT` when absent, naming every wrong field.
pub fn parse_address(pointer: &str, value: &Option<v1::Address>) -> Result<v1::Address> {
    let Some(value) = value else {
        return Err(Error::field(pointer, "INVALID_ARGUMENT", "is required"));
    };
    let mut violations = Violations::new();
    let mut text = |field: &str, text: &str, chars_max: usize| {
        let clean = violations.optional_text(&format!("{pointer}/{field}"), text, chars_max);
        violations.check(!clean.contains('\n'), format!("{pointer}/{field}"), "has a line break");
        clean
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
    violations.take(&format!("{pointer}/country_code"), country(&value.country_code));
    violations.finish()?;
    Ok(address)
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
    fn the_country_alone_will_do() {
        let unknown = v1::Address { country_code: "ZZ".into(), ..Default::default() };
        assert_eq!(parse_address("/address", &Some(unknown.clone())).expect("enough"), unknown);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = v1::Address {
            recipient: "x".repeat(201),
            lines: vec!["a\nb".into(), String::new(), String::new(), String::new(), String::new()],
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
