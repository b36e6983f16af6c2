//! What only an audit reads: rows that belong to nothing, and events whose seal is not theirs.

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use store::{Batch, Sql, sql};

use super::seal::Stray;
use super::{Books, Link, Whole};

/// Rows read at once.
const PAGE: u32 = 500;

/// A kind of stray: rows that lack something.
struct Kind {
    /// How such a row is called.
    name: &'static str,
    /// What it lacks.
    lacks: &'static str,
    /// Where it is looked for, and by which column of an index the rows are walked.
    walk: (&'static str, &'static str),
    /// Finds such rows after one key up to another.
    text: &'static str,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "attempt of",
        lacks: "its payment",
        walk: ("attempts", "payment_id"),
        text: "SELECT a.payment_id AS id FROM attempts a LEFT JOIN payments p ON p.id = a.payment_id \
            WHERE a.payment_id > ? AND a.payment_id <= ? AND p.id IS NULL",
    },
    Kind {
        name: "operation",
        lacks: "its payment",
        walk: ("operations", "id"),
        text: "SELECT o.id AS id FROM operations o LEFT JOIN payments p ON p.id = o.payment_id \
            WHERE o.id > ? AND o.id <= ? AND p.id IS NULL",
    },
    Kind {
        name: "attempt of",
        lacks: "the time when its provider is asked",
        walk: ("attempts", "payment_id"),
        text: "SELECT payment_id AS id FROM attempts WHERE payment_id > ? AND payment_id <= ? AND check_at IS NULL \
            AND state IN ('authorizing', 'unknown', 'action_required')",
    },
    Kind {
        name: "operation",
        lacks: "the time when its provider is asked",
        walk: ("operations", "id"),
        text: "SELECT id FROM operations WHERE id > ? AND id <= ? AND check_at IS NULL \
            AND state IN ('sending', 'unknown', 'pending')",
    },
    Kind {
        name: "attempt of",
        lacks: "no time when its provider is asked, as it has ended",
        walk: ("attempts", "payment_id"),
        text: "SELECT payment_id AS id FROM attempts WHERE payment_id > ? AND payment_id <= ? AND check_at IS NOT NULL \
            AND state NOT IN ('authorizing', 'unknown', 'action_required')",
    },
    Kind {
        name: "operation",
        lacks: "no time when its provider is asked, as it has ended",
        walk: ("operations", "id"),
        text: "SELECT id FROM operations WHERE id > ? AND id <= ? AND check_at IS NOT NULL \
            AND state NOT IN ('sending', 'unknown', 'pending')",
    },
    // What reading leaves out, so that no seal covers it.
    Kind {
        name: "attempt of",
        lacks: "a challenge's token beside its URL",
        walk: ("attempts", "payment_id"),
        text: "SELECT payment_id AS id FROM attempts WHERE payment_id > ? AND payment_id <= ? AND challenge_token = '' \
            AND challenge_url <> ''",
    },
    Kind {
        name: "attempt of",
        lacks: "a failure's code beside its message",
        walk: ("attempts", "payment_id"),
        text: "SELECT payment_id AS id FROM attempts WHERE payment_id > ? AND payment_id <= ? AND failure_code = '' \
            AND failure_message <> ''",
    },
    Kind {
        name: "operation",
        lacks: "a failure's code beside its message",
        walk: ("operations", "id"),
        text: "SELECT id FROM operations WHERE id > ? AND id <= ? AND failure_code = '' AND failure_message <> ''",
    },
    Kind {
        name: "link of",
        lacks: "its ledger entry",
        walk: ("ledger_chain", "entry_id"),
        text: "SELECT c.entry_id AS id FROM ledger_chain c \
            LEFT JOIN ledger_postings p ON p.entry_id = c.entry_id AND p.line = 0 \
            WHERE c.entry_id > ? AND c.entry_id <= ? AND p.entry_id IS NULL",
    },
    Kind {
        name: "unsealed",
        lacks: "its ledger entry, or its time",
        walk: ("ledger_unsealed", "entry_id"),
        text: "SELECT u.entry_id AS id FROM ledger_unsealed u \
            LEFT JOIN ledger_postings p ON p.entry_id = u.entry_id AND p.line = 0 \
            WHERE u.entry_id > ? AND u.entry_id <= ? AND (p.entry_id IS NULL OR p.booked_at <> u.booked_at)",
    },
    Kind {
        name: "unsealed",
        lacks: "a place out of the chain",
        walk: ("ledger_unsealed", "entry_id"),
        text: "SELECT u.entry_id AS id FROM ledger_unsealed u JOIN ledger_chain c ON c.entry_id = u.entry_id \
            WHERE u.entry_id > ? AND u.entry_id <= ?",
    },
    Kind {
        name: "ledger entry",
        lacks: "a line 0, or one head for all its lines",
        walk: ("ledger_postings", "entry_id"),
        text: "SELECT entry_id AS id FROM ledger_postings WHERE entry_id > ? AND entry_id <= ? GROUP BY entry_id \
            HAVING MIN(line) <> 0 OR MAX(line) <> COUNT(*) - 1 \
            OR MIN(kind) <> MAX(kind) OR MIN(payment_id) <> MAX(payment_id) OR MIN(order_id) <> MAX(order_id) \
            OR MIN(operation_id) <> MAX(operation_id) OR MIN(booked_at) <> MAX(booked_at)",
    },
];

/// How far the rows were looked through that belong to no payment in particular.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// Provider events, after one of a provider.
    Webhooks(String, String),
    /// Rows that belong to nothing: of which kind, and after which key.
    Strays(usize, String),
}

impl Place {
    /// Before all of them.
    #[must_use]
    pub const fn start() -> Self {
        Self::Webhooks(String::new(), String::new())
    }
}

/// What was found in some rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Provider events whose seal is not theirs.
    pub altered_webhooks: Vec<String>,
    /// Rows that belong to nothing, or that nobody will come back to.
    pub strays: Vec<Stray>,
    /// Where to go on; `None` after the last.
    pub next: Option<Place>,
}

impl Books {
    /// Looks through `limit` rows that belong to no payment in particular, after a place, for such as were changed or belong to
    /// nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn leftovers(&self, after: Place, limit: u32) -> Result<Leftovers> {
        let (mut found, mut place, mut left) = (Leftovers::default(), Some(after), limit);
        while let Some(after) = place.take_if(|_| left > 0) {
            let read;
            (read, place) = match &after {
                Place::Webhooks(provider, event) => self.webhooks(provider, event, left, &mut found).await?,
                Place::Strays(kind, key) => self.strays(*kind, key, left, &mut found).await?,
            };
            left = left.saturating_sub(read);
        }
        found.next = place;
        Ok(found)
    }

    /// How many provider events were read, and where to go on.
    async fn webhooks(
        &self,
        provider: &str,
        event: &str,
        limit: u32,
        found: &mut Leftovers,
    ) -> Result<(u32, Option<Place>)> {
        let text = "SELECT provider, event_id, received_at, seal FROM webhook_events \
            WHERE provider > ? OR (provider = ? AND event_id > ?) ORDER BY provider, event_id LIMIT ?";
        let rows = self.sql.fetch(sql(text).bind(provider).bind(provider).bind(event).bind(limit)).await?;
        let mut next = Place::Strays(0, String::new());
        for row in &rows {
            let (provider, event) = (row.text("provider")?, row.text("event_id")?);
            let seal = self.seals.webhook(&provider, &event, row.timestamp("received_at")?);
            if row.opt_blob("seal")?.as_deref() != Some(seal.as_slice()) {
                found.altered_webhooks.push(format!("webhook event {event} of {provider}"));
            }
            if rows.len() == limit as usize {
                next = Place::Webhooks(provider, event);
            }
        }
        Ok((rows.len() as u32, Some(next)))
    }

    /// How many rows of a kind were looked through, and where to go on.
    async fn strays(
        &self,
        kind: usize,
        after: &str,
        limit: u32,
        found: &mut Leftovers,
    ) -> Result<(u32, Option<Place>)> {
        let Some(Kind { name, lacks, walk: (table, key), text }) = KINDS.get(kind) else {
            return Ok((0, None));
        };
        let range = format!(
            "SELECT COUNT(*) AS n, MAX(place) AS last FROM \
             (SELECT {key} AS place FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?) some_rows"
        );
        let range = self.sql.fetch_one(sql(range).bind(after).bind(limit)).await?;
        let Some(range) = range else { return Err(Error::internal("a count without a row")) };
        let (read, last) = (range.int("n")?, range.opt_text("last")?);
        if let Some(last) = &last {
            for row in self.sql.fetch(sql(*text).bind(after).bind(last)).await? {
                found.strays.push(Stray { row: format!("{name} {}", row.str("id")?), lacks });
            }
        }
        let next = match last.filter(|_| read == i64::from(limit)) {
            Some(last) => Place::Strays(kind, last),
            None => Place::Strays(kind + 1, String::new()),
        };
        Ok((read as u32, Some(next)))
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
