//! What arrives, and what is corrected.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use kernel::{Error, Result, Timestamp, sku};
use store::{Batch, CommitError, RequestKey, sql};

use super::{ATTEMPTS_MAX, SKUS_IN_QUERY, STOCK, Stock, busy, lost_at, marks_of, pad, padded};
use crate::domain::{Adjustment, Counter, MovementKind, Place, Receipt, plan};

/// Label of a receipt's row.
const RECEIPT: &str = "receipt";
/// Label of a new counter's row.
const NEW: &str = "new";

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// For each line whether it was added now; false where it had been added before.
    Now(Vec<bool>),
    /// The whole request was answered before.
    Replayed(Vec<u8>),
}

/// What became of a correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adjusted {
    /// The counter after it.
    Now(Counter),
    /// The request was answered before.
    Replayed(Vec<u8>),
}

impl Stock {
    /// Adds the lines whose references are new; all of them or none.
    ///
    /// # Errors
    /// `LOCATION_NOT_FOUND`, `REFERENCE_REUSED`, `STOCK_TOO_LARGE` naming the line; `STOCK_BUSY`; `IDEMPOTENCY_KEY_REUSED`.
    pub async fn receive(
        &self,
        receipts: &[Receipt],
        key: &RequestKey,
        answer: impl Fn(&[bool]) -> Vec<u8>,
        now: Timestamp,
    ) -> Result<Received> {
        if let Some(answer) = self.sql.answer(key).await? {
            return Ok(Received::Replayed(answer));
        }
        self.check_locations(receipts).await?;
        let receipts = &*self.spelled_as_stored(receipts).await?;
        for _ in 0..ATTEMPTS_MAX {
            let (batch, added) = self.plan_receipts(receipts, now).await?;
            let batch = batch.remember(key.clone(), answer(&added));
            match self.sql.commit(batch).await {
                Ok(_) => {
                    let new =
                        receipts.iter().zip(&added).filter(|(_, added)| **added).map(|(receipt, _)| receipt);
                    self.hints
                        .moved(new.map(|receipt| (&receipt.place, MovementKind::Received, receipt.quantity)));
                    return Ok(Received::Now(added));
                }
                Err(error) if [STOCK, RECEIPT, NEW].iter().any(|label| lost_at(&error, label)) => {}
                Err(CommitError::Replayed(answer)) => return Ok(Received::Replayed(answer)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// Receipts of SKUs as their counters have them: earlier releases stored decomposed letters as they were written.
    async fn spelled_as_stored<'a>(&self, receipts: &'a [Receipt]) -> Result<Cow<'a, [Receipt]>> {
        if receipts.iter().all(|receipt| receipt.place.sku.is_ascii()) {
            return Ok(Cow::Borrowed(receipts));
        }
        let mut receipts = receipts.to_vec();
        let decomposed = |receipt: &Receipt| {
            Place::new(sku::decomposed(&receipt.place.sku), receipt.place.location.clone())
        };
        let others: Vec<Place> = receipts.iter().map(decomposed).collect();
        let places = receipts.iter().map(|receipt| &receipt.place).chain(&others);
        let counters = self.counters_of(places.map(|place| place.sku.as_str())).await?;
        for (receipt, other) in receipts.iter_mut().zip(others) {
            if !counters.contains_key(&receipt.place) && counters.contains_key(&other) {
                receipt.place = other;
            }
        }
        Ok(Cow::Owned(receipts))
    }

    async fn plan_receipts(&self, receipts: &[Receipt], now: Timestamp) -> Result<(Batch, Vec<bool>)> {
        let known = self.receipts_of(receipts).await?;
        let counters = self.counters_of(receipts.iter().map(|receipt| receipt.place.sku.as_str())).await?;
        let mut planned: BTreeMap<&Place, Counter> = BTreeMap::new();
        let (mut batch, mut added) = (Batch::new(), Vec::with_capacity(receipts.len()));
        for (index, receipt) in receipts.iter().enumerate() {
            let at = |error: Error| error.at(&format!("/lines/{index}"));
            if let Some((place, quantity)) = known.get(&receipt.reference) {
                receipt.same_as(place, *quantity).map_err(at)?;
                added.push(false);
                continue;
            }
            let place = &receipt.place;
            let before = planned.get(place).or_else(|| counters.get(place)).copied();
            if before.is_none() {
                batch.push_insert(new_counter(place), NEW);
            }
            let step = plan(place, before.unwrap_or_default(), MovementKind::Received, receipt.quantity)
                .map_err(at)?;
            batch.push_insert(new_receipt(receipt, now), RECEIPT);
            self.push_step(&mut batch, &step, &receipt.reference, now);
            planned.insert(place, step.after);
            added.push(true);
        }
        Ok((batch, added))
    }

    /// What was received under these references before.
    async fn receipts_of(&self, receipts: &[Receipt]) -> Result<BTreeMap<String, (Place, i64)>> {
        let references: Vec<&str> = receipts.iter().map(|receipt| receipt.reference.as_str()).collect();
        let mut known = BTreeMap::new();
        for some in references.chunks(SKUS_IN_QUERY) {
            let marks = padded(some.len());
            let text = format!(
                "SELECT reference, sku, location, quantity FROM receipts WHERE reference IN ({})",
                marks_of(marks)
            );
            for row in self.sql.fetch(sql(text).bind_all(pad(some, marks))).await? {
                known.insert(row.text("reference")?, (super::place_of(&row)?, row.int("quantity")?));
            }
        }
        Ok(known)
    }

    async fn check_locations(&self, receipts: &[Receipt]) -> Result<()> {
        let known: BTreeSet<String> =
            self.locations().await?.into_iter().map(|location| location.code).collect();
        match receipts.iter().position(|receipt| !known.contains(&receipt.place.location)) {
            None => Ok(()),
            Some(index) => Err(Error::not_found("LOCATION_NOT_FOUND", "there is no such location")
                .with_field(format!("/lines/{index}/location"), "is not a location")),
        }
    }

    /// Corrects one counter.
    ///
    /// # Errors
    /// `STOCK_NOT_FOUND`, `NOT_ENOUGH_STOCK`, `STOCK_TOO_LARGE`, `STOCK_BUSY`, `IDEMPOTENCY_KEY_REUSED`.
    pub async fn adjust(
        &self,
        adjustment: &Adjustment,
        key: &RequestKey,
        answer: impl Fn(Counter) -> Vec<u8>,
        now: Timestamp,
    ) -> Result<Adjusted> {
        if let Some(answer) = self.sql.answer(key).await? {
            return Ok(Adjusted::Replayed(answer));
        }
        let place = &adjustment.place;
        for _ in 0..ATTEMPTS_MAX {
            let counters = self.counters_of([place.sku.as_str()]).await?;
            let missing = || {
                Error::not_found("STOCK_NOT_FOUND", "nothing of this SKU was ever received at this location")
            };
            let before = counters.get(place).copied().ok_or_else(missing)?;
            let mut step = plan(place, before, adjustment.kind, adjustment.quantity)?;
            // The answer shows the counter, so the counter must be the one that was read.
            step.guard.version = Some(before.version);
            let mut batch = Batch::new().remember(key.clone(), answer(step.after));
            self.push_step(&mut batch, &step, &adjustment.note, now);
            match self.sql.commit(batch).await {
                Ok(_) => {
                    self.hints.moved([(place, adjustment.kind, adjustment.quantity)].into_iter());
                    return Ok(Adjusted::Now(step.after));
                }
                Err(error) if lost_at(&error, STOCK) => {}
                Err(CommitError::Replayed(answer)) => return Ok(Adjusted::Replayed(answer)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }
}

fn new_counter(place: &Place) -> store::Statement {
    sql("INSERT INTO stock (sku, location, on_hand, held, version) VALUES (?, ?, 0, 0, 0)")
        .bind(&place.sku)
        .bind(&place.location)
}

fn new_receipt(receipt: &Receipt, now: Timestamp) -> store::Statement {
    sql("INSERT INTO receipts (reference, sku, location, quantity, received_at) VALUES (?, ?, ?, ?, ?)")
        .bind(&receipt.reference)
        .bind(&receipt.place.sku)
        .bind(&receipt.place.location)
        .bind(receipt.quantity)
        .bind(now)
}
