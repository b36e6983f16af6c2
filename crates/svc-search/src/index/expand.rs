//! Words of the index that somebody may have meant.

use std::collections::HashMap;

use tantivy::Searcher;
use tantivy::Term;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::Field;

use crate::domain::{distance, tolerance};

/// Words looked at per segment.
const SEEN_MAX: usize = 2_000;
/// Words kept: the nearest, then the most frequent.
const KEPT_MAX: usize = 12;

/// Words of `field` within the typing errors that `word` may have, with how many errors each takes; never the word itself.
pub(super) fn meant(searcher: &Searcher, field: Field, word: &str) -> tantivy::Result<Vec<(String, usize)>> {
    let errors = tolerance(word);
    if errors == 0 {
        return Ok(Vec::new());
    }
    let mut frequency: HashMap<String, u64> = HashMap::new();
    for reader in searcher.segment_readers() {
        let automaton = FuzzyTermQuery::new(Term::from_field_text(field, word), errors, true).automaton()?;
        let index = reader.inverted_index(field)?;
        let mut stream = index.terms().search(automaton).into_stream()?;
        let mut seen = 0;
        while seen < SEEN_MAX && stream.advance() {
            seen += 1;
            if let Ok(text) = std::str::from_utf8(stream.key())
                && text != word
            {
                *frequency.entry(text.to_owned()).or_default() += u64::from(stream.value().doc_freq);
            }
        }
    }
    let mut found: Vec<_> =
        frequency.into_iter().map(|(text, count)| (distance(word, &text), count, text)).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2)));
    found.truncate(KEPT_MAX);
    Ok(found.into_iter().map(|(errors, _, text)| (text, errors)).collect())
}
