//! What is read of a segment again and again, opened once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kernel::Currency;
use parking_lot::Mutex;
use tantivy::columnar::{Column, StrColumn};
use tantivy::index::SegmentId;
use tantivy::{Searcher, SegmentReader};

/// The columns of a segment.
pub(super) struct Segment {
    pub(super) facets: Option<StrColumn>,
    pub(super) created: Column<i64>,
    pub(super) tie: Column<u64>,
    pub(super) names: Option<StrColumn>,
    prices: Mutex<HashMap<Currency, Option<Column<i64>>>>,
    /// The dimension of each facet, by its ordinal.
    pub(super) dimension_of: Vec<u16>,
    /// The value of each facet, by its ordinal.
    pub(super) value_of: Vec<Arc<str>>,
    /// What facets are about: `None` is the category, else an attribute's name.
    pub(super) dimensions: Vec<Option<Arc<str>>>,
}

/// Segments that were opened, by id. A segment never changes.
#[derive(Default)]
pub(super) struct Segments(Mutex<HashMap<SegmentId, Arc<Segment>>>);

impl Segments {
    pub(super) fn open(&self, reader: &SegmentReader) -> tantivy::Result<Arc<Segment>> {
        let id = reader.segment_id();
        if let Some(segment) = self.0.lock().get(&id) {
            return Ok(Arc::clone(segment));
        }
        let segment = Arc::new(Segment::open(reader)?);
        self.0.lock().insert(id, Arc::clone(&segment));
        Ok(segment)
    }

    /// Forgets segments that are not among these.
    pub(super) fn keep(&self, searcher: &Searcher) {
        let alive: HashSet<SegmentId> =
            searcher.segment_readers().iter().map(SegmentReader::segment_id).collect();
        self.0.lock().retain(|id, _| alive.contains(id));
    }
}

impl Segment {
    fn open(reader: &SegmentReader) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        let mut segment = Self {
            facets: columns.str("facet")?,
            created: columns.i64("created")?,
            tie: columns.u64("tie")?,
            names: columns.str("name_key")?,
            prices: Mutex::default(),
            dimension_of: Vec::new(),
            value_of: Vec::new(),
            dimensions: vec![None],
        };
        segment.read_facets()?;
        Ok(segment)
    }

    fn read_facets(&mut self) -> tantivy::Result<()> {
        let Some(facets) = &self.facets else { return Ok(()) };
        let mut stream = facets.dictionary().stream()?;
        while stream.advance() {
            let text = String::from_utf8_lossy(stream.key());
            let (dimension, value) = match text.strip_prefix('a').and_then(|rest| rest.split_once('\u{1f}')) {
                Some((name, value)) => {
                    // The dictionary is sorted: facets of one attribute follow each other.
                    let last = self.dimensions.last().and_then(Option::as_deref);
                    if last != Some(name) {
                        self.dimensions.push(Some(name.into()));
                    }
                    (self.dimensions.len() - 1, value)
                }
                None => (0, text.get(1..).unwrap_or_default()),
            };
            self.dimension_of.push(u16::try_from(dimension).unwrap_or(u16::MAX));
            self.value_of.push(value.into());
        }
        Ok(())
    }

    /// Micros of the cheapest variants in a currency; `None` when no product here has a price in it.
    pub(super) fn prices(
        &self,
        reader: &SegmentReader,
        currency: Currency,
    ) -> tantivy::Result<Option<Column<i64>>> {
        if let Some(known) = self.prices.lock().get(&currency) {
            return Ok(known.clone());
        }
        let column = reader.fast_fields().column_opt::<i64>(&format!("price.{currency}"))?;
        self.prices.lock().insert(currency, column.clone());
        Ok(column)
    }

    /// The ordinal of a facet in this segment.
    pub(super) fn facet(&self, text: &str) -> tantivy::Result<Option<usize>> {
        let Some(facets) = &self.facets else { return Ok(None) };
        Ok(facets.dictionary().term_ord(text.as_bytes())?.and_then(|ord| usize::try_from(ord).ok()))
    }

    /// The name of an ordinal.
    pub(super) fn name(&self, ordinal: u64) -> tantivy::Result<String> {
        let mut name = String::new();
        if let Some(names) = &self.names {
            names.ord_to_str(ordinal, &mut name)?;
        }
        Ok(name)
    }

    /// The first ordinal whose name is not before `name`.
    pub(super) fn first_name(&self, name: &str) -> tantivy::Result<u64> {
        let (mut low, mut high) = (0, self.names.as_ref().map_or(0, |names| names.num_terms() as u64));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.name(middle)?.as_str() < name {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}
