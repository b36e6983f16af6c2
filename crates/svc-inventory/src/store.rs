//! The repository: counters, the ledger, receipts, holds, locations.
//!
//! Every change of a counter is one conditional UPDATE and one ledger row that copies the counter from the row just
//! written, so that the ledger is the history of the counter whatever ran beside it. What was read before only makes
//! the plan; the condition decides. A plan that lost a race is made again from fresh rows.

mod hints;
mod holds;
mod lists;
mod locations;
mod receipts;
mod stored;

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Error, Result, Timestamp};
use store::{Batch, CommitError, Database, Migration, NewEvent, Row, Sql, Value, sql};

use crate::domain::{COUNTER_MAX, Counter, Crossing, MovementKind, Place, Step};

pub use holds::{Held, hold_of};
pub use lists::{After, Balance, Entry, Totals};
pub use locations::Location;
pub use receipts::{Adjusted, Received};

/// The tables.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "0001_stock", sql: include_str!("../migrations/0001_stock.sql") }];

/// How often a change is planned again after it lost a race. Each loss is somebody else's success.
const ATTEMPTS_MAX: usize = 64;
/// SKUs in one query; with [`locations::LOCATIONS_MAX`] locations each, its rows stay below the store's limit.
const SKUS_IN_QUERY: usize = 100;
/// Label of the conditional update of a counter.
const STOCK: &str = "stock";
/// Label of a ledger row.
const MOVEMENT: &str = "movement";

/// The stock of the house. Cheap to clone.
#[derive(Clone)]
pub struct Stock {
    sql: Sql,
    hints: hints::Hints,
    announce: fn(&Place, &Crossing) -> NewEvent,
}

impl Stock {
    /// The stock in a database; `announce` makes the event of a crossed band.
    pub fn new(database: &Database, announce: fn(&Place, &Crossing) -> NewEvent) -> Self {
        Self { sql: database.sql(), hints: hints::Hints::default(), announce }
    }

    /// Whether the wall clock may be wrong: see [`store::Sql::doubts_clock`].
    #[must_use]
    pub fn doubts_clock(&self) -> bool {
        self.sql.doubts_clock()
    }

    /// Counters of these SKUs at every location, by place; what has none is not in it.
    pub async fn counters_of<'a>(
        &self,
        skus: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeMap<Place, Counter>> {
        let skus: BTreeSet<&str> = skus.into_iter().collect();
        let skus: Vec<&str> = skus.into_iter().collect();
        let mut counters = BTreeMap::new();
        for some in skus.chunks(SKUS_IN_QUERY) {
            let marks = padded(some.len());
            let text = format!(
                "SELECT sku, location, on_hand, held, version FROM stock WHERE sku IN ({})",
                marks_of(marks)
            );
            for row in self.sql.fetch(sql(text).bind_all(pad(some, marks))).await? {
                counters.insert(place_of(&row)?, counter_of(&row)?);
            }
        }
        Ok(counters)
    }

    /// Adds a step to a batch: the conditional update, its ledger row, and the event of a crossed band.
    fn push_step(&self, batch: &mut Batch, step: &Step, reference: &str, now: Timestamp) {
        let (on_hand, held) = step.kind.change(step.quantity);
        let guard = step.guard;
        let update = match guard.version {
            None => sql(UPDATE),
            Some(_) => sql(UPDATE_AT_VERSION),
        };
        let update = update
            .bind(on_hand)
            .bind(held)
            .bind(&step.place.sku)
            .bind(&step.place.location)
            .bind(guard.on_hand_min)
            .bind(guard.on_hand_max)
            .bind(guard.held_min)
            .bind_all(guard.version);
        batch.push_expect(update, 1, STOCK);
        let movement = sql(INSERT_MOVEMENT)
            .bind(step.kind.number())
            .bind(step.quantity)
            .bind(reference)
            .bind(now)
            .bind(&step.place.sku)
            .bind(&step.place.location);
        batch.push_insert(movement, MOVEMENT);
        if let Some(crossing) = &step.crossing {
            batch.push_event((self.announce)(&step.place, crossing));
        }
    }
}

const UPDATE: &str = "UPDATE stock SET on_hand = on_hand + ?, held = held + ?, version = version + 1 \
     WHERE sku = ? AND location = ? AND on_hand >= ? AND on_hand <= ? AND held >= ?";
const UPDATE_AT_VERSION: &str = "UPDATE stock SET on_hand = on_hand + ?, held = held + ?, version = version + 1 \
     WHERE sku = ? AND location = ? AND on_hand >= ? AND on_hand <= ? AND held >= ? AND version = ?";
const INSERT_MOVEMENT: &str = "INSERT INTO movements (sku, location, number, kind, quantity, on_hand, held, reference, moved_at) \
     SELECT sku, location, version, ?, ?, on_hand, held, ?, ? FROM stock WHERE sku = ? AND location = ?";

/// Whether a commit lost a race at this label.
fn lost_at(error: &CommitError, wanted: &str) -> bool {
    matches!(error, CommitError::Unexpected { label, .. } | CommitError::Duplicate { label } if label == wanted)
}

/// What a caller hears whose plan lost every race.
fn busy() -> Error {
    Error::conflict("STOCK_BUSY", "too many are changing the same stock; try again").retry_after_ms(50)
}

/// The counter's row contradicts its ledger.
fn damaged(place: &Place, what: &str) -> Error {
    Error::internal(format!("the counter of {} at {} is damaged: {what}", place.sku, place.location))
}

fn place_of(row: &Row) -> Result<Place> {
    Ok(Place::new(row.text("sku")?, row.text("location")?))
}

fn counter_of(row: &Row) -> Result<Counter> {
    Ok(Counter { on_hand: row.int("on_hand")?, held: row.int("held")?, version: row.int("version")? })
}

fn kind_of(row: &Row) -> Result<MovementKind> {
    let number = row.int("kind")?;
    MovementKind::from_number(number)
        .ok_or_else(|| Error::internal(format!("a movement is of kind {number}")))
}

/// How many `?` a list of this length gets: few different texts, so that each stays prepared.
fn padded(length: usize) -> usize {
    length.next_power_of_two().max(1)
}

fn marks_of(count: usize) -> String {
    let mut marks = "?, ".repeat(count);
    marks.truncate(marks.len().saturating_sub(2));
    marks
}

/// The texts, the last one repeated until there are `count`; repeating one does not change what `IN` finds.
fn pad<'a>(texts: &'a [&str], count: usize) -> impl Iterator<Item = Value> + 'a {
    let last = texts.last().copied().unwrap_or_default();
    texts.iter().copied().chain(std::iter::repeat(last)).take(count).map(Value::from)
}

/// A counter that holds at least `held`, for plans that do not touch what is on hand.
fn any_counter(held: i64) -> Counter {
    debug_assert!(held <= COUNTER_MAX, "sums of holds are bounded");
    Counter { on_hand: 0, held, version: 0 }
}
