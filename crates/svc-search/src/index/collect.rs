//! One pass over what the words match: filters, facets, counts and the first results, together, so that they agree.
//!
//! Filters stand in groups (categories; each attribute; the price). A product that fails no group is a result and counts
//! for every facet. One that fails a single group counts for that group's own facets: it would be a result if another
//! value of that group were chosen.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use kernel::Currency;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader};

use super::segment::{Segment, Segments};
use crate::domain::{Band, Key, PriceRange, Sort};

/// Chosen facets of one group; one of them suffices.
pub(super) struct Group {
    /// What they are about: `None` is the category, else an attribute's name.
    pub(super) dimension: Option<String>,
    /// As they stand in the index.
    pub(super) facets: Vec<String>,
}

/// What to collect.
pub(super) struct Collect<'a> {
    pub(super) segments: &'a Segments,
    pub(super) groups: Vec<Group>,
    pub(super) currency: Option<Currency>,
    pub(super) price: Option<PriceRange>,
    /// Whether facets are counted; with bands if there is a currency.
    pub(super) facets: bool,
    pub(super) bands: Vec<Band>,
    pub(super) sort: Sort,
    /// Whether relevance is a score; without words it is the age.
    pub(super) scored: bool,
    /// Results begin after this one.
    pub(super) after: Option<(Key, u64)>,
    /// Results wanted.
    pub(super) keep: usize,
}

/// What was collected.
#[derive(Default)]
pub(super) struct Collected {
    /// Products that match the words, whatever the filters.
    pub(super) matched: u64,
    /// Results.
    pub(super) total: u64,
    /// The first results after the place asked for, in order.
    pub(super) top: Vec<(Key, u64, DocAddress)>,
    /// Counts by dimension and value.
    pub(super) facets: HashMap<(Option<Arc<str>>, Arc<str>), u64>,
    /// Counts of the bands, in their order.
    pub(super) bands: Vec<u64>,
}

/// A candidate: smaller is better, the heap keeps the worst on top.
type Candidate = (u64, u64, DocId);

pub(super) struct Child {
    segment: Arc<Segment>,
    ordinal: SegmentOrdinal,
    prices: Option<Column<i64>>,
    needs_price: bool,
    price: Option<PriceRange>,
    bands: Vec<Band>,
    rank: Rank,
    after: Option<(u64, u64)>,
    keep: usize,
    /// Bits of all groups; the price's is the last.
    all: u64,
    price_bit: u64,
    /// Bits of the groups that each facet satisfies, by its ordinal; empty without groups.
    satisfies: Vec<u64>,
    /// The bit of the group that each dimension belongs to.
    bit_of_dimension: Vec<u64>,
    /// Counts by facet; empty when facets are not wanted.
    counts: Vec<u32>,
    band_counts: Vec<u64>,
    matched: u64,
    total: u64,
    top: BinaryHeap<Candidate>,
    found: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    Score,
    Newest,
    PriceAscending,
    PriceDescending,
    Name,
}

impl Collect<'_> {
    fn rank(&self) -> Rank {
        match self.sort {
            Sort::Relevance if self.scored => Rank::Score,
            Sort::Relevance | Sort::Newest => Rank::Newest,
            Sort::PriceAscending => Rank::PriceAscending,
            Sort::PriceDescending => Rank::PriceDescending,
            Sort::Name => Rank::Name,
        }
    }

    /// The place after which this segment's results begin. A name that is not in the segment becomes the end of the name
    /// before it.
    fn after(&self, segment: &Segment) -> tantivy::Result<Option<(u64, u64)>> {
        match &self.after {
            None => Ok(None),
            Some((Key::Number(number), tie)) => Ok(Some((*number, *tie))),
            Some((Key::Text(name), tie)) => {
                let first = segment.first_name(name)?;
                if segment.name(first)? == *name
                    && segment.names.as_ref().is_some_and(|names| first < names.num_terms() as u64)
                {
                    return Ok(Some((first, *tie)));
                }
                Ok(first.checked_sub(1).map(|before| (before, u64::MAX)))
            }
        }
    }
}

impl Collector for Collect<'_> {
    type Fruit = Collected;
    type Child = Child;

    fn for_segment(&self, ordinal: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<Child> {
        let segment = self.segments.open(reader)?;
        let prices = self.currency.map(|currency| segment.prices(reader, currency)).transpose()?.flatten();
        let facets = segment.value_of.len();
        let mut satisfies = if self.groups.is_empty() { Vec::new() } else { vec![0; facets] };
        let mut bit_of_dimension = vec![0; segment.dimensions.len()];
        for (n, group) in self.groups.iter().enumerate() {
            for facet in &group.facets {
                if let Some(at) = segment.facet(facet)? {
                    satisfies[at] |= 1 << n;
                }
            }
            let own = |dimension: &Option<Arc<str>>| dimension.as_deref() == group.dimension.as_deref();
            if let Some(at) = segment.dimensions.iter().position(own) {
                bit_of_dimension[at] = 1 << n;
            }
        }
        let price_bit = if self.price.is_some() { 1 << self.groups.len() } else { 0 };
        Ok(Child {
            after: self.after(&segment)?,
            prices,
            ordinal,
            needs_price: self.currency.is_some(),
            price: self.price,
            bands: self.bands.clone(),
            rank: self.rank(),
            keep: self.keep,
            all: ((1 << self.groups.len()) - 1) | price_bit,
            price_bit,
            satisfies,
            bit_of_dimension,
            counts: if self.facets { vec![0; facets] } else { Vec::new() },
            band_counts: vec![0; self.bands.len()],
            matched: 0,
            total: 0,
            top: BinaryHeap::with_capacity(self.keep + 1),
            found: Vec::new(),
            segment,
        })
    }

    fn requires_scoring(&self) -> bool {
        self.rank() == Rank::Score
    }

    fn merge_fruits(&self, children: Vec<Option<Collected>>) -> tantivy::Result<Collected> {
        let mut all = Collected { bands: vec![0; self.bands.len()], ..Collected::default() };
        for child in children {
            let child =
                child.ok_or_else(|| tantivy::TantivyError::SystemError("a name could not be read".into()))?;
            all.matched += child.matched;
            all.total += child.total;
            all.top.extend(child.top);
            for (facet, count) in child.facets {
                *all.facets.entry(facet).or_default() += count;
            }
            for (sum, count) in all.bands.iter_mut().zip(child.bands) {
                *sum += count;
            }
        }
        all.top.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        all.top.truncate(self.keep);
        Ok(all)
    }
}

impl SegmentCollector for Child {
    type Fruit = Option<Collected>;

    fn collect(&mut self, doc: DocId, score: Score) {
        self.matched += 1;
        let micros = self.prices.as_ref().and_then(|prices| prices.first(doc));
        if self.needs_price && micros.is_none() {
            return;
        }
        let mut got = 0;
        if !self.satisfies.is_empty() || !self.counts.is_empty() {
            self.found.clear();
            if let Some(facets) = &self.segment.facets {
                let ordinals = facets.ords().values_for_doc(doc);
                self.found.extend(ordinals.map(|ordinal| usize::try_from(ordinal).unwrap_or(usize::MAX)));
            }
            if !self.satisfies.is_empty() {
                got = self.found.iter().fold(0, |got, at| got | self.satisfies[*at]);
            }
        }
        if let (Some(range), Some(micros)) = (self.price, micros)
            && range.holds(micros)
        {
            got |= self.price_bit;
        }
        let missing = self.all & !got;
        self.count(missing, micros);
        if missing == 0 {
            self.total += 1;
            self.consider(doc, score, micros);
        }
    }

    fn harvest(self) -> Option<Collected> {
        let top = self
            .top
            .into_sorted_vec()
            .into_iter()
            .map(|(rank, tie, doc)| {
                let key = match self.rank {
                    Rank::Name => Key::Text(self.segment.name(rank).ok()?),
                    _ => Key::Number(rank),
                };
                Some((key, tie, DocAddress::new(self.ordinal, doc)))
            })
            .collect::<Option<_>>()?;
        let segment = &self.segment;
        let counted = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        let facets = counted.map(|(at, count)| {
            let dimension = segment.dimensions[usize::from(segment.dimension_of[at])].clone();
            ((dimension, Arc::clone(&segment.value_of[at])), u64::from(*count))
        });
        Some(Collected {
            matched: self.matched,
            total: self.total,
            top,
            facets: facets.collect(),
            bands: self.band_counts,
        })
    }
}

impl Child {
    /// Counts a product's facets: all of a result's, and those of the one group that it fails.
    fn count(&mut self, missing: u64, micros: Option<i64>) {
        if missing.count_ones() > 1 {
            return;
        }
        if !self.counts.is_empty() {
            for at in &self.found {
                let own = self.bit_of_dimension[usize::from(self.segment.dimension_of[*at])];
                if missing == 0 || missing == own {
                    self.counts[*at] += 1;
                }
            }
        }
        if (missing == 0 || missing == self.price_bit)
            && let Some(micros) = micros
            && let Some(at) = self.bands.iter().position(|band| band.holds(micros))
        {
            self.band_counts[at] += 1;
        }
    }

    fn consider(&mut self, doc: DocId, score: Score, micros: Option<i64>) {
        let rank = match self.rank {
            // Scores are not negative, so their bits are ordered as they are.
            Rank::Score => u64::from(u32::MAX - score.max(0.0).to_bits()),
            Rank::Newest => !ordered(self.segment.created.first(doc).unwrap_or(0)),
            Rank::PriceAscending => ordered(micros.unwrap_or(i64::MAX)),
            Rank::PriceDescending => !ordered(micros.unwrap_or(i64::MIN)),
            Rank::Name => self.segment.names.as_ref().and_then(|names| names.ords().first(doc)).unwrap_or(0),
        };
        if self.top.len() == self.keep && self.top.peek().is_none_or(|worst| rank > worst.0) {
            return;
        }
        let tie = self.segment.tie.first(doc).unwrap_or(0);
        if self.after.is_some_and(|after| (rank, tie).cmp(&after) != Ordering::Greater) {
            return;
        }
        self.top.push((rank, tie, doc));
        if self.top.len() > self.keep {
            self.top.pop();
        }
    }
}

/// A signed number as an unsigned one in the same order.
fn ordered(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}
