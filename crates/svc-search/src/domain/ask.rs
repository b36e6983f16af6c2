//! A question, checked.

use kernel::{
    Currency, Error, OPTION_NAME_CHARS_MAX, OPTION_VALUE_CHARS_MAX, Result, Violations, check_id_length,
};

use super::words::{Word, query_words};

/// How many results can be paged through.
pub const CURSOR_DEPTH_MAX: u64 = 10_000;
/// Characters of a query.
const QUERY_CHARS_MAX: usize = 200;
/// Categories of a search.
const CATEGORIES_MAX: usize = 20;
/// Attributes that a search filters by.
const ATTRIBUTES_MAX: usize = 20;
/// Values of one attribute that a search filters by.
const VALUES_MAX: usize = 20;
/// Bounds of price bands that a search counts.
const BOUNDS_MAX: usize = 20;

/// How results are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// Best match first; without words, newest first.
    #[default]
    Relevance,
    /// Cheapest first.
    PriceAscending,
    /// Dearest first.
    PriceDescending,
    /// Newest first.
    Newest,
    /// By name.
    Name,
}

/// How the words were understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Understanding {
    /// As typed.
    Exact,
    /// With typing errors corrected.
    Corrected,
    /// Some of them suffice.
    Nearest,
}

/// Chosen values of one attribute; one of them suffices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AttributeChoice {
    /// The attribute.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
}

/// Prices from `min` to below `below`, in micros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PriceRange {
    /// At least.
    pub min: i64,
    /// Less than; `None` for no limit.
    pub below: Option<i64>,
}

/// A band of prices.
pub type Band = PriceRange;

impl PriceRange {
    /// Whether a price lies in it.
    #[must_use]
    pub fn holds(self, micros: i64) -> bool {
        micros >= self.min && self.below.is_none_or(|below| micros < below)
    }
}

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ask {
    /// The whole question, for exact names.
    pub query: String,
    /// Its words.
    pub words: Vec<Word>,
    /// Whether something was typed that has no word: nothing is found by it.
    pub is_wordless: bool,
    /// Chosen categories, by id; one of them suffices.
    pub categories: Vec<String>,
    /// Chosen attributes; all must hold.
    pub attributes: Vec<AttributeChoice>,
    /// The currency of prices.
    pub currency: Option<Currency>,
    /// Chosen prices.
    pub price: Option<PriceRange>,
    /// How to order.
    pub sort: Sort,
    /// Whether facets are counted.
    pub facets: bool,
    /// Bounds between price bands.
    pub bounds: Vec<i64>,
    /// Results wanted.
    pub limit: usize,
}

impl Ask {
    /// Checks lengths and what needs a currency; splits the words.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming every wrong field.
    pub fn check(mut self) -> Result<Self> {
        let mut v = Violations::new();
        let length = self.query.chars().count();
        v.check(length <= QUERY_CHARS_MAX, "/query", "has more than 200 characters");
        v.check(self.categories.len() <= CATEGORIES_MAX, "/category_ids", "has more than 20 entries");
        for (n, id) in self.categories.iter().enumerate().take(CATEGORIES_MAX) {
            v.take("", check_id_length(&format!("/category_ids/{n}"), id));
        }
        v.check(self.attributes.len() <= ATTRIBUTES_MAX, "/attributes", "has more than 20 entries");
        for (n, choice) in self.attributes.iter().enumerate().take(ATTRIBUTES_MAX) {
            let good = (1..=OPTION_NAME_CHARS_MAX).contains(&choice.name.chars().count());
            let what = format!("must have 1 to {OPTION_NAME_CHARS_MAX} characters");
            v.check(good, format!("/attributes/{n}/name"), what);
            let repeats = self.attributes[..n].iter().any(|other| other.name == choice.name);
            v.check(!repeats, format!("/attributes/{n}/name"), "repeats an attribute");
            let good = (1..=VALUES_MAX).contains(&choice.values.len());
            v.check(good, format!("/attributes/{n}/values"), "must have 1 to 20 entries");
            let fits = choice.values.iter().all(|value| value.chars().count() <= OPTION_VALUE_CHARS_MAX);
            let what = format!("has a value of more than {OPTION_VALUE_CHARS_MAX} characters");
            v.check(fits, format!("/attributes/{n}/values"), what);
        }
        let needs_currency =
            self.price.is_some() || matches!(self.sort, Sort::PriceAscending | Sort::PriceDescending);
        v.check(
            self.currency.is_some() || !needs_currency,
            "/currency_code",
            "is required where prices matter",
        );
        if let Some(price) = self.price {
            v.check(price.min >= 0, "/price/min_micros", "must not be negative");
            let good = price.below.is_none_or(|below| below > price.min);
            v.check(good, "/price/below_micros", "must be more than min_micros, or 0");
        }
        v.check(self.bounds.len() <= BOUNDS_MAX, "/price_band_bounds_micros", "has more than 20 entries");
        let rising =
            self.bounds.first().is_none_or(|first| *first > 0) && self.bounds.is_sorted_by(|a, b| a < b);
        v.check(rising, "/price_band_bounds_micros", "must rise from above 0");
        v.finish()?;
        self.words = query_words(&self.query);
        if self.words.is_empty() {
            // Signs alone are no name of anything; blanks are no question.
            self.is_wordless = !self.query.trim().is_empty();
            self.query.clear();
        }
        Ok(self)
    }
}

/// The bands between bounds; without bounds, 5, 10, 25, 50 and 100 units, of 100 where the currency has no minor unit.
#[must_use]
pub fn bands(bounds: &[i64], currency: Currency) -> Vec<Band> {
    let unit = if currency.exponent() == 0 { 100_000_000 } else { 1_000_000 };
    let usual: Vec<i64> = [5, 10, 25, 50, 100].iter().map(|n| n * unit).collect();
    let bounds = if bounds.is_empty() { &usual } else { bounds };
    let starts = std::iter::once(0).chain(bounds.iter().copied());
    let ends = bounds.iter().copied().map(Some).chain([None]);
    starts.zip(ends).map(|(min, below)| Band { min, below }).collect()
}

/// What a result is ordered by. Smaller comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A number, already turned so that smaller comes first.
    Number(u64),
    /// A folded name.
    Text(String),
}

/// Where a page ended: what its last result is ordered by, its product, and how many were given so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The last result's key.
    pub key: Key,
    /// What breaks ties.
    pub tie: u64,
    /// How many were given.
    pub given: u64,
    /// How the words were understood on the first page.
    pub understanding: Understanding,
}

impl Place {
    /// As text, for a cursor.
    #[must_use]
    pub fn write(&self) -> String {
        let understanding = match self.understanding {
            Understanding::Exact => 'e',
            Understanding::Corrected => 'c',
            Understanding::Nearest => 'n',
        };
        let head = format!("{understanding}:{}:{:x}", self.given, self.tie);
        match &self.key {
            Key::Number(number) => format!("{head}:#{number:x}"),
            Key::Text(text) => format!("{head}:${text}"),
        }
    }

    /// Reads what [`Place::write`] wrote.
    ///
    /// # Errors
    /// `INVALID_CURSOR` at `/page/cursor`.
    pub fn read(text: &str) -> Result<Self> {
        Self::parse(text)
            .ok_or_else(|| Error::field("/page/cursor", "INVALID_CURSOR", "is not a cursor of this list"))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, ':');
        let understanding = match parts.next()? {
            "e" => Understanding::Exact,
            "c" => Understanding::Corrected,
            "n" => Understanding::Nearest,
            _ => return None,
        };
        let given = parts.next()?.parse().ok()?;
        let tie = u64::from_str_radix(parts.next()?, 16).ok()?;
        let key = parts.next()?;
        let key = match key.strip_prefix('#') {
            Some(number) => Key::Number(u64::from_str_radix(number, 16).ok()?),
            None => Key::Text(key.strip_prefix('$')?.to_owned()),
        };
        Some(Self { key, tie, given, understanding })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(ask: Ask) -> String {
        ask.check().expect_err("refused").violations()[0].field.clone()
    }

    #[test]
    fn wrong_questions_name_their_field() {
        assert_eq!(field(Ask { query: "x".repeat(201), ..Ask::default() }), "/query");
        assert_eq!(field(Ask { sort: Sort::PriceAscending, ..Ask::default() }), "/currency_code");
        let price = Some(PriceRange { min: 5, below: Some(5) });
        let currency = Some(Currency::GBP);
        assert_eq!(field(Ask { price, currency, ..Ask::default() }), "/price/below_micros");
        assert_eq!(field(Ask { bounds: vec![2, 2], ..Ask::default() }), "/price_band_bounds_micros");
        let twice = AttributeChoice { name: "size".into(), values: vec!["L".into()] };
        assert_eq!(
            field(Ask { attributes: vec![twice.clone(), twice], ..Ask::default() }),
            "/attributes/1/name"
        );
        assert_eq!(field(Ask { categories: vec![String::new(); 21], ..Ask::default() }), "/category_ids");
        let huge = vec!["cat".into(), "x".repeat(4_000_000)];
        assert_eq!(field(Ask { categories: huge, ..Ask::default() }), "/category_ids/1");
    }

    #[test]
    fn what_a_product_may_have_can_be_asked_for() {
        let ask = |name: usize, value: usize| {
            let values = vec!["é".repeat(value)];
            Ask { attributes: vec![AttributeChoice { name: "ß".repeat(name), values }], ..Ask::default() }
        };
        assert!(ask(OPTION_NAME_CHARS_MAX, OPTION_VALUE_CHARS_MAX).check().is_ok());
        assert_eq!(field(ask(OPTION_NAME_CHARS_MAX + 1, 1)), "/attributes/0/name");
        assert_eq!(field(ask(1, OPTION_VALUE_CHARS_MAX + 1)), "/attributes/0/values");
    }

    proptest! {
        #[test]
        fn every_price_lies_in_one_band(micros in 0_i64..1_000_000_000_000, bounds in prop::collection::btree_set(1_i64..1_000_000_000, 0..20)) {
            let bounds: Vec<_> = bounds.into_iter().collect();
            for currency in [Currency::GBP, Currency::JPY] {
                let holding = bands(&bounds, currency).into_iter().filter(|band| band.holds(micros)).count();
                prop_assert_eq!(holding, 1);
            }
        }

        #[test]
        fn every_place_reads_back(number in any::<u64>(), name in ".{0,20}", tie in any::<u64>(), given in any::<u64>(), is_text in any::<bool>()) {
            let key = if is_text { Key::Text(name) } else { Key::Number(number) };
            let place = Place { key, tie, given, understanding: Understanding::Corrected };
            prop_assert_eq!(Place::read(&place.write()).expect("own text"), place);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = Place::read(&text);
        }
    }
}
