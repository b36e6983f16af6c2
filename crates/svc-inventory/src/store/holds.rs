//! Holds: made, renewed, committed, released, expired, returned.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Error, HoldId, OrderId, Result, Timestamp};
use store::{Batch, CommitError, Row, sql};

use super::{ATTEMPTS_MAX, STOCK, Stock, any_counter, busy, damaged, lost_at};
use crate::domain::{
    AHEAD_MAX, Ask, Counter, Hold, HoldState, MovementKind, Place, Shortage, Step, Transition, plan,
    shortages, sum_by_place,
};

/// Label of a hold's row.
const HOLD: &str = "hold";

/// What became of a hold that was asked for.
#[derive(Debug)]
pub enum Held {
    /// It was made now.
    Made(Hold),
    /// It was made before; this is how it stands.
    Found(Hold),
    /// There is not enough; nothing was held.
    Short(Vec<Shortage>),
}

impl Stock {
    /// Holds everything or nothing.
    ///
    /// # Errors
    /// `HOLD_LINES_DIFFER` when the order has a hold with other lines, `STOCK_BUSY`.
    pub async fn hold(&self, hold: Hold) -> Result<Held> {
        let wanted = sum_by_place(&hold.lines);
        let lines = serde_json::to_vec(&hold.lines).map_err(Error::internal)?;
        let mut hint = self.hints.counters(wanted.keys());
        for _ in 0..ATTEMPTS_MAX {
            let hinted = hint.is_some();
            let counters = match hint.take() {
                Some(counters) => counters,
                None => self.fresh(wanted.keys()).await?,
            };
            let available = |place: &Place| counters.get(place).map_or(0, |counter| counter.on_hand);
            if wanted.iter().any(|(place, units)| available(place) < *units) {
                if hinted {
                    continue;
                }
                return match self.find_hold(hold.id).await? {
                    Some(found) => same(found, &hold).map(Held::Found),
                    None => Ok(Held::Short(shortages(&hold.lines, available))),
                };
            }
            let steps = plan_all(&wanted, MovementKind::Held, |place| {
                counters.get(place).copied().unwrap_or_default()
            })?;
            let mut batch = Batch::new().insert(insert(&hold, lines.clone()), HOLD);
            self.push_steps(&mut batch, &steps, hold.id, hold.created);
            match self.sql.commit(batch).await {
                Ok(_) => {
                    self.hints.moved(wanted.iter().map(|(place, units)| (place, MovementKind::Held, *units)));
                    self.hints.held(&hold);
                    return Ok(Held::Made(hold));
                }
                Err(error) if lost_at(&error, STOCK) => {}
                Err(CommitError::Duplicate { label }) if label == HOLD => {
                    let found = self.find_hold(hold.id).await?.ok_or_else(not_found)?;
                    return same(found, &hold).map(Held::Found);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// Takes a hold one step on; the flag says whether this call did it, or it was done before.
    ///
    /// # Errors
    /// `HOLD_NOT_FOUND`; where it stands, when that does not allow it; `STOCK_BUSY`.
    pub async fn step(&self, id: HoldId, ask: Ask, now: Timestamp) -> Result<(Hold, bool)> {
        let mut hint = self.hints.hold(id);
        for _ in 0..ATTEMPTS_MAX {
            let hinted = hint.is_some();
            let mut hold = match hint.take() {
                Some(hold) => hold,
                None => self.find_hold(id).await?.ok_or_else(not_found)?,
            };
            let step = match hold.decide(ask, now) {
                Ok(Some(step)) => step,
                _ if hinted => continue,
                Ok(None) => return Ok((hold, false)),
                Err(error) => return Err(error),
            };
            let moved = sum_by_place(&hold.lines);
            let steps = self.plan_step(&moved, step.movement).await?;
            let mut batch = Batch::new().expect(update(&hold, step, now), 1, HOLD);
            self.push_steps(&mut batch, &steps, id, now);
            let committed = self.sql.commit(batch).await;
            self.hints.forget(id);
            match committed {
                Ok(_) => {
                    self.hints.moved(moved.iter().map(|(place, units)| (place, step.movement, *units)));
                    (hold.state, hold.updated, hold.version) = (step.to, now, hold.version + 1);
                    return Ok((hold, true));
                }
                Err(error) if lost_at(&error, HOLD) => {}
                Err(error) if lost_at(&error, STOCK) && step.movement == MovementKind::Sold => {
                    return Err(Error::internal(format!(
                        "less is held than {id} holds: the counters are damaged"
                    )));
                }
                Err(error) if lost_at(&error, STOCK) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// Keeps a hold for longer.
    ///
    /// # Errors
    /// `HOLD_NOT_FOUND`; where it stands, when it is not held any more; `HOLD_LIMIT_REACHED`; `STOCK_BUSY`.
    pub async fn renew(&self, id: HoldId, hold_for: Duration, now: Timestamp) -> Result<(Hold, bool)> {
        for _ in 0..ATTEMPTS_MAX {
            let mut hold = self.find_hold(id).await?.ok_or_else(not_found)?;
            let Some(expires) = hold.renewed(hold_for, now)? else { return Ok((hold, false)) };
            let update =
                sql("UPDATE holds SET expires_at = ?, sweep_at = ?, updated_at = ?, version = version + 1 \
                 WHERE id = ? AND version = ?")
                .bind(expires)
                .bind(expires)
                .bind(now)
                .bind(id)
                .bind(hold.version);
            let committed = self.sql.commit(Batch::new().expect(update, 1, HOLD)).await;
            self.hints.forget(id);
            match committed {
                Ok(_) => {
                    (hold.expires, hold.updated, hold.version) = (expires, now, hold.version + 1);
                    return Ok((hold, true));
                }
                Err(error) if lost_at(&error, HOLD) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// One hold.
    pub async fn find_hold(&self, id: HoldId) -> Result<Option<Hold>> {
        let row =
            self.sql.fetch_one(sql(format!("SELECT {COLUMNS} FROM holds WHERE id = ?")).bind(id)).await?;
        row.as_ref().map(hold_of).transpose()
    }

    /// Holds whose time is over at `now`, the earliest first, after the one that was last seen.
    pub async fn expired(
        &self,
        now: Timestamp,
        after: Option<(Timestamp, HoldId)>,
        limit: u32,
    ) -> Result<Vec<(Timestamp, HoldId)>> {
        let (since, id) =
            after.map_or((Timestamp::from_micros(i64::MIN), String::new()), |(at, id)| (at, id.to_string()));
        let due = sql("SELECT id, sweep_at FROM holds WHERE sweep_at >= ? AND sweep_at <= ? AND (sweep_at > ? OR id > ?) \
             ORDER BY sweep_at, id LIMIT ?")
        .bind(since)
        .bind(now)
        .bind(since)
        .bind(id)
        .bind(limit);
        self.sql.fetch(due).await?.iter().map(|row| Ok((row.timestamp("sweep_at")?, row.id("id")?))).collect()
    }

    /// Holds that a clock made which was ahead: their time would not come for long.
    pub async fn astray(&self, now: Timestamp, limit: u32) -> Result<Vec<HoldId>> {
        let latest = now.plus(AHEAD_MAX);
        let astray =
            sql("SELECT id FROM holds WHERE sweep_at > ? AND created_at > ? ORDER BY sweep_at LIMIT ?")
                .bind(latest)
                .bind(latest)
                .bind(limit);
        self.sql.fetch(astray).await?.iter().map(|row| row.id("id")).collect()
    }

    /// Counters of these places, read now.
    async fn fresh(&self, places: impl Iterator<Item = &Place>) -> Result<BTreeMap<Place, Counter>> {
        let counters = self.counters_of(places.map(|place| place.sku.as_str())).await?;
        self.hints.saw(&counters);
        Ok(counters)
    }

    async fn plan_step(&self, moved: &BTreeMap<Place, i64>, kind: MovementKind) -> Result<Vec<Step>> {
        let damage = |error: Error| Error::internal(format!("the counters are damaged: {error}"));
        if kind == MovementKind::Sold {
            return moved
                .iter()
                .map(|(place, units)| plan(place, any_counter(*units), kind, *units))
                .collect::<Result<_>>()
                .map_err(damage);
        }
        let counters = self.fresh(moved.keys()).await?;
        if let Some(missing) = moved.keys().find(|place| !counters.contains_key(place)) {
            return Err(damaged(missing, "it is gone, but a hold names it"));
        }
        plan_all(moved, kind, |place| counters.get(place).copied().unwrap_or_default()).map_err(damage)
    }

    fn push_steps(&self, batch: &mut Batch, steps: &[Step], hold: HoldId, now: Timestamp) {
        let reference = hold.to_string();
        for step in steps {
            self.push_step(batch, step, &reference, now);
        }
    }
}

/// Steps for every place, in key order.
fn plan_all(
    units: &BTreeMap<Place, i64>,
    kind: MovementKind,
    counter: impl Fn(&Place) -> Counter,
) -> Result<Vec<Step>> {
    units.iter().map(|(place, units)| plan(place, counter(place), kind, *units)).collect()
}

const COLUMNS: &str = "id, state, created_at, expires_at, limit_at, updated_at, version, lines";

fn insert(hold: &Hold, lines: Vec<u8>) -> store::Statement {
    sql("INSERT INTO holds (id, state, created_at, expires_at, limit_at, updated_at, version, sweep_at, lines) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
    .bind(hold.id)
    .bind(hold.state.number())
    .bind(hold.created)
    .bind(hold.expires)
    .bind(hold.limit)
    .bind(hold.updated)
    .bind(hold.version)
    .bind(hold.expires)
    .bind(lines)
}

fn update(hold: &Hold, step: Transition, now: Timestamp) -> store::Statement {
    sql("UPDATE holds SET state = ?, updated_at = ?, version = version + 1, sweep_at = NULL \
         WHERE id = ? AND version = ? AND expires_at > ? AND expires_at <= ?")
    .bind(step.to.number())
    .bind(now)
    .bind(hold.id)
    .bind(hold.version)
    .bind(step.expires_after)
    .bind(step.expires_until)
}

/// A hold that was found where one was to be made.
fn same(found: Hold, wanted: &Hold) -> Result<Hold> {
    if found.lines == wanted.lines {
        return Ok(found);
    }
    let message = "the order has a hold already, with other lines";
    Err(Error::exists("HOLD_LINES_DIFFER", message)
        .with("hold_id", found.id.to_string())
        .with_field("/lines", "must be those of the order's hold"))
}

fn not_found() -> Error {
    Error::not_found("HOLD_NOT_FOUND", "no such hold")
}

/// A row of the columns [`COLUMNS`].
pub fn hold_of(row: &Row) -> Result<Hold> {
    let id: HoldId = row.id("id")?;
    let state = row.int("state")?;
    Ok(Hold {
        id,
        order: OrderId::from_bits(id.bits()),
        state: HoldState::from_number(state)
            .ok_or_else(|| Error::internal(format!("{id} is in state {state}")))?,
        lines: serde_json::from_slice(&row.blob("lines")?).map_err(Error::internal)?,
        created: row.timestamp("created_at")?,
        expires: row.timestamp("expires_at")?,
        limit: row.timestamp("limit_at")?,
        updated: row.timestamp("updated_at")?,
        version: row.int("version")?,
    })
}

/// The columns that [`hold_of`] reads.
pub(super) const HOLD_COLUMNS: &str = COLUMNS;
