//! Counters, movements and holds in pages; counters beside the sums of their movements.

use kernel::{Error, Page, Result};
use serde::{Deserialize, Serialize};
use store::{Row, Statement, sql};

use super::holds::{HOLD_COLUMNS, hold_of};
use super::{Stock, counter_of, kind_of, place_of};
use crate::domain::{Counter, Hold, HoldState, MovementKind, Place};

/// Holds read for one page at most; each has up to 2000 lines.
const HOLDS_IN_PAGE: u32 = 200;
/// Lines of all holds of a page, as a bound on the answer's size.
const HOLD_LINES_IN_PAGE: usize = 20_000;

/// Where a list of counters or movements goes on: after this place, and in it after this movement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// The SKU.
    pub sku: String,
    /// The location.
    pub location: String,
    /// Number of the movement; 0 in lists of counters.
    pub number: i64,
}

/// A row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which counter.
    pub place: Place,
    /// Its number within the counter's ledger, from 1.
    pub number: i64,
    /// What happened.
    pub kind: MovementKind,
    /// Units.
    pub quantity: i64,
    /// `on_hand` after it.
    pub on_hand: i64,
    /// `held` after it.
    pub held: i64,
    /// What caused it.
    pub reference: String,
    /// When.
    pub time: kernel::Timestamp,
}

/// A counter beside the sums of its movements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Which counter.
    pub place: Place,
    /// The counter; `None` when only movements were found.
    pub counter: Option<Counter>,
    /// How many movements were found.
    pub movements: i64,
    /// Units by kind, in the order of [`MovementKind::ALL`].
    pub units: [i64; 8],
}

/// Sums over everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Units of all counters.
    pub counters: Counter,
    /// How many counters there are.
    pub counter_count: i64,
    /// How many movements there are.
    pub movements: i64,
    /// Units by kind, in the order of [`MovementKind::ALL`].
    pub units: [i64; 8],
}

impl Balance {
    /// Units moved by one kind.
    #[must_use]
    pub fn of(&self, kind: MovementKind) -> i64 {
        self.units[kind as usize - 1]
    }
}

impl Totals {
    /// Units moved by one kind.
    #[must_use]
    pub fn of(&self, kind: MovementKind) -> i64 {
        self.units[kind as usize - 1]
    }
}

impl Stock {
    /// Counters by place.
    pub async fn list_counters(&self, after: &After, limit: u32) -> Result<Page<(Place, Counter)>, Error> {
        let query = sql("SELECT sku, location, on_hand, held, version FROM stock \
             WHERE sku >= ? AND (sku > ? OR location > ?) ORDER BY sku, location LIMIT ?");
        let rows = self.sql.fetch(bind_place(query, after).bind(limit + 1)).await?;
        let items = rows.iter().map(|row| Ok((place_of(row)?, counter_of(row)?))).collect::<Result<_>>()?;
        cut(items, limit, |(place, _)| After {
            sku: place.sku.clone(),
            location: place.location.clone(),
            number: 0,
        })
    }

    /// Movements by place and number; of one SKU when it is given.
    pub async fn list_movements(&self, sku: Option<&str>, after: &After, limit: u32) -> Result<Page<Entry>> {
        let wanted = limit as usize + 1;
        let mut rows = Vec::new();
        if !after.sku.is_empty() {
            let same = sql(format!("{MOVEMENTS} WHERE sku = ? AND location = ? AND number > ? {BY_NUMBER}"));
            let same = same.bind(&after.sku).bind(&after.location).bind(after.number).bind(limit + 1);
            rows = self.sql.fetch(same).await?;
        }
        if rows.len() < wanted {
            let later = match sku {
                None => bind_place(
                    sql(format!("{MOVEMENTS} WHERE sku >= ? AND (sku > ? OR location > ?) {BY_NUMBER}")),
                    after,
                ),
                Some(sku) => sql(format!("{MOVEMENTS} WHERE sku = ? AND location > ? {BY_NUMBER}"))
                    .bind(sku)
                    .bind(&after.location),
            };
            rows.extend(self.sql.fetch(later.bind(limit + 1)).await?);
        }
        rows.truncate(wanted);
        let items = rows.iter().map(entry_of).collect::<Result<_>>()?;
        cut(items, limit, |entry: &Entry| After {
            sku: entry.place.sku.clone(),
            location: entry.place.location.clone(),
            number: entry.number,
        })
    }

    /// Holds by id, of one state when it is given. A page may be shorter than asked for.
    pub async fn list_holds(&self, state: Option<HoldState>, after: &str, limit: u32) -> Result<Page<Hold>> {
        let limit = limit.min(HOLDS_IN_PAGE);
        let filter = match state {
            None => "",
            Some(HoldState::Held) => "AND sweep_at > 0 AND state = ? ",
            Some(_) => "AND state = ? ",
        };
        let query = sql(format!("SELECT {HOLD_COLUMNS} FROM holds WHERE id > ? {filter}ORDER BY id LIMIT ?"));
        let rows =
            self.sql.fetch(query.bind(after).bind_all(state.map(HoldState::number)).bind(limit + 1)).await?;
        let (mut holds, mut lines) = (Vec::with_capacity(rows.len()), 0);
        let count = rows.len();
        for row in rows.iter().take(limit as usize) {
            let hold = hold_of(row)?;
            lines += hold.lines.len();
            if lines > HOLD_LINES_IN_PAGE && !holds.is_empty() {
                break;
            }
            holds.push(hold);
        }
        let next =
            if holds.len() < count { holds.last().map(|hold: &Hold| hold.id.to_string()) } else { None };
        Ok(Page { items: holds, next })
    }

    /// Counters beside the sums of their movements, each page read in one moment.
    pub async fn list_balances(&self, after: &After, limit: u32) -> Result<Page<Balance>> {
        let end = sql("SELECT sku, location FROM stock WHERE sku >= ? AND (sku > ? OR location > ?) \
             ORDER BY sku, location LIMIT 1 OFFSET ?");
        let end = self
            .sql
            .fetch_one(bind_place(end, after).bind(limit - 1))
            .await?
            .map(|row| place_of(&row))
            .transpose()?;
        let until = if end.is_some() { "AND sku <= ? AND (sku < ? OR location <= ?)" } else { "" };
        let range = format!("WHERE sku >= ? AND (sku > ? OR location > ?) {until}");
        let mut query = sql(format!(
            "SELECT sku, location, SUM(counters) AS counters, SUM(on_hand) AS on_hand, SUM(held) AS held, SUM(version) AS version, \
             {SUMS} FROM (\
             SELECT sku, location, 1 AS counters, on_hand, held, version, 0 AS entries, 0 AS kind, 0 AS quantity \
             FROM stock {range} \
             UNION ALL \
             SELECT sku, location, 0, 0, 0, 0, 1, kind, quantity FROM movements {range}\
             ) everything GROUP BY sku, location ORDER BY sku, location LIMIT ?"
        ));
        for _ in 0..2 {
            query = bind_place(query, after);
            if let Some(end) = &end {
                query = query.bind(&end.sku).bind(&end.sku).bind(&end.location);
            }
        }
        let items: Vec<Balance> =
            self.sql.fetch(query.bind(limit)).await?.iter().map(balance_of).collect::<Result<_>>()?;
        let last =
            items.last().filter(|_| items.len() >= limit as usize).map(|balance| balance.place.clone());
        let next = last
            .or(end)
            .map(|place| position(&After { sku: place.sku, location: place.location, number: 0 }));
        Ok(Page { items, next: next.transpose()? })
    }

    /// Everything added up, in one moment.
    pub async fn totals(&self) -> Result<Totals> {
        let query = sql(format!(
            "SELECT SUM(counters) AS counters, SUM(on_hand) AS on_hand, SUM(held) AS held, SUM(version) AS version, {SUMS} FROM (\
             SELECT COUNT(*) AS counters, SUM(on_hand) AS on_hand, SUM(held) AS held, SUM(version) AS version, 0 AS entries, \
             0 AS kind, 0 AS quantity FROM stock \
             UNION ALL \
             SELECT 0, 0, 0, 0, COUNT(*), kind, SUM(quantity) FROM movements GROUP BY kind\
             ) everything"
        ));
        let row = self.sql.fetch_one(query).await?.ok_or_else(|| Error::internal("a sum without a row"))?;
        let or_zero = |column: &str| Ok::<i64, Error>(row.opt_int(column)?.unwrap_or(0));
        let counters =
            Counter { on_hand: or_zero("on_hand")?, held: or_zero("held")?, version: or_zero("version")? };
        Ok(Totals {
            counters,
            counter_count: or_zero("counters")?,
            movements: or_zero("movements")?,
            units: units_of(&row)?,
        })
    }
}

const MOVEMENTS: &str =
    "SELECT sku, location, number, kind, quantity, on_hand, held, reference, moved_at FROM movements";
const BY_NUMBER: &str = "ORDER BY sku, location, number LIMIT ?";

/// Sums of movements by kind; the kinds are numbered from 1 as in [`MovementKind::ALL`].
const SUMS: &str = "SUM(entries) AS movements, \
     SUM(CASE WHEN kind = 1 THEN quantity ELSE 0 END) AS kind_1, \
     SUM(CASE WHEN kind = 2 THEN quantity ELSE 0 END) AS kind_2, \
     SUM(CASE WHEN kind = 3 THEN quantity ELSE 0 END) AS kind_3, \
     SUM(CASE WHEN kind = 4 THEN quantity ELSE 0 END) AS kind_4, \
     SUM(CASE WHEN kind = 5 THEN quantity ELSE 0 END) AS kind_5, \
     SUM(CASE WHEN kind = 6 THEN quantity ELSE 0 END) AS kind_6, \
     SUM(CASE WHEN kind = 7 THEN quantity ELSE 0 END) AS kind_7, \
     SUM(CASE WHEN kind = 8 THEN quantity ELSE 0 END) AS kind_8";

const KIND_COLUMNS: [&str; 8] =
    ["kind_1", "kind_2", "kind_3", "kind_4", "kind_5", "kind_6", "kind_7", "kind_8"];

fn units_of(row: &Row) -> Result<[i64; 8]> {
    let mut units = [0; 8];
    for (slot, column) in units.iter_mut().zip(KIND_COLUMNS) {
        *slot = row.opt_int(column)?.unwrap_or(0);
    }
    Ok(units)
}

fn balance_of(row: &Row) -> Result<Balance> {
    let counter = (row.int("counters")? > 0).then(|| counter_of(row)).transpose()?;
    Ok(Balance { place: place_of(row)?, counter, movements: row.int("movements")?, units: units_of(row)? })
}

fn entry_of(row: &Row) -> Result<Entry> {
    Ok(Entry {
        place: place_of(row)?,
        number: row.int("number")?,
        kind: kind_of(row)?,
        quantity: row.int("quantity")?,
        on_hand: row.int("on_hand")?,
        held: row.int("held")?,
        reference: row.text("reference")?,
        time: row.timestamp("moved_at")?,
    })
}

fn bind_place(statement: Statement, after: &After) -> Statement {
    statement.bind(&after.sku).bind(&after.sku).bind(&after.location)
}

fn position(after: &After) -> Result<String> {
    serde_json::to_string(after).map_err(Error::internal)
}

/// A page of rows that were read with one more than asked for.
fn cut<T>(mut items: Vec<T>, limit: u32, after: impl Fn(&T) -> After) -> Result<Page<T>> {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items.last().filter(|_| more).map(|last| position(&after(last))).transpose()?;
    Ok(Page { items, next })
}
