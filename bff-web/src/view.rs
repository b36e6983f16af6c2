//! What several screens show: products in a list, pictures, categories, addresses.

use contract::souk::inventory::v1::{Stock, StockBand};
use contract::souk::product::v1 as product;
use contract::souk::search::v1::SearchHit;
use contract::souk::r#type::v1 as shared;
use contract::wire;
use kernel::{Result, Timestamp, Violations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::money::Price;
use crate::pictures::{PictureView, Pictures};
use crate::said;
use crate::shop::Tree;

/// A product in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Card {
    /// `prd_…`.
    pub product_id: String,
    /// Its name.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// What the cheapest variant costs; absent when it is not sold in this currency.
    pub from_price: Option<Price>,
    /// Whether variants differ in price.
    pub price_varies: bool,
    /// How many variants it has.
    pub variant_count: i32,
    /// Its picture.
    pub picture: PictureView,
    /// Whether nothing of it can be had; absent when that is not known.
    pub sold_out: Option<bool>,
}

impl Card {
    /// A product that was found.
    pub fn of_hit(hit: SearchHit, currency: &str, tree: &Tree, pictures: &Pictures) -> Self {
        let price = |prices: &[shared::UnitPrice]| {
            prices.iter().find(|price| price.currency_code == currency).cloned().map(Price::from)
        };
        let (lowest, highest) = (price(&hit.lowest_prices), price(&hit.highest_prices));
        Self {
            picture: picture_of_hit(&hit, tree, pictures),
            product_id: hit.product_id,
            name: hit.name,
            slug: hit.slug,
            price_varies: lowest != highest,
            from_price: lowest,
            variant_count: hit.variant_count,
            sold_out: None,
        }
    }
}

/// The picture of a product that was found.
pub fn picture_of_hit(hit: &SearchHit, tree: &Tree, pictures: &Pictures) -> PictureView {
    let category = hit.category_ids.first().map_or("", |id| category_name(tree, id));
    pictures.of(hit.image.as_ref(), &hit.product_id, &hit.name, category)
}

/// The name of a category; empty for one that is not there.
pub fn category_name<'a>(tree: &'a Tree, id: &str) -> &'a str {
    tree.by_id(id).map_or("", |category| &category.name)
}

/// The name of the deepest of some categories, which says most about what a thing looks like.
pub fn deepest<'a>(tree: &'a Tree, ids: &[String]) -> &'a str {
    let known = ids.iter().filter_map(|id| tree.by_id(id));
    known.max_by_key(|category| category.path.matches('/').count()).map_or("", |category| &category.name)
}

/// A category.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CategoryView {
    /// `cat_…`.
    pub category_id: String,
    /// Its name.
    pub name: String,
    /// Slugs from the top, joined by `/`.
    pub path: String,
}

impl CategoryView {
    pub fn of(category: &product::Category) -> Self {
        Self {
            category_id: category.category_id.clone(),
            name: category.name.clone(),
            path: category.path.clone(),
        }
    }

    pub fn trail(tree: &Tree, id: &str) -> Vec<Self> {
        tree.trail(id).into_iter().map(Self::of).collect()
    }
}

/// How much of something is left, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// None.
    None,
    /// 1 to 5.
    Few,
    /// 6 to 20.
    Some,
    /// 21 and more.
    Many,
}

/// How much of a SKU can be bought.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StockView {
    /// Roughly.
    pub left: Left,
    /// Units, told when few are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<i64>,
}

impl StockView {
    pub fn of(stock: &Stock) -> Self {
        let left = match stock.band() {
            StockBand::None | StockBand::Unspecified => Left::None,
            StockBand::Few => Left::Few,
            StockBand::Some => Left::Some,
            StockBand::Many => Left::Many,
        };
        Self { left, only: (left == Left::Few).then_some(stock.available) }
    }
}

/// The value of an option, for example colour: blue.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OptionView {
    /// The option.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl From<&product::OptionValue> for OptionView {
    fn from(option: &product::OptionValue) -> Self {
        Self { name: option.name.clone(), value: option.value.clone() }
    }
}

impl From<&shared::ChosenOption> for OptionView {
    fn from(option: &shared::ChosenOption) -> Self {
        Self { name: option.name.clone(), value: option.value.clone() }
    }
}

/// Chosen options in words: "Blue, Large".
pub fn option_words(options: &[OptionView]) -> String {
    options.iter().map(|option| option.value.as_str()).collect::<Vec<_>>().join(", ")
}

/// A name with the chosen options: "Cushion (Blue, Large)".
pub fn title(name: &str, options: &[OptionView]) -> String {
    if options.is_empty() { name.to_owned() } else { format!("{name} ({})", option_words(options)) }
}

/// A postal address as it is shown.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct AddressView {
    /// Who receives it.
    pub recipient: String,
    /// Street lines.
    pub lines: Vec<String>,
    /// City or town.
    pub city: String,
    /// State, county or region.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
    /// Telephone number.
    pub phone: String,
}

impl From<shared::Address> for AddressView {
    fn from(address: shared::Address) -> Self {
        Self {
            recipient: address.recipient,
            lines: address.lines,
            city: address.city,
            region: address.region,
            postal_code: address.postal_code,
            country_code: address.country_code,
            phone: address.phone,
        }
    }
}

impl AddressView {
    /// As it stands on a parcel, a line each.
    pub fn parcel(&self) -> Vec<String> {
        let country = kernel::country::name(&self.country_code).unwrap_or(&self.country_code);
        let town = [&self.city, &self.region, &self.postal_code].map(String::as_str);
        let town: Vec<&str> = town.into_iter().filter(|part| !part.is_empty()).collect();
        let mut lines = vec![self.recipient.clone()];
        lines.extend(self.lines.iter().cloned());
        lines.extend([town.join(", "), country.to_owned()]);
        lines.retain(|line| !line.is_empty());
        lines
    }
}

/// An address that somebody gives.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressInput {
    /// Who receives it, 1 to 200 characters.
    #[schemars(length(min = 1, max = 200), extend("pattern" = said::LINE))]
    pub recipient: String,
    /// Street lines, 1 to 4 of 1 to 200 characters.
    #[schemars(length(min = 1, max = 4), inner(length(min = 1, max = 200), regex(pattern = said::LINE)))]
    pub lines: Vec<String>,
    /// City or town, 1 to 100 characters.
    #[schemars(length(min = 1, max = 100), extend("pattern" = said::LINE))]
    pub city: String,
    /// State, county or region, at most 100 characters; may be left out where addresses of the country have none.
    #[serde(default)]
    #[schemars(length(max = 100), extend("pattern" = said::LINE_OR_NONE))]
    pub region: String,
    /// Postal code in the form of the country, at most 20 characters; may be left out where the country does not ask for it.
    #[serde(default)]
    #[schemars(length(max = 20), extend("pattern" = said::LINE_OR_NONE))]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2 in capitals.
    #[schemars(extend("enum" = said::countries()))]
    pub country_code: String,
    /// Telephone number, at most 40 characters; may be left out.
    #[serde(default)]
    #[schemars(length(max = 40), extend("pattern" = said::LINE_OR_NONE))]
    pub phone: String,
}

impl AddressInput {
    /// Checks that a parcel would arrive there, as far as that can be seen, by the rules of its country; `pointer` leads to
    /// the address.
    ///
    /// # Errors
    /// INVALID_ARGUMENT naming every wrong field.
    pub fn check(&self, pointer: &str) -> Result<()> {
        let mut violations = Violations::new();
        let is_blank = |line: &String| line.trim().is_empty();
        // The rules of a parcel refuse an address whose only line is blank.
        let skipped = usize::from(self.lines.len() == 1);
        for (place, line) in self.lines.iter().enumerate().skip(skipped) {
            violations.check(!is_blank(line), format!("{pointer}/lines/{place}"), "is required");
        }
        violations.finish()?;
        let address = wire::parse_address(pointer, &Some(shared::Address::from(self.clone())))?;
        wire::deliverable_address(pointer, address).map(|_| ())
    }
}

impl From<AddressInput> for shared::Address {
    fn from(address: AddressInput) -> Self {
        Self {
            recipient: address.recipient,
            lines: address.lines,
            city: address.city,
            region: address.region,
            postal_code: address.postal_code,
            country_code: address.country_code,
            phone: address.phone,
        }
    }
}

/// A point in time: RFC 3339 in UTC; empty for none.
pub fn time(at: Option<impl Into<When>>) -> String {
    at.map(|at| at.into().0.to_string()).unwrap_or_default()
}

/// A point in time on the wire.
pub struct When(Timestamp);

impl<T: std::borrow::Borrow<prost_types::Timestamp>> From<T> for When {
    fn from(at: T) -> Self {
        let at = at.borrow();
        Self(Timestamp::from_micros(at.seconds.saturating_mul(1_000_000) + i64::from(at.nanos) / 1_000))
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The day of an RFC 3339 time, for people: "5 May 2026".
pub fn day(time: &str) -> String {
    let date = time.split('T').next().unwrap_or_default();
    let mut parts = date.split('-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return String::new();
    };
    let name = month.parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?));
    name.map(|name| format!("{} {name} {year}", day.trim_start_matches('0'))).unwrap_or_default()
}

/// Day and minute of an RFC 3339 time in UTC, for people: "5 May 2026, 14:05".
pub fn minute(time: &str) -> String {
    let clock = time.split('T').nth(1).and_then(|clock| clock.get(..5)).unwrap_or_default();
    if clock.is_empty() { day(time) } else { format!("{}, {clock}", day(time)) }
}

/// Whether a name is written in capitals throughout, as old tills do: such names are set smaller.
pub fn shouts(name: &str) -> bool {
    let letters = || name.chars().filter(|letter| letter.is_alphabetic());
    letters().count() > 4 && !letters().any(char::is_lowercase)
}

/// Text for an address: everything but letters, digits and `-_.~` percent-encoded.
pub fn encoded(text: &str) -> String {
    const KEEP: percent_encoding::AsciiSet =
        percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, &KEEP).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        assert_eq!(day("2026-05-05T14:05:59.123Z"), "5 May 2026");
        assert_eq!(minute("2026-12-25T04:05:00Z"), "25 December 2026, 04:05");
        assert_eq!((day(""), minute("x"), day("2026-13-01T")), (String::new(), String::new(), String::new()));
    }

    #[test]
    fn names_in_capitals_are_known() {
        assert!(shouts("SET/6 RED SPOTTY PAPER CUPS"));
        assert!(!shouts("Kettle") && !shouts("CUP") && !shouts("12345 678"));
    }

    #[test]
    fn a_parcel_shows_no_empty_line() {
        let address = AddressView {
            recipient: "Ada".into(),
            lines: vec!["1 High Street".into()],
            city: "London".into(),
            country_code: "GB".into(),
            ..AddressView::default()
        };
        assert_eq!(address.parcel(), ["Ada", "1 High Street", "London", "United Kingdom"]);
    }
}
