//! A catalogue from the lines of a file: what is sold, under which names, at which prices, and how much of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kernel::Timestamp;

use super::file::{Line, Refusal};
use kernel::country;

/// Other descriptions that are kept of an article.
const SYNONYMS_MAX: usize = 50;
/// Prices of the past that are kept of an article, the latest.
pub const PRICES_MAX: usize = 1000;
const DAY_MICROS: i64 = 24 * 3600 * 1_000_000;

/// A price from some time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceSince {
    /// The first sale at it.
    pub since: Timestamp,
    /// Millionths of a pound.
    pub micros: i64,
}

/// What one stock code is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    /// The stock code.
    pub sku: Arc<str>,
    /// Its most used description; the stock code itself when no line has one.
    pub name: Arc<str>,
    /// Its other descriptions, the most used first.
    pub synonyms: Vec<Arc<str>>,
    /// Its prices, oldest first, none twice in a row; empty when it was never sold.
    pub prices: Vec<PriceSince>,
    /// Units that the file sells.
    pub units: i64,
}

/// What a file tells of its shop.
#[derive(Debug, Default)]
pub struct Catalogue {
    articles: BTreeMap<Arc<str>, Known>,
    countries: BTreeMap<Arc<str>, &'static str>,
    skipped: BTreeMap<Refusal, u64>,
    lines: u64,
    used: u64,
}

#[derive(Debug, Default)]
struct Known {
    sold_as: BTreeMap<Arc<str>, u64>,
    noted_as: BTreeMap<Arc<str>, u64>,
    days: BTreeMap<i64, BTreeMap<i64, Day>>,
    units: i64,
}

/// What was sold on a day at one price.
#[derive(Clone, Copy, Debug)]
struct Day {
    units: i64,
    first: Timestamp,
}

impl Catalogue {
    /// Takes one more line into account.
    pub fn add(&mut self, line: &Line) {
        self.lines += 1;
        self.countries.entry(line.country.clone()).or_insert_with(|| country::code(&line.country));
        let known = self.articles.entry(line.sku.clone()).or_default();
        if let Some(refusal) = line.refusal() {
            *self.skipped.entry(refusal).or_default() += 1;
            if refusal == Refusal::Cancellation && !line.description.is_empty() {
                *known.noted_as.entry(line.description.clone()).or_default() += 1;
            }
            return;
        }
        self.used += 1;
        known.units = known.units.saturating_add(line.quantity);
        if !line.description.is_empty() {
            *known.sold_as.entry(line.description.clone()).or_default() += 1;
        }
        let prices = known.days.entry(line.time.micros().div_euclid(DAY_MICROS)).or_default();
        let day = prices.entry(line.price_micros).or_insert(Day { units: 0, first: line.time });
        day.units = day.units.saturating_add(line.quantity);
        day.first = day.first.min(line.time);
    }

    /// The articles by stock code.
    pub fn articles(&self) -> impl ExactSizeIterator<Item = Article> + '_ {
        self.articles.iter().map(|(sku, known)| known.article(sku))
    }

    /// ISO 3166-1 codes of the countries, each once.
    #[must_use]
    pub fn countries(&self) -> BTreeSet<&'static str> {
        self.countries.values().copied().collect()
    }

    /// Lines in all.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Lines that are sales.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Lines that are none, by reason.
    #[must_use]
    pub fn skipped(&self) -> BTreeMap<&'static str, u64> {
        self.skipped.iter().map(|(refusal, lines)| (refusal.reason(), *lines)).collect()
    }
}

impl Known {
    fn article(&self, sku: &Arc<str>) -> Article {
        // Notes on write-offs ("damages", "?") are no names, and are not among these.
        let names = if self.sold_as.is_empty() { &self.noted_as } else { &self.sold_as };
        let mut names: Vec<_> = names.iter().collect();
        names.sort_by(|(a, times_a), (b, times_b)| times_b.cmp(times_a).then(a.cmp(b)));
        let mut names = names.into_iter().map(|(name, _)| name.clone());
        Article {
            sku: sku.clone(),
            name: names.next().unwrap_or_else(|| sku.clone()),
            synonyms: names.take(SYNONYMS_MAX).collect(),
            prices: self.prices(),
            units: self.units,
        }
    }

    /// The price of each day is the one that most units were sold at, the lower one of two; only changes are kept.
    fn prices(&self) -> Vec<PriceSince> {
        let mut prices: Vec<PriceSince> = Vec::new();
        for sold in self.days.values() {
            let most =
                sold.iter().max_by(|(a, day_a), (b, day_b)| day_a.units.cmp(&day_b.units).then(b.cmp(a)));
            let Some((micros, day)) = most else { continue };
            if prices.last().is_none_or(|last| last.micros != *micros) {
                prices.push(PriceSince { since: day.first, micros: *micros });
            }
        }
        let older = prices.len().saturating_sub(PRICES_MAX);
        prices.drain(..older);
        prices
    }
}

/// How much of what the file sells is put on the shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockShare(u32);

impl StockShare {
    /// All of it.
    pub const EXACT: Self = Self(100);

    /// Units on the shelf for so many sold, rounded down.
    #[must_use]
    pub fn of(self, units: i64) -> i64 {
        let share = i128::from(units.max(0)) * i128::from(self.0) / 100;
        i64::try_from(share).unwrap_or(i64::MAX)
    }
}

impl std::str::FromStr for StockShare {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "exact" {
            return Ok(Self::EXACT);
        }
        let percent = text.strip_suffix('%').and_then(|digits| digits.parse().ok());
        percent.filter(|percent| *percent <= 10_000).map(Self).ok_or_else(|| {
            "give \"exact\" or a whole percentage from 0% to 10000%, for example 90%".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn catalogue(lines: &[&str]) -> Catalogue {
        let text = format!("{}\n{}\n", file::COLUMNS.join(","), lines.join("\n"));
        let mut catalogue = Catalogue::default();
        file::read_from(text.as_bytes(), |line| catalogue.add(&line)).expect("reads");
        catalogue
    }

    #[test]
    fn the_most_used_description_is_the_name() {
        let catalogue = catalogue(&[
            "1,a,MUG,1,2010-12-01 08:00:00,2.5,,EIRE",
            "2,a,BIG MUG,1,2010-12-01 09:00:00,2.5,,EIRE",
            "3,a,BIG MUG,1,2010-12-01 09:00:00,2.5,,Channel Islands",
            "4,a,damages,-7,2010-12-01 09:00:00,0,,Channel Islands",
            "4,A,,1,2010-12-01 09:00:00,1,,Channel Islands",
            "C5,z,GNOME,-1,2010-12-01 09:00:00,1,,Atlantis",
        ]);
        let articles: Vec<_> = catalogue.articles().collect();
        let names: Vec<_> = articles.iter().map(|a| (&*a.sku, &*a.name, a.units)).collect();
        assert_eq!(names, [("A", "A", 1), ("a", "BIG MUG", 3), ("z", "GNOME", 0)]);
        assert_eq!(articles[1].synonyms, ["MUG".into()]);
        assert_eq!(catalogue.countries().into_iter().collect::<Vec<_>>(), ["IE", "JE", "ZZ"]);
        assert_eq!((catalogue.lines(), catalogue.used()), (6, 4));
        assert_eq!(catalogue.skipped(), BTreeMap::from([("CANCELLATION", 1), ("NO_QUANTITY", 1)]));
    }

    #[test]
    fn a_day_has_the_price_that_most_units_had() {
        let catalogue = catalogue(&[
            "1,a,MUG,1,2010-12-01 08:00:00,2.5,,EIRE",
            "2,a,MUG,9,2010-12-01 12:00:00,2.1,,EIRE",
            "3,a,MUG,1,2010-12-02 08:00:00,2.1,,EIRE",
            "4,a,MUG,3,2010-12-03 09:00:00,3,,EIRE",
            "5,a,MUG,3,2010-12-03 08:00:00,2.95,,EIRE",
        ]);
        let prices: Vec<_> =
            catalogue.articles().flat_map(|a| a.prices).map(|p| (p.since.to_string(), p.micros)).collect();
        let expected = [("2010-12-01T12:00:00Z", 2_100_000), ("2010-12-03T08:00:00Z", 2_950_000)];
        assert_eq!(prices, expected.map(|(since, micros)| (since.to_owned(), micros)));
    }

    #[test]
    fn a_share_is_rounded_down() {
        let share: StockShare = "90%".parse().expect("a share");
        assert_eq!([0, 1, 9, 10, 11].map(|units| share.of(units)), [0, 0, 8, 9, 9]);
        assert_eq!("exact".parse::<StockShare>().expect("a share").of(i64::MAX), i64::MAX);
        for wrong in ["", "90", "-1%", "1.5%", "all", "10001%"] {
            assert!(wrong.parse::<StockShare>().is_err(), "{wrong}");
        }
    }
}
