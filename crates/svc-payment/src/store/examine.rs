//! What only an audit reads: rows that belong to nothing, and events whose seal is not theirs.

use kernel::Result;
use store::{Batch, Sql, sql};

use super::seal::Stray;
use super::{Books, Link, Whole};

/// Strays of a kind that are told at most.
const STRAYS_MAX: u32 = 100;
/// Rows read at once.
const PAGE: u32 = 500;

/// Each kind of stray: how it is called, what it lacks, and the query that finds it.
const STRAYS: &[(&str, &str, &str)] = &[
    (
        "attempt of",
        "its payment",
        "SELECT a.payment_id AS id FROM attempts a LEFT JOIN payments p ON p.id = a.payment_id WHERE p.id IS NULL LIMIT ?",
    ),
    (
        "operation",
        "its payment",
        "SELECT o.id AS id FROM operations o LEFT JOIN payments p ON p.id = o.payment_id WHERE p.id IS NULL LIMIT ?",
    ),
    (
        "attempt of",
        "the time when its provider is asked",
        "SELECT payment_id AS id FROM attempts WHERE check_at IS NULL AND state IN ('authorizing', 'unknown', 'action_required') \
         LIMIT ?",
    ),
    (
        "operation",
        "the time when its provider is asked",
        "SELECT id FROM operations WHERE check_at IS NULL AND state IN ('sending', 'unknown', 'pending') LIMIT ?",
    ),
    (
        "link of",
        "its ledger entry",
        "SELECT c.entry_id AS id FROM ledger_chain c LEFT JOIN ledger_postings p ON p.entry_id = c.entry_id AND p.line = 0 \
         WHERE p.entry_id IS NULL LIMIT ?",
    ),
    (
        "unsealed",
        "its ledger entry, or its time",
        "SELECT u.entry_id AS id FROM ledger_unsealed u LEFT JOIN ledger_postings p ON p.entry_id = u.entry_id AND p.line = 0 \
         WHERE p.entry_id IS NULL OR p.booked_at <> u.booked_at LIMIT ?",
    ),
    (
        "unsealed",
        "a place out of the chain",
        "SELECT u.entry_id AS id FROM ledger_unsealed u JOIN ledger_chain c ON c.entry_id = u.entry_id LIMIT ?",
    ),
    (
        "ledger entry",
        "a line 0, or one head for all its lines",
        "SELECT entry_id AS id FROM ledger_postings GROUP BY entry_id HAVING MIN(line) <> 0 OR MAX(line) <> COUNT(*) - 1 \
         OR MIN(kind) <> MAX(kind) OR MIN(payment_id) <> MAX(payment_id) OR MIN(order_id) <> MAX(order_id) \
         OR MIN(operation_id) <> MAX(operation_id) OR MIN(booked_at) <> MAX(booked_at) LIMIT ?",
    ),
];

impl Books {
    /// Rows that belong to nothing, or that nobody will come back to.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn strays(&self) -> Result<Vec<Stray>> {
        let mut strays = Vec::new();
        for (name, lacks, text) in STRAYS {
            for row in self.sql.fetch(sql(*text).bind(STRAYS_MAX)).await? {
                strays.push(Stray { row: format!("{name} {}", row.str("id")?), lacks });
            }
        }
        Ok(strays)
    }

    /// Provider events whose seal is not theirs: provider and event.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn altered_webhooks(&self) -> Result<Vec<String>> {
        let mut altered = Vec::new();
        let (mut provider, mut event) = (String::new(), String::new());
        loop {
            let text = "SELECT provider, event_id, received_at, seal FROM webhook_events \
                WHERE provider > ? OR (provider = ? AND event_id > ?) ORDER BY provider, event_id LIMIT ?";
            let statement = sql(text).bind(&provider).bind(&provider).bind(&event).bind(PAGE);
            let rows = self.sql.fetch(statement).await?;
            for row in &rows {
                (provider, event) = (row.text("provider")?, row.text("event_id")?);
                let seal = self.seals.webhook(&provider, &event, row.timestamp("received_at")?);
                if row.opt_blob("seal")?.as_deref() != Some(seal.as_slice()) {
                    altered.push(format!("webhook event {event} of {provider}"));
                }
            }
            if rows.len() < PAGE as usize {
                return Ok(altered);
            }
        }
    }

    /// Seals every row that has no seal, and keys the chain. Only for a database of before there were seals: later, a row
    /// without one was damaged, and this would hide it. May be interrupted and done again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn adopt_unsealed(&self) -> Result<u64> {
        let (mut after, mut adopted) = (String::new(), 0);
        loop {
            let wholes = self.audit(&after, PAGE).await?;
            for chunk in wholes.chunks(50) {
                let mut batch = Batch::new();
                for whole in chunk {
                    adopted += u64::from(whole.seals.payment.is_empty());
                    self.adopt(&mut batch, whole);
                }
                commit(&self.sql, batch).await?;
            }
            match wholes.last() {
                Some(last) if wholes.len() == PAGE as usize => after = last.payment.id.to_string(),
                _ => break,
            }
        }
        self.adopt_webhooks().await?;
        self.key_chain().await?;
        Ok(adopted)
    }

    fn adopt(&self, batch: &mut Batch, whole: &Whole) {
        if whole.seals.payment.is_empty() {
            let seal =
                sql("UPDATE payments SET seal = ? WHERE id = ?").bind(self.seals.payment(&whole.payment));
            batch.push_run(seal.bind(whole.payment.id));
        }
        for (attempt, seal) in whole.attempts.iter().zip(&whole.seals.attempts) {
            if seal.is_empty() {
                let text = "UPDATE attempts SET seal = ? WHERE payment_id = ? AND number = ?";
                let seal = sql(text).bind(self.seals.attempt(attempt)).bind(attempt.payment);
                batch.push_run(seal.bind(attempt.number));
            }
        }
        for (operation, seal) in whole.operations.iter().zip(&whole.seals.operations) {
            if seal.is_empty() {
                let seal =
                    sql("UPDATE operations SET seal = ? WHERE id = ?").bind(self.seals.operation(operation));
                batch.push_run(seal.bind(&operation.id));
            }
        }
    }

    async fn adopt_webhooks(&self) -> Result<()> {
        loop {
            let text =
                "SELECT provider, event_id, received_at FROM webhook_events WHERE seal IS NULL LIMIT ?";
            let rows = self.sql.fetch(sql(text).bind(PAGE)).await?;
            let mut batch = Batch::new();
            for row in &rows {
                let (provider, event) = (row.text("provider")?, row.text("event_id")?);
                let seal = self.seals.webhook(&provider, &event, row.timestamp("received_at")?);
                let text = "UPDATE webhook_events SET seal = ? WHERE provider = ? AND event_id = ?";
                batch.push_run(sql(text).bind(seal).bind(provider).bind(event));
            }
            if batch.is_empty() {
                return Ok(());
            }
            commit(&self.sql, batch).await?;
        }
    }

    /// Keys the plain chain from its first link without a keyed hash on.
    async fn key_chain(&self) -> Result<()> {
        let last = sql(
            "SELECT position, keyed FROM ledger_chain WHERE keyed IS NOT NULL ORDER BY position DESC LIMIT 1",
        );
        let (mut position, mut previous) = match self.sql.fetch_one(last).await? {
            Some(row) => (row.int("position")?, row.blob("keyed")?),
            None => (0, Vec::new()),
        };
        loop {
            let text = "SELECT position, entry_id, previous, hash, sealed_at FROM ledger_chain \
                WHERE position > ? ORDER BY position LIMIT ?";
            let rows = self.sql.fetch(sql(text).bind(position).bind(PAGE)).await?;
            let mut batch = Batch::new();
            for row in &rows {
                position = row.int("position")?;
                let link = Link {
                    position,
                    entry: row.text("entry_id")?,
                    previous: row.blob("previous")?,
                    hash: row.blob("hash")?,
                    keyed: None,
                };
                previous = self.seals.link(&previous, &link, row.timestamp("sealed_at")?);
                let text = "UPDATE ledger_chain SET keyed = ? WHERE position = ?";
                batch.push_run(sql(text).bind(previous.as_slice()).bind(position));
            }
            if batch.is_empty() {
                return Ok(());
            }
            commit(&self.sql, batch).await?;
        }
    }
}

async fn commit(sql: &Sql, batch: Batch) -> Result<()> {
    if !batch.is_empty() {
        sql.commit(batch).await?;
    }
    Ok(())
}
