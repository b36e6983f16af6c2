//! Asking: from a checked question to results.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{Error, Result};
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, Occur, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption, Value};
use tantivy::{Searcher, TantivyDocument, Term};

use super::collect::{Collect, Collected, Group};
use super::write::{attribute_facet, beginning, category_facet};
use super::{Index, expand};
use crate::domain::{Ask, Place, Understanding, Word, bands, fold, stem};

/// Score of a name, synonym or SKU that is exactly what was typed: before everything else.
const EXACT_SCORE: f32 = 1_000.0;
/// How much a word counts by where it stands.
const NAME_BOOST: f32 = 6.0;
const SYNONYM_BOOST: f32 = 3.0;
const DETAIL_BOOST: f32 = 2.0;
const STORY_BOOST: f32 = 0.5;
/// Score of a word that is written as two, or with a hyphen.
const COMPOUND_SCORE: f32 = 4.0;
/// Score of a word that only begins as typed.
const BEGINNING_SCORE: f32 = 0.5;
/// What is left of a word's weight after each typing error.
const ERROR_SHARE: f32 = 0.4;

/// What a word may have meant: words of the index, and how many typing errors away each is.
type Meant = Vec<(String, usize)>;

/// Results.
pub struct Hits {
    /// The encoded hits of this page.
    pub hits: Vec<Vec<u8>>,
    /// How many results there are.
    pub total: u64,
    /// How the words were understood.
    pub understanding: Understanding,
    /// Counts, when asked for.
    pub facets: Facets,
    /// Where this page ended; `None` when it was the last.
    pub place: Option<Place>,
}

/// Counts by dimension (`None` is the category, else an attribute's name) and value, and of the price bands in their order.
#[derive(Default)]
pub struct Facets {
    /// Counts of categories and attributes.
    pub values: HashMap<(Option<Arc<str>>, Arc<str>), u64>,
    /// Counts of price bands.
    pub bands: Vec<u64>,
}

impl Index {
    /// Answers a question: as typed; if no product has all its words, with typing errors corrected; if still none, with
    /// what has some of them. A later page understands the words as the first one did.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn ask(&self, ask: &Ask, after: Option<&Place>) -> Result<Arc<Hits>> {
        let searcher = self.0.reader.searcher();
        if !ask.words.is_empty() {
            return self.ask_anew(&searcher, ask, after).map(Arc::new);
        }
        let (generation, place) = (searcher.generation().generation_id(), after.map(Place::write));
        if let Some(known) = self.0.browsed.find(generation, ask, place.as_ref()) {
            return Ok(known);
        }
        let hits = Arc::new(self.ask_anew(&searcher, ask, after)?);
        self.0.browsed.keep(generation, ask, place, &hits);
        Ok(hits)
    }

    fn ask_anew(&self, searcher: &Searcher, ask: &Ask, after: Option<&Place>) -> Result<Hits> {
        let tries: &[Understanding] = match after {
            Some(place) => &[place.understanding],
            None if ask.words.is_empty() => &[Understanding::Exact],
            None => &[Understanding::Exact, Understanding::Corrected, Understanding::Nearest],
        };
        let (mut answer, mut meant) = (None, Vec::new());
        for understanding in tries {
            if *understanding != Understanding::Exact && meant.is_empty() {
                let words =
                    ask.words.iter().map(|word| expand::meant(searcher, self.0.fields.word, &word.text));
                meant = words.collect::<tantivy::Result<_>>().map_err(Error::internal)?;
            }
            let collected =
                self.collect(searcher, ask, *understanding, &meant, after).map_err(Error::internal)?;
            let is_good = collected.matched > 0;
            answer = Some((collected, *understanding));
            if is_good {
                break;
            }
        }
        let (collected, understanding) =
            answer.ok_or_else(|| Error::internal("a question is tried at least once"))?;
        self.read(searcher, ask, collected, understanding, after)
    }

    fn collect(
        &self,
        searcher: &Searcher,
        ask: &Ask,
        understanding: Understanding,
        meant: &[Meant],
        after: Option<&Place>,
    ) -> tantivy::Result<Collected> {
        let mut groups = Vec::new();
        if !ask.categories.is_empty() {
            let facets = ask.categories.iter().map(|id| category_facet(id)).collect();
            groups.push(Group { dimension: None, facets });
        }
        for choice in &ask.attributes {
            let facets = choice.values.iter().map(|value| attribute_facet(&choice.name, value)).collect();
            groups.push(Group { dimension: Some(choice.name.clone()), facets });
        }
        let mut query = self.query(searcher, ask, understanding, meant)?;
        if ask.words.is_empty() && !ask.is_wordless && !ask.facets && !groups.is_empty() {
            // Nothing else is counted, so the index may skip what the filters exclude.
            query = self.filtered(std::mem::take(&mut groups));
        }
        let bands = match ask.currency {
            Some(currency) if ask.facets => bands(&ask.bounds, currency),
            _ => Vec::new(),
        };
        let collector = Collect {
            segments: &self.0.segments,
            groups,
            currency: ask.currency,
            price: ask.price,
            facets: ask.facets,
            bands,
            sort: ask.sort,
            scored: !ask.words.is_empty(),
            after: after.map(|place| (place.key.clone(), place.tie)),
            // One more tells whether there is a next page.
            keep: ask.limit + 1,
        };
        searcher.search(&*query, &collector)
    }

    /// Reads the page's hits.
    fn read(
        &self,
        searcher: &Searcher,
        ask: &Ask,
        mut collected: Collected,
        understanding: Understanding,
        after: Option<&Place>,
    ) -> Result<Hits> {
        let more = collected.top.len() > ask.limit;
        collected.top.truncate(ask.limit);
        let given = after.map_or(0, |place| place.given) + collected.top.len() as u64;
        let last = collected.top.last().filter(|_| more && given < crate::domain::CURSOR_DEPTH_MAX);
        let place = last.map(|(key, tie, _)| Place { key: key.clone(), tie: *tie, given, understanding });
        let hit = |address| -> Result<Vec<u8>> {
            let document: TantivyDocument = searcher.doc(address).map_err(Error::internal)?;
            let bytes =
                document.get_first(self.0.fields.hit).and_then(|value| value.as_bytes().map(<[u8]>::to_vec));
            bytes.ok_or_else(|| Error::internal("a document has no hit"))
        };
        let hits = collected.top.iter().map(|(_, _, address)| hit(*address)).collect::<Result<_>>()?;
        let facets = Facets { values: collected.facets, bands: collected.bands };
        Ok(Hits { hits, total: collected.total, understanding, facets, place })
    }

    fn query(
        &self,
        searcher: &Searcher,
        ask: &Ask,
        understanding: Understanding,
        meant: &[Meant],
    ) -> tantivy::Result<Box<dyn Query>> {
        if ask.is_wordless {
            return Ok(Box::new(EmptyQuery));
        }
        if ask.words.is_empty() {
            return Ok(Box::new(AllQuery));
        }
        let joined = self.joined(searcher, &ask.words)?;
        let fields = self.0.fields;
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for (n, word) in ask.words.iter().enumerate() {
            let occur = if word.is_optional || understanding == Understanding::Nearest {
                Occur::Should
            } else {
                Occur::Must
            };
            let meant = meant.get(n).map_or(&[][..], Vec::as_slice);
            let joined = joined.iter().filter(|(first, _)| *first == n || first + 1 == n);
            clauses.push((occur, self.word(word, meant, joined.map(|(_, text)| text.as_str()))));
        }
        let whole = term(fields.exact, &fold(&ask.query), IndexRecordOption::Basic);
        let exact = Box::new(ConstScoreQuery::new(whole, EXACT_SCORE));
        if understanding == Understanding::Nearest {
            return Ok(Box::new(BooleanQuery::new(clauses)));
        }
        // A product that is exactly what was typed is found even where it lacks a common word.
        let words = Box::new(BooleanQuery::new(clauses));
        Ok(Box::new(BooleanQuery::new(vec![(Occur::Should, words), (Occur::Should, exact)])))
    }

    /// Neighbours of the question that the index has as one word, each with the place of the first.
    fn joined(&self, searcher: &Searcher, words: &[Word]) -> tantivy::Result<Vec<(usize, String)>> {
        let mut joined = Vec::new();
        for (n, pair) in words.windows(2).enumerate() {
            let text = stem(&format!("{}{}", pair[0].typed, pair[1].typed));
            if searcher.doc_freq(&Term::from_field_text(self.0.fields.word, &text))? > 0 {
                joined.push((n, text));
            }
        }
        Ok(joined)
    }

    /// A word wherever it may stand, alone or joined to its neighbour, or what it may have meant.
    fn word<'a>(
        &self,
        word: &Word,
        meant: &[(String, usize)],
        joined: impl Iterator<Item = &'a str>,
    ) -> Box<dyn Query> {
        let fields = self.0.fields;
        let mut places: Vec<Box<dyn Query>> = Vec::new();
        let mut add = |text: &str, share: f32| {
            for (field, boost) in [
                (fields.name, NAME_BOOST),
                (fields.synonym, SYNONYM_BOOST),
                (fields.detail, DETAIL_BOOST),
                (fields.story, STORY_BOOST),
            ] {
                let found = term(field, text, IndexRecordOption::WithFreqs);
                places.push(Box::new(BoostQuery::new(found, boost * share)));
            }
        };
        add(&word.text, 1.0);
        joined.for_each(|text| add(text, 1.0));
        for (text, errors) in meant {
            add(text, ERROR_SHARE.powi(i32::try_from(*errors).unwrap_or(i32::MAX)));
        }
        let compound = term(fields.compound, &word.text, IndexRecordOption::Basic);
        places.push(Box::new(ConstScoreQuery::new(compound, COMPOUND_SCORE)));
        if word.is_open {
            let begins = term(fields.prefix, beginning(&word.typed), IndexRecordOption::Basic);
            places.push(Box::new(ConstScoreQuery::new(begins, BEGINNING_SCORE)));
        }
        Box::new(BooleanQuery::union(places))
    }

    fn filtered(&self, groups: Vec<Group>) -> Box<dyn Query> {
        let facet = |text: String| term(self.0.fields.facet, &text, IndexRecordOption::Basic);
        let group = |group: Group| -> Box<dyn Query> {
            Box::new(BooleanQuery::union(group.facets.into_iter().map(facet).collect()))
        };
        Box::new(BooleanQuery::intersection(groups.into_iter().map(group).collect()))
    }
}

fn term(field: Field, text: &str, record: IndexRecordOption) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), record))
}
