//! How the ledger stands: its sums, and whether its chain holds together.
//!
//! The ledger only grows, so what was read once is summed up here, up to a position of the chain, and a call reads what came after
//! it. Whoever must know that nothing was changed since asks for everything anew.

use std::sync::Arc;

use contract::souk::payment::v1;
use contract::wire;
use kernel::{Currency, Money, Result};
use tokio::sync::Mutex;

use crate::store::{Books, GENESIS, LedgerSums, Link};

/// Links that are read at once.
const PAGE: u32 = 500;
/// How often, at most, one call follows the chain that grows while it reads.
const GROWN_MAX: u32 = 5;

/// How the ledger stood when it was last read. Cheap to clone.
#[derive(Clone, Default)]
pub struct Standing(Arc<Mutex<Read>>);

/// What was read of the chain, from its beginning.
struct Read {
    position: i64,
    hash: Vec<u8>,
    sums: LedgerSums,
}

impl Default for Read {
    fn default() -> Self {
        Self { position: 0, hash: GENESIS.to_vec(), sums: LedgerSums::default() }
    }
}

impl Read {
    /// Whether a link is the next one, and follows.
    fn goes_on_with(&self, link: &Link) -> bool {
        link.position == self.position + 1 && link.previous == self.hash
    }

    /// Reads on to the end of the chain. `false` when a link does not follow. What was read stays read when the caller gives up.
    async fn go_on(&mut self, books: &Books) -> Result<bool> {
        loop {
            let end = books.head().await?.position;
            if end <= self.position {
                return Ok(end == self.position);
            }
            let links = books.sealed_after(self.position, PAGE).await?;
            if links.is_empty() {
                return Ok(false);
            }
            for (link, postings) in &links {
                if !self.goes_on_with(link) {
                    return Ok(false);
                }
                (self.position, self.hash) = (link.position, link.hash.clone());
                postings.iter().for_each(|posting| self.sums.add(posting));
                self.sums.entries += i64::from(!postings.is_empty());
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Standing {
    /// How the ledger stands now. `read_all` reads every row anew, in time in proportion to the ledger.
    ///
    /// # Errors
    /// When the store fails, or a row is damaged.
    pub async fn read(&self, books: &Books, read_all: bool) -> Result<v1::GetLedgerStatusResponse> {
        if !read_all && let Some((sums, sealed)) = self.read_on(books).await? {
            return answer(books, &sums, sealed, 0).await;
        }
        let sums = books.sums().await?;
        let (sealed, broken) = books.chain().await?;
        answer(books, &sums, sealed, broken).await
    }

    /// Sums and links by what was read before; `None` when the chain does not hold together.
    async fn read_on(&self, books: &Books) -> Result<Option<(LedgerSums, i64)>> {
        let mut read = self.0.lock().await;
        for _ in 0..GROWN_MAX {
            let before = read.position;
            let tail = books.unsealed_sums().await?;
            if !read.go_on(books).await? {
                // The seals are judged by whoever reads all, and from the beginning the next time.
                *read = Read::default();
                return Ok(None);
            }
            if read.position == before {
                return Ok(Some((read.sums.clone().plus(&tail), read.position)));
            }
        }
        Ok(None)
    }
}

async fn answer(
    books: &Books,
    sums: &LedgerSums,
    sealed: i64,
    broken_position: i64,
) -> Result<v1::GetLedgerStatusResponse> {
    let (tail, head) = (books.tail().await?, books.head().await?);
    let balance = |((account, currency), minor): (&(String, Currency), &i64)| v1::AccountBalance {
        account: account.clone(),
        balance: Some(wire::money(Money::new(*minor, *currency))),
    };
    Ok(v1::GetLedgerStatusResponse {
        sums: sums.per_currency().into_iter().map(wire::money).collect(),
        balances: sums.balances.iter().map(balance).collect(),
        entries: sums.entries,
        sealed,
        unsealed: tail.count,
        head_hash: head.hash,
        head_position: head.position,
        keyed_head_hash: head.keyed,
        oldest_unsealed_time: tail.oldest.map(wire::timestamp),
        broken_position,
    })
}
