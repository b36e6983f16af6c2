//! The addresses of a list: each choice of facets, order and page has one.

use kernel::Error;

use super::{ListingView, PriceFacet, Sort, Wanted};
use crate::money::{CurrencyCode, Price};
use crate::view::encoded;

/// Values of a group that are shown at once, and those behind "more".
const VALUES_MAX: usize = 6;

/// The pointers of search's own fields, as this gateway's addresses have them.
const FIELDS: &[(&str, &str)] =
    &[("/page/", "/"), ("/query", "/q"), ("/attributes", "/attribute"), ("/category_ids", "/category")];

/// An error of search, with its fields named as in the query.
pub fn in_query(error: Error) -> Error {
    with_own_names(error, FIELDS)
}

/// An error of a service, with its fields named as in this gateway's request: pairs of the beginning of a pointer, theirs and ours.
pub fn with_own_names(error: Error, names: &[(&str, &str)]) -> Error {
    let [only] = error.violations() else { return error };
    let renamed = |(theirs, ours): &(&str, &str)| Some(format!("{ours}{}", only.field.strip_prefix(theirs)?));
    let Some(field) = names.iter().find_map(renamed) else { return error };
    Error::field(field, error.reason().to_owned(), only.description.clone())
}

/// An error of a list as its page tells it: what programs write as prices, facts and cursors was chosen from links by a person.
pub fn for_people(error: Error) -> Error {
    let [only] = error.violations() else { return error };
    let (field, words) = match only.field.split('/').nth(1) {
        Some("price") => ("/price", "is not a range that this list knows"),
        Some("attribute") => ("/choice", "is not one that this list knows"),
        Some("cursor") => ("/page", "is not one of this list; begin with its first"),
        _ => return error,
    };
    Error::field(field, error.reason().to_owned(), words)
}

/// Where the choices of a list lead.
pub struct Links {
    /// The path of the list.
    pub base: String,
    wanted: Wanted,
    in_category: bool,
}

/// A choice that leads somewhere.
pub struct Choice {
    pub words: String,
    pub count: i64,
    pub selected: bool,
    pub href: String,
}

/// Choices about one thing.
pub struct Group {
    pub name: String,
    pub choices: Vec<Choice>,
    /// Choices beyond those that are shown at once.
    pub rest: Vec<Choice>,
}

/// Something that is chosen, with the address without it.
pub struct Chip {
    pub words: String,
    pub href: String,
}

impl Links {
    pub fn search(wanted: &Wanted) -> Self {
        Self { base: "/search".to_owned(), wanted: wanted.clone(), in_category: false }
    }

    pub fn category(path: &str, wanted: &Wanted) -> Self {
        let base = format!("/c/{}", path.split('/').map(encoded).collect::<Vec<_>>().join("/"));
        Self { base, wanted: wanted.clone(), in_category: true }
    }

    /// The address of the first page, with something changed.
    pub fn to(&self, change: impl FnOnce(&mut Wanted)) -> String {
        let mut wanted = self.wanted.clone();
        wanted.cursor.clear();
        change(&mut wanted);
        self.address(&wanted)
    }

    /// The address of the page after this.
    pub fn next(&self, cursor: &str) -> String {
        self.to(|wanted| cursor.clone_into(&mut wanted.cursor))
    }

    fn address(&self, wanted: &Wanted) -> String {
        let pairs: Vec<String> = self
            .fields(wanted)
            .into_iter()
            .map(|(name, value)| format!("{name}={}", encoded(&value)))
            .collect();
        if pairs.is_empty() { self.base.clone() } else { format!("{}?{}", self.base, pairs.join("&")) }
    }

    fn fields(&self, wanted: &Wanted) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                fields.push((name.to_owned(), value.to_owned()));
            }
        };
        if !self.in_category {
            add("q", &wanted.q);
            add("category", &wanted.category);
        }
        for attribute in &wanted.attribute {
            add("attribute", attribute);
        }
        add("price", &wanted.price);
        add("currency_code", wanted.currency_code.as_ref().map_or("", CurrencyCode::as_str));
        if wanted.sort != Sort::Relevance {
            let word =
                Sort::ALL.iter().find(|(sort, ..)| *sort == wanted.sort).map_or("", |(_, word, _)| word);
            add("sort", word);
        }
        add("cursor", &wanted.cursor);
        fields
    }

    /// The fields that a form of this list carries on: all but order and page.
    pub fn carried(&self) -> Vec<(String, String)> {
        let mut wanted = self.wanted.clone();
        wanted.cursor.clear();
        wanted.sort = Sort::Relevance;
        self.fields(&wanted)
    }

    /// The orders.
    pub fn sorts(&self, current: Sort) -> Vec<Choice> {
        let choice = |(sort, word, words): &(Sort, &'static str, &'static str)| Choice {
            words: (*words).to_owned(),
            count: 0,
            selected: *sort == current,
            href: (*word).to_owned(),
        };
        Sort::ALL.iter().map(choice).collect()
    }

    /// What the list can be narrowed by, with the address of each choice.
    pub fn groups(&self, listing: &ListingView, currency: &str) -> Vec<Group> {
        let mut groups = Vec::new();
        let depth = self.wanted.category.split('/').filter(|part| !part.is_empty()).count();
        let below = listing.facets.categories.iter().filter(|facet| {
            let inside = self.wanted.category.is_empty()
                || facet.category.path.starts_with(&format!("{}/", self.wanted.category));
            inside && facet.category.path.split('/').count() == depth + 1
        });
        let categories = below.map(|facet| {
            let path = &facet.category.path;
            let href = if self.in_category {
                let currency_code = self.wanted.currency_code.clone();
                Self::category(path, &Wanted { currency_code, ..Wanted::default() }).to(|_| {})
            } else {
                self.to(|wanted| path.clone_into(&mut wanted.category))
            };
            Choice { words: facet.category.name.clone(), count: facet.count, selected: false, href }
        });
        groups.push(group("Category", categories.collect()));
        let prices =
            listing.facets.prices.iter().filter(|band| band.count > 0 || band.selected).map(|band| {
                let text = if band.selected { String::new() } else { price_text(band) };
                let href = self.to(|wanted| wanted.price = text);
                Choice {
                    words: price_words(band, currency),
                    count: band.count,
                    selected: band.selected,
                    href,
                }
            });
        groups.push(group("Price", prices.collect()));
        for facet in &listing.facets.attributes {
            let choices = facet.values.iter().map(|value| {
                let text = format!("{}:{}", facet.name, value.value);
                let href = self.to(|wanted| toggle(&mut wanted.attribute, &text));
                Choice { words: capital(&value.value), count: value.count, selected: value.selected, href }
            });
            groups.push(group(&capital(&facet.name), choices.collect()));
        }
        groups.retain(|group| !group.choices.is_empty());
        groups
    }

    /// What is chosen, each with the address without it.
    pub fn chips(&self, listing: &ListingView, currency: &str) -> Vec<Chip> {
        let mut chips = Vec::new();
        if !self.in_category
            && let Some(category) = listing.trail.last()
        {
            let href = self.to(|wanted| wanted.category.clear());
            chips.push(Chip { words: category.name.clone(), href });
        }
        if !self.wanted.price.is_empty() {
            let band = listing.facets.prices.iter().find(|band| band.selected);
            let words = band.map_or("Price".to_owned(), |band| price_words(band, currency));
            chips.push(Chip { words, href: self.to(|wanted| wanted.price.clear()) });
        }
        for attribute in &self.wanted.attribute {
            let words = attribute.split_once(':').map_or(attribute.as_str(), |(_, value)| value);
            let href = self.to(|wanted| toggle(&mut wanted.attribute, attribute));
            chips.push(Chip { words: capital(words), href });
        }
        chips
    }
}

fn group(name: &str, mut choices: Vec<Choice>) -> Group {
    choices.sort_by_key(|choice| !choice.selected);
    // One more is shown rather than hidden behind "1 more".
    let shown = if choices.len() == VALUES_MAX + 1 { choices.len() } else { choices.len().min(VALUES_MAX) };
    let rest = choices.split_off(shown);
    Group { name: name.to_owned(), choices, rest }
}

fn toggle(attributes: &mut Vec<String>, text: &str) {
    let before = attributes.len();
    attributes.retain(|known| known != text);
    if attributes.len() == before {
        attributes.push(text.to_owned());
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn price_text(band: &PriceFacet) -> String {
    format!("{}-{}", band.min_micros, band.below_micros)
}

fn price_words(band: &PriceFacet, currency: &str) -> String {
    // Bounds are round: "£5 to £10" says it.
    let price = |micros| {
        let words = Price { currency_code: currency.to_owned(), micros }.to_string();
        words.strip_suffix(".00").map(str::to_owned).unwrap_or(words)
    };
    match (band.min_micros, band.below_micros) {
        (0, below) => format!("Under {}", price(below)),
        (min, 0) => format!("{} and more", price(min)),
        (min, below) => format!("{} to {}", price(min), price(below)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_has_an_address() {
        let wanted = Wanted { q: "soup & bowl".into(), cursor: "x".into(), ..Wanted::default() };
        let links = Links::search(&wanted);
        assert_eq!(links.to(|_| {}), "/search?q=soup%20%26%20bowl");
        assert_eq!(
            links.to(|wanted| toggle(&mut wanted.attribute, "made in:Portugal")),
            "/search?q=soup%20%26%20bowl&attribute=made%20in%3APortugal"
        );
        assert_eq!(links.next("abc"), "/search?q=soup%20%26%20bowl&cursor=abc");
        assert_eq!(Links::category("kitchen/mugs", &Wanted::default()).to(|_| {}), "/c/kitchen/mugs");
    }

    #[test]
    fn an_error_of_search_names_the_field_of_the_address() {
        let error = Error::field("/page/cursor", "INVALID_CURSOR", "is not a cursor of this list");
        let error = in_query(error);
        assert_eq!((error.violations()[0].field.as_str(), error.reason()), ("/cursor", "INVALID_CURSOR"));
    }
}
