//! Numbers of documents, and the chain of seals over them.
//!
//! A document is numbered in the commit that issues it. A counter that lags behind (somebody wrote the database, or a backup was
//! put back in parts) would make every further document fail; it is set to the number that follows the greatest, with an alarm.
//! The sealer then chains the documents in the order of their numbers, so that two that change places are seen.

use kernel::{Result, Timestamp};
use prometheus_client::metrics::counter::Counter;
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

/// What the chain over a series says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesState {
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

    /// Begins the numbers of a kind of document, after the greatest there is.
    pub(super) async fn begin_numbers(&self, kind: InvoiceKind) -> Result<()> {
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
        self.begin_numbers(kind).await?;
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

    /// Every series of documents, with its counter, as of one moment.
    ///
    /// # Errors
    /// The store's.
    pub async fn series(&self) -> Result<Vec<DocumentSeries>> {
        // One statement, so that the counters and the documents are of the same moment.
        let text = "SELECT legal_entity, kind, MAX(next) AS next, MAX(number) AS greatest FROM \
            (SELECT legal_entity, kind, next, NULL AS number FROM invoice_counters \
             UNION ALL SELECT legal_entity, kind, NULL AS next, MAX(number) AS number FROM invoices GROUP BY legal_entity, kind) s \
            GROUP BY legal_entity, kind ORDER BY legal_entity, kind";
        let rows = self.sql.fetch(sql(text)).await?;
        rows.iter()
            .map(|row| {
                Ok(DocumentSeries {
                    legal_entity: row.text("legal_entity")?,
                    kind: InvoiceKind::from_code(row.int("kind")?)?,
                    next: row.opt_int("next")?,
                    greatest: row.opt_int("greatest")?.unwrap_or(0),
                })
            })
            .collect()
    }

    /// Walks the chain of seals over a series.
    ///
    /// # Errors
    /// The store's.
    pub async fn verify_series(&self, series: &DocumentSeries) -> Result<SeriesState> {
        let mut state = SeriesState::default();
        let (mut after, mut previous) = (0, Vec::new());
        loop {
            let rows = self.documents(&series.legal_entity, series.kind, after, VERIFY_MAX).await?;
            for invoice in &rows {
                after = invoice.name.number;
                if invoice.seal.is_empty() {
                    state.unsealed_since = state.unsealed_since.or(Some(invoice.issued_at));
                    continue;
                }
                // What is sealed behind what is not was not left by the sealer.
                let fits =
                    state.unsealed_since.is_none() && self.seals.invoice(&previous, invoice) == invoice.seal;
                if !fits && state.broken == 0 {
                    state.broken = after;
                }
                (state.head, previous) = (after, invoice.seal.clone());
            }
            if rows.len() < VERIFY_MAX as usize {
                state.seal = previous;
                return Ok(state);
            }
        }
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
