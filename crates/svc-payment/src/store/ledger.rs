//! The ledger's rows: entries, the tail that waits for the sealer, the chain.

use std::collections::BTreeMap;

use kernel::{Currency, Error, Money, Result, Timestamp};
use store::{Batch, CommitError, Lease, Row, Sql, sql};

use super::{Books, marks, rows};
use crate::domain::ledger::{Entry, EntryKind, Posting};

/// The most postings an entry has; pages count on it.
const POSTINGS_MAX: u32 = 4;

/// The hash before the first position.
pub const GENESIS: [u8; 32] = [0; 32];

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The last position; 0 when nothing is sealed.
    pub position: i64,
    /// Its hash.
    pub hash: Vec<u8>,
    /// Its keyed hash; empty when it has none.
    pub keyed: Vec<u8>,
}

/// A link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// 1, 2, 3, …
    pub position: i64,
    /// The entry it seals.
    pub entry: String,
    /// The hash before.
    pub previous: Vec<u8>,
    /// SHA-256 over `previous` and the entry.
    pub hash: Vec<u8>,
    /// What the keyed chain says of it, where that was read.
    pub keyed: Option<Keyed>,
}

/// A link's place in the keyed chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The keyed hash as it is stored; empty when there is none.
    pub hash: Vec<u8>,
    /// Whether it follows from the one before and from the link.
    pub holds: bool,
}

/// An entry with its link, if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedEntry {
    /// The entry.
    pub entry: Entry,
    /// Its link; `None` in the unsealed tail.
    pub link: Option<Link>,
}

/// The unsealed tail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsealed {
    /// Entries in it.
    pub count: i64,
    /// When the oldest was booked.
    pub oldest: Option<Timestamp>,
}

/// Sums over all postings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerSums {
    /// Per account and currency.
    pub balances: BTreeMap<(String, Currency), i64>,
    /// Entries.
    pub entries: i64,
}

pub(super) fn push_entry(batch: &mut Batch, entry: &Entry) {
    let values = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; entry.postings.len()].join(", ");
    let mut statement = sql(format!(
        "INSERT INTO ledger_postings (entry_id, line, kind, payment_id, order_id, operation_id, account, currency, amount, \
         booked_at) VALUES {values}"
    ));
    for (line, posting) in (0_i64..).zip(&entry.postings) {
        statement = statement
            .bind(&entry.id)
            .bind(line)
            .bind(entry.kind.as_str())
            .bind(entry.payment)
            .bind(entry.order)
            .bind(&entry.operation)
            .bind(&posting.account)
            .bind(posting.amount.currency.code())
            .bind(posting.amount.minor)
            .bind(entry.time);
    }
    batch.push_expect(statement, entry.postings.len() as u64, "ledger");
    let text = "INSERT INTO ledger_unsealed (entry_id, booked_at) VALUES (?, ?)";
    batch.push_insert(sql(text).bind(&entry.id).bind(entry.time), "ledger");
}

impl Books {
    fn ledger(&self) -> &Sql {
        &self.sql
    }

    /// Entries that wait for the sealer, by id; at most `limit`, at most 1000.
    ///
    /// # Errors
    /// When the store fails, or a row is damaged.
    pub async fn unsealed(&self, limit: u32) -> Result<Vec<Entry>> {
        let ids = sql("SELECT entry_id FROM ledger_unsealed ORDER BY entry_id LIMIT ?").bind(limit);
        let ids = self.ledger().fetch(ids).await?;
        let ids = ids.iter().map(|row| row.text("entry_id")).collect::<Result<Vec<_>>>()?;
        let mut entries = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(super::CHUNK) {
            let marks = marks(chunk.len());
            let text =
                format!("SELECT * FROM ledger_postings WHERE entry_id IN ({marks}) ORDER BY entry_id, line");
            entries.extend(group(&self.ledger().fetch(sql(text).bind_all(chunk)).await?)?);
        }
        Ok(entries)
    }

    /// How long the tail is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tail(&self) -> Result<Unsealed> {
        let statement = sql("SELECT COUNT(*) AS n, MIN(booked_at) AS oldest FROM ledger_unsealed");
        let Some(row) = self.ledger().fetch_one(statement).await? else { return Ok(Unsealed::default()) };
        Ok(Unsealed { count: row.int("n")?, oldest: row.opt_timestamp("oldest")? })
    }

    /// The end of the chain.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn head(&self) -> Result<ChainHead> {
        let statement = sql("SELECT position, hash, keyed FROM ledger_chain ORDER BY position DESC LIMIT 1");
        match self.ledger().fetch_one(statement).await? {
            None => Ok(ChainHead { position: 0, hash: GENESIS.to_vec(), keyed: Vec::new() }),
            Some(row) => Ok(ChainHead {
                position: row.int("position")?,
                hash: row.blob("hash")?,
                keyed: row.opt_blob("keyed")?.unwrap_or_default(),
            }),
        }
    }

    /// Appends links to the chain and takes their entries off the tail. `false` when another sealer was faster: nothing
    /// is written then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn seal(&self, links: &[Link], lease: &Lease, now: Timestamp) -> Result<bool> {
        let mut batch = Batch::new();
        let mut keyed = self.head().await?.keyed;
        for chunk in links.chunks(super::CHUNK) {
            let values = vec!["(?, ?, ?, ?, ?, ?)"; chunk.len()].join(", ");
            let mut insert = sql(format!(
                "INSERT INTO ledger_chain (position, entry_id, previous, hash, sealed_at, keyed) VALUES {values}"
            ));
            for link in chunk {
                keyed = self.seals.link(&keyed, link, now);
                insert = insert
                    .bind(link.position)
                    .bind(&link.entry)
                    .bind(link.previous.as_slice())
                    .bind(link.hash.as_slice())
                    .bind(now)
                    .bind(keyed.as_slice());
            }
            batch.push_expect(insert, chunk.len() as u64, "chain");
            let delete = format!("DELETE FROM ledger_unsealed WHERE entry_id IN ({})", marks(chunk.len()));
            let delete = sql(delete).bind_all(chunk.iter().map(|link| &link.entry));
            batch.push_expect(delete, chunk.len() as u64, "tail");
        }
        batch.push_fence(lease);
        match self.ledger().commit(batch).await {
            Ok(_) => Ok(true),
            Err(CommitError::Unexpected { .. } | CommitError::Duplicate { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Entries after an id with their links, by id; at most `limit`. Whether more may follow.
    ///
    /// # Errors
    /// When the store fails, or a row is damaged.
    pub async fn entries(&self, after: &str, limit: u32) -> Result<(Vec<SealedEntry>, bool)> {
        let rows_max = limit.saturating_add(1) * POSTINGS_MAX;
        let text = "SELECT p.*, c.position, c.previous, c.hash, c.keyed, c.sealed_at, b.keyed AS keyed_before \
                    FROM ledger_postings p LEFT JOIN ledger_chain c ON c.entry_id = p.entry_id \
                    LEFT JOIN ledger_chain b ON b.position = c.position - 1 \
                    WHERE p.entry_id > ? ORDER BY p.entry_id, p.line LIMIT ?";
        let rows = self.ledger().fetch(sql(text).bind(after).bind(rows_max)).await?;
        let mut entries = group(&rows)?;
        let cut = rows.len() as u64 >= u64::from(rows_max);
        if cut {
            entries.pop();
        }
        let more = cut || entries.len() > limit as usize;
        entries.truncate(limit as usize);
        let mut links = BTreeMap::new();
        for row in &rows {
            if let Some(position) = row.opt_int("position")? {
                let entry = row.text("entry_id")?;
                if links.contains_key(&entry) {
                    continue;
                }
                let link = Link {
                    position,
                    previous: row.blob("previous")?,
                    hash: row.blob("hash")?,
                    entry: entry.clone(),
                    keyed: None,
                };
                let before = row.opt_blob("keyed_before")?.unwrap_or_default();
                let hash = row.opt_blob("keyed")?.unwrap_or_default();
                let holds = self.seals.link(&before, &link, row.timestamp("sealed_at")?) == hash;
                links.insert(entry, Link { keyed: Some(Keyed { hash, holds }), ..link });
            }
        }
        let sealed =
            entries.into_iter().map(|entry| SealedEntry { link: links.remove(&entry.id), entry }).collect();
        Ok((sealed, more))
    }

    /// Sums over all postings.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sums(&self) -> Result<LedgerSums> {
        let mut sums = LedgerSums::default();
        let text =
            "SELECT account, currency, SUM(amount) AS amount FROM ledger_postings GROUP BY account, currency";
        for row in &self.ledger().fetch(sql(text)).await? {
            let balance = rows::money(row)?;
            sums.balances.insert((row.text("account")?, balance.currency), balance.minor);
        }
        let statement = sql("SELECT COUNT(DISTINCT entry_id) AS n FROM ledger_postings");
        sums.entries = self.ledger().fetch_one(statement).await?.map_or(Ok(0), |row| row.int("n"))?;
        Ok(sums)
    }

    /// Links in the chain, and the position of the first that does not follow from the one before; 0 when all do.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn chain(&self) -> Result<(i64, i64)> {
        let count = sql("SELECT COUNT(*) AS n FROM ledger_chain");
        let count = self.ledger().fetch_one(count).await?.map_or(Ok(0), |row| row.int("n"))?;
        let text = "SELECT MIN(c.position) AS position FROM ledger_chain c \
                    LEFT JOIN ledger_chain b ON b.position = c.position - 1 \
                    WHERE (c.position = 1 AND c.previous <> ?) OR (c.position <> 1 AND (b.hash IS NULL OR b.hash <> c.previous))";
        let broken = self.ledger().fetch_one(sql(text).bind(GENESIS)).await?;
        let broken = broken.map_or(Ok(None), |row| row.opt_int("position"))?;
        Ok((count, broken.unwrap_or(0)))
    }
}

/// Rows by (entry, line) to entries.
fn group(rows: &[Row]) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for row in rows {
        let id = row.str("entry_id")?;
        let posting = Posting { account: row.text("account")?, amount: rows::money(row)? };
        match entries.last_mut() {
            Some(entry) if entry.id == id => entry.postings.push(posting),
            _ => entries.push(Entry {
                id: id.to_owned(),
                kind: EntryKind::parse(row.str("kind")?)
                    .map_err(|error| Error::internal(format!("{id}: {error:?}")))?,
                payment: row.id("payment_id")?,
                order: row.id("order_id")?,
                operation: row.text("operation_id")?,
                time: row.timestamp("booked_at")?,
                postings: vec![posting],
            }),
        }
    }
    Ok(entries)
}

impl LedgerSums {
    /// Per currency over all accounts: zero each, or the books are damaged.
    #[must_use]
    pub fn per_currency(&self) -> Vec<Money> {
        let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
        for ((_, currency), balance) in &self.balances {
            let sum = sums.entry(*currency).or_insert(0);
            *sum = sum.saturating_add(*balance);
        }
        sums.into_iter().map(|(currency, minor)| Money::new(minor, currency)).collect()
    }
}
