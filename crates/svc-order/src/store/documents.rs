//! Numbers of documents, and the chain of seals over them.
//!
//! A document is numbered in the commit that issues it. A counter that lags behind (somebody wrote the database, or a backup was
//! put back in parts) would make every further document fail; it is set to the number that follows the greatest, with an alarm.
//! The sealer then chains the documents in the order of their numbers, so that two that change places are seen.

use std::collections::BTreeSet;

use kernel::{Result, Timestamp};
use prometheus_client::metrics::counter::Counter;
use serde::{Deserialize, Serialize};
use store::{Batch, CommitError, sql};

use super::{Orders, read};
use crate::domain::{InvoiceKind, Order};

/// Label of the counter's statement.
const COUNTER: &str = "counter";
/// Label of the document's insert.
const INVOICE: &str = "invoice";
/// Documents sealed in one commit.
const SEAL_MAX: u32 = 500;
/// Documents verified in one read.
const VERIFY_MAX: u32 = 1000;

/// The documents of one legal entity and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentSeries {
    /// Who issues them.
    pub legal_entity: String,
    /// Which documents.
    pub kind: InvoiceKind,
    /// The number that the next one gets; `None` when the counter is missing.
    pub next: Option<i64>,
    /// The greatest number given; 0 when there is none.
    pub greatest: i64,
}

/// What the chain over a series says, as far as it was walked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesState {
    /// The number that was walked to.
    pub after: i64,
    /// The greatest sealed number; 0 when nothing is sealed.
    pub head: i64,
    /// Its seal.
    pub seal: Vec<u8>,
    /// The first number whose seal does not follow from the documents up to it; 0 when all do.
    pub broken: i64,
    /// When the oldest document was issued that has no seal yet.
    pub unsealed_since: Option<Timestamp>,
}

/// Whether a commit failed because the counter of a kind of document is not what it must be.
#[must_use]
pub fn is_counter_off(error: &CommitError) -> bool {
    match error {
        CommitError::Unexpected { label, .. } => label == COUNTER,
        CommitError::Duplicate { label } => label == INVOICE,
        _ => false,
    }
}

impl Orders {
    /// How often a counter was found behind its documents and set right.
    #[must_use]
    pub const fn numbering_repairs(&self) -> &Counter {
        &self.numbering_repairs
    }

    /// Begins the numbers of this shop's legal entity, unless they were begun before. A counter that is gone since is not made
    /// anew here, so that an audit names it; the first order that needs it repairs it.
    pub(super) async fn begin_series(&self) -> Result<()> {
        let seen = sql("SELECT kind FROM invoice_counters WHERE legal_entity = ?").bind(&self.legal_entity);
        let begun = self.sql.fetch(seen).await?.len();
        let issued = sql("SELECT MAX(number) AS greatest FROM invoices WHERE legal_entity = ?");
        let issued = self.sql.fetch_one(issued.bind(&self.legal_entity)).await?;
        let issued = issued.map_or(Ok(None), |row| row.opt_int("greatest"))?;
        if begun > 0 || issued.is_some() {
            if begun < InvoiceKind::ALL.len() {
                tracing::error!(
                    legal_entity = self.legal_entity,
                    counters = begun,
                    "a counter of documents is gone; the next document sets it right: run an audit"
                );
            }
            return self.sql.commit(self.without_unused_counters()).await.map(drop).map_err(Into::into);
        }
        let mut batch = self.without_unused_counters();
        for kind in InvoiceKind::ALL {
            let insert = sql("INSERT INTO invoice_counters (legal_entity, kind, next) VALUES (?, ?, 1)");
            batch.push_insert(insert.bind(&self.legal_entity).bind(kind.code()), COUNTER);
        }
        match self.sql.commit(batch).await {
            Ok(_) | Err(CommitError::Duplicate { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A batch that deletes the counters of legal entities that the shop was set to before and that never issued a document.
    fn without_unused_counters(&self) -> Batch {
        let unused = "DELETE FROM invoice_counters WHERE next = 1 AND legal_entity <> ? \
            AND legal_entity NOT IN (SELECT legal_entity FROM invoices)";
        Batch::new().run(sql(unused).bind(&self.legal_entity))
    }

    /// Makes the counter of a kind of document, after the greatest there is, unless there is one.
    async fn restore_counter(&self, kind: InvoiceKind) -> Result<()> {
        let seen = sql("SELECT next FROM invoice_counters WHERE legal_entity = ? AND kind = ?");
        if self.sql.fetch_one(seen.bind(&self.legal_entity).bind(kind.code())).await?.is_some() {
            return Ok(());
        }
        let next = self.greatest(kind).await? + 1;
        let insert = sql("INSERT INTO invoice_counters (legal_entity, kind, next) VALUES (?, ?, ?)");
        let insert = insert.bind(&self.legal_entity).bind(kind.code()).bind(next);
        match self.sql.commit(Batch::new().insert(insert, COUNTER)).await {
            Ok(_) | Err(CommitError::Duplicate { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn greatest(&self, kind: InvoiceKind) -> Result<i64> {
        let text = "SELECT MAX(number) AS greatest FROM invoices WHERE legal_entity = ? AND kind = ?";
        let row = self.sql.fetch_one(sql(text).bind(&self.legal_entity).bind(kind.code())).await?;
        Ok(row.map_or(Ok(None), |row| row.opt_int("greatest"))?.unwrap_or(0))
    }

    /// Adds to a commit that an order gets a document: the counter moves, and the document takes the number before.
    pub(super) fn number(&self, batch: Batch, order: &Order, kind: InvoiceKind) -> Batch {
        let count = sql("UPDATE invoice_counters SET next = next + 1 WHERE legal_entity = ? AND kind = ?");
        let text = "INSERT INTO invoices (legal_entity, kind, number, order_id, currency, total_minor, tax_minor, issued_at) \
            SELECT legal_entity, kind, next - 1, ?, ?, ?, ?, ? FROM invoice_counters WHERE legal_entity = ? AND kind = ?";
        let insert = sql(text)
            .bind(order.id)
            .bind(order.total.currency.code())
            .bind(order.total.minor)
            .bind(order.tax.minor)
            .bind(order.updated_at)
            .bind(&self.legal_entity)
            .bind(kind.code());
        batch.expect(count.bind(&self.legal_entity).bind(kind.code()), 1, COUNTER).insert(insert, INVOICE)
    }

    /// Sets a counter that is missing, or behind its documents, to the number after the greatest, so that the orders behind it
    /// do not wait for somebody.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn repair_numbers(&self, kind: InvoiceKind, cause: &CommitError) -> Result<()> {
        self.restore_counter(kind).await?;
        let next = self.greatest(kind).await? + 1;
        let text = "UPDATE invoice_counters SET next = ? WHERE legal_entity = ? AND kind = ? AND next < ?";
        let repair = sql(text).bind(next).bind(&self.legal_entity).bind(kind.code()).bind(next);
        self.sql.commit(Batch::new().run(repair)).await?;
        self.numbering_repairs.inc();
        tracing::error!(
            legal_entity = self.legal_entity,
            kind = ?kind,
            next,
            cause = %cause,
            "the counter of documents was behind its documents; it was set right: run an audit"
        );
        Ok(())
    }

    /// Every series of documents, by legal entity and kind. Their documents are not walked.
    ///
    /// # Errors
    /// The store's.
    pub async fn series(&self) -> Result<Vec<DocumentSeries>> {
        let mut names = BTreeSet::new();
        for row in self.sql.fetch(sql("SELECT legal_entity, kind FROM invoice_counters")).await? {
            names.insert((row.text("legal_entity")?, row.int("kind")?));
        }
        // Series without a counter are found by steps along the index, of which there are few.
        let mut query = sql("SELECT MIN(legal_entity) AS least FROM invoices");
        while let Some(entity) =
            self.sql.fetch_one(query).await?.map_or(Ok(None), |row| row.opt_text("least"))?
        {
            let text = "SELECT MIN(kind) AS least FROM invoices WHERE legal_entity = ? AND kind > ?";
            let mut after = i64::MIN;
            while let Some(row) = self.sql.fetch_one(sql(text).bind(&entity).bind(after)).await? {
                let Some(kind) = row.opt_int("least")? else { break };
                names.insert((entity.clone(), kind));
                after = kind;
            }
            query =
                sql("SELECT MIN(legal_entity) AS least FROM invoices WHERE legal_entity > ?").bind(entity);
        }
        let mut all = Vec::with_capacity(names.len());
        for (legal_entity, kind) in names {
            let kind = InvoiceKind::from_code(kind)?;
            let mut series = DocumentSeries { legal_entity, kind, next: None, greatest: 0 };
            self.read_numbers(&mut series).await?;
            all.push(series);
        }
        Ok(all)
    }

    /// The counter of a series and its greatest number, in one statement, so that they are of the same moment.
    async fn read_numbers(&self, series: &mut DocumentSeries) -> Result<()> {
        let text = "SELECT (SELECT next FROM invoice_counters WHERE legal_entity = ? AND kind = ?) AS next, \
            (SELECT MAX(number) FROM invoices WHERE legal_entity = ? AND kind = ?) AS greatest";
        let (entity, kind) = (&series.legal_entity, series.kind.code());
        let numbers = sql(text).bind(entity).bind(kind).bind(entity).bind(kind);
        if let Some(row) = self.sql.fetch_one(numbers).await? {
            series.next = row.opt_int("next")?;
            series.greatest = row.opt_int("greatest")?.unwrap_or(0);
        }
        Ok(())
    }

    /// Walks on along the chain of seals over a series, over as many documents as `budget` says and takes from it; whether that
    /// was to its end.
    ///
    /// # Errors
    /// The store's.
    pub async fn verify_series(
        &self,
        series: &DocumentSeries,
        state: &mut SeriesState,
        budget: &mut u32,
    ) -> Result<bool> {
        while *budget > 0 {
            let wanted = VERIFY_MAX.min(*budget);
            let rows = self.documents(&series.legal_entity, series.kind, state.after, wanted).await?;
            for invoice in &rows {
                state.after = invoice.name.number;
                if invoice.seal.is_empty() {
                    state.unsealed_since = state.unsealed_since.or(Some(invoice.issued_at));
                    continue;
                }
                // What is sealed behind what is not was not left by the sealer.
                let fits = state.unsealed_since.is_none()
                    && self.seals.invoice(&state.seal, invoice) == invoice.seal;
                if !fits && state.broken == 0 {
                    state.broken = state.after;
                }
                (state.head, state.seal) = (state.after, invoice.seal.clone());
            }
            *budget -= wanted;
            if rows.len() < wanted as usize {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn documents(
        &self,
        legal_entity: &str,
        kind: InvoiceKind,
        after: i64,
        limit: u32,
    ) -> Result<Vec<read::Invoice>> {
        let text = "SELECT legal_entity, kind, number, order_id, currency, total_minor, tax_minor, issued_at, seal \
            FROM invoices WHERE legal_entity = ? AND kind = ? AND number > ? ORDER BY number LIMIT ?";
        let rows =
            self.sql.fetch(sql(text).bind(legal_entity).bind(kind.code()).bind(after).bind(limit)).await?;
        rows.iter().map(read::invoice).collect()
    }

    /// Seals every series, whoever issued it: a start after the legal entity was changed finds the last of the one before.
    ///
    /// # Errors
    /// The store's.
    pub async fn seal_all_documents(&self) -> Result<()> {
        for series in self.series().await? {
            while self.seal_some(&series.legal_entity, series.kind).await? == SEAL_MAX as usize {}
        }
        Ok(())
    }

    /// Seals the documents that this legal entity issued since, in the order of their numbers. Another instance may do the
    /// same: the first wins.
    ///
    /// # Errors
    /// The store's.
    pub async fn seal_documents(&self) -> Result<()> {
        for kind in InvoiceKind::ALL {
            while self.seal_some(&self.legal_entity, *kind).await? == SEAL_MAX as usize {}
        }
        Ok(())
    }

    async fn seal_some(&self, legal_entity: &str, kind: InvoiceKind) -> Result<usize> {
        // Looks at the last document first: as a rule it is sealed, and nothing is left to do.
        let text = "SELECT number, seal FROM invoices WHERE legal_entity = ? AND kind = ? AND seal IS NOT NULL \
            ORDER BY number DESC LIMIT 1";
        let last = self.sql.fetch_one(sql(text).bind(legal_entity).bind(kind.code())).await?;
        let (head, mut previous) = match last {
            Some(row) => (row.int("number")?, row.blob("seal")?),
            None => (0, Vec::new()),
        };
        let rows = self.documents(legal_entity, kind, head, SEAL_MAX).await?;
        let mut batch = Batch::new();
        for invoice in &rows {
            previous = self.seals.invoice(&previous, invoice);
            let text = "UPDATE invoices SET seal = ? \
                WHERE legal_entity = ? AND kind = ? AND number = ? AND seal IS NULL";
            let seal = sql(text).bind(previous.as_slice()).bind(legal_entity);
            batch.push_expect(seal.bind(kind.code()).bind(invoice.name.number), 1, "seal");
        }
        if batch.is_empty() {
            return Ok(0);
        }
        match self.sql.commit(batch).await {
            Ok(_) => Ok(rows.len()),
            Err(error) if error.is_stale() => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
#[path = "documents_tests.rs"]
mod tests;
