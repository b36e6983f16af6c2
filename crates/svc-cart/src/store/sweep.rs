//! Old guests' carts.

use kernel::{Result, Timestamp};
use store::{CommitError, List, Put};

use super::{Carts, EXPIRES_ON, Head};
use crate::domain::CartState;

/// Carts read in one query.
const PAGE: u32 = 200;
/// Queries of one run; what is left is found by the next.
const PAGES_MAX: usize = 50;

impl Carts {
    /// Drops guests' carts whose time is over; says how many.
    pub async fn drop_expired(&self, now: Timestamp) -> Result<u64> {
        let (mut after, mut dropped) = (None, 0);
        for _ in 0..PAGES_MAX {
            let page =
                self.docs.list(List { index: Some(EXPIRES_ON), equals: None, after, limit: PAGE }).await?;
            let mut young = false;
            for found in page.items {
                let over = found.value.expires.is_some_and(|expires| expires <= now);
                young |= !over;
                if !over || matches!(found.value.state, CartState::Merging { .. }) {
                    continue;
                }
                let gone = Head {
                    lines: 0,
                    quantity: 0,
                    digest: super::GONE,
                    ..Head::of(&found.value, found.version + 1)
                };
                let delete = Put::delete(found.id.clone(), found.version).event((self.announce)(&gone));
                match self.docs.put(delete).await {
                    Ok(_) => dropped += 1,
                    // Its owner came back just now.
                    Err(CommitError::Unexpected { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            after = page.next;
            if young || after.is_none() {
                break;
            }
        }
        Ok(dropped)
    }
}
