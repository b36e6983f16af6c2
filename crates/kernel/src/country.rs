//! Names of countries, as shops write them, to ISO 3166-1.

/// Every country: its alpha-2 code and its English name, by code.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = COUNTRIES.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(code, names)| (code, names.split('|').next().unwrap_or(names)))
}

/// Every country by its English name, as people look for it: marks on letters do not count.
#[must_use]
pub fn by_name() -> Vec<(&'static str, &'static str)> {
    let mut countries: Vec<_> = all().collect();
    countries.sort_by_cached_key(|(_, name)| crate::letters::plain(name));
    countries
}

/// The English name of a country; `None` for a code that is none.
#[must_use]
pub fn name(code: &str) -> Option<&'static str> {
    all().find(|(known, _)| *known == code).map(|(_, name)| name)
}

/// A country's English name within a sentence: "the United Kingdom", "Germany".
#[must_use]
pub fn in_sentence(name: &str) -> String {
    let takes_article = WITH_ARTICLE.contains(&name)
        || ["Islands", "Republic", "Territory", "Territories"].iter().any(|word| name.ends_with(word))
        || ["United ", "Isle of ", "Democratic "].iter().any(|word| name.starts_with(word));
    if takes_article { format!("the {name}") } else { name.to_owned() }
}

/// Names that have an article and do not show it by a word.
const WITH_ARTICLE: &[&str] =
    &["Bahamas", "Comoros", "Gambia", "Maldives", "Netherlands", "Philippines", "Seychelles"];

/// The code of an unknown country.
pub const UNKNOWN: &str = "ZZ";

/// A line per country: alpha-2 code, space, names separated by `|`. Sources: ISO 3166-1 (2024) and the UCI data set's own
/// spellings (EIRE, RSA, Channel Islands).
const COUNTRIES: &str = include_str!("countries.txt");

/// The ISO 3166-1 alpha-2 code of a country's English name, in any case; [`UNKNOWN`] for what is none, such as "Unspecified" or
/// "European Community".
#[must_use]
pub fn code(name: &str) -> &'static str {
    COUNTRIES
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, names)| names.split('|').any(|known| known.eq_ignore_ascii_case(name)))
        .map_or(UNKNOWN, |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_a_name_of_its_own() {
        assert!(all().count() > 240);
        for (code, country) in all() {
            assert!(code.len() == 2 && !country.is_empty(), "{code}");
            assert_eq!(name(code), Some(country));
        }
        assert_eq!((name("GB"), name("XX")), (Some("United Kingdom"), None));
    }

    #[test]
    fn names_have_their_articles_in_a_sentence() {
        for (code, words) in [
            ("GB", "the United Kingdom"),
            ("US", "the United States"),
            ("NL", "the Netherlands"),
            ("DO", "the Dominican Republic"),
            ("FK", "the Falkland Islands"),
            ("DE", "Germany"),
        ] {
            let country = name(code).expect(code);
            assert_eq!(in_sentence(country), words);
        }
    }

    #[test]
    fn people_find_their_country_by_its_name() {
        let names: Vec<_> = by_name().into_iter().map(|(_, name)| name).collect();
        assert_eq!((names.len(), names[0]), (249, "Afghanistan"));
        let place = |wanted: &str| names.iter().position(|name| *name == wanted).expect(wanted);
        assert!(place("Aland Islands") < place("Albania") && place("Albania") < place("Algeria"));
        assert!(place("Spain") < place("Switzerland") && place("Switzerland") < place("United Kingdom"));
    }

    #[test]
    fn the_spellings_of_the_data_set() {
        for (name, expected) in [
            ("United Kingdom", "GB"),
            ("EIRE", "IE"),
            ("Channel Islands", "JE"),
            ("RSA", "ZA"),
            ("USA", "US"),
            ("Czech Republic", "CZ"),
            ("Korea", "KR"),
            ("netherlands", "NL"),
            ("Unspecified", "ZZ"),
            ("European Community", "ZZ"),
            ("West Indies", "ZZ"),
            ("", "ZZ"),
        ] {
            assert_eq!(code(name), expected, "{name}");
        }
    }

    #[test]
    fn every_code_stands_once_and_every_name_is_one_country() {
        let mut codes = Vec::new();
        let mut names = Vec::new();
        for line in COUNTRIES.lines() {
            let (code, all) = line.split_once(' ').expect("a code and names");
            assert!(code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()), "{line}");
            codes.push(code);
            names.extend(all.split('|').map(str::to_lowercase));
        }
        let (count, named) = (codes.len(), names.len());
        codes.sort_unstable();
        codes.dedup();
        names.sort_unstable();
        names.dedup();
        assert_eq!((codes.len(), names.len(), count), (count, named, 249));
    }
}
