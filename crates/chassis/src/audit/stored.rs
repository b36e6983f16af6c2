//! What every database has: remembered answers, positions and events set aside, documents.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::{Clock, Result};
use store::{Database, Document, Inspector, RequestId, StoredDocument, StoredRequest};

use super::{Examine, Examined, last_of_full_page};

/// The furthest ahead that an answer may be forgotten: the longest that any role remembers one is 30 days, and a clock that was
/// ahead by years when it was written is not damaged.
const REMEMBERED_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// Longest idempotency key, in bytes; keys of the house's own steps append to a caller's.
const REQUEST_ID_BYTES_MAX: usize = 512;
/// Bytes of a SHA-256.
const FINGERPRINT_BYTES: usize = 32;

/// The remembered answers of a role.
pub(super) struct RequestRows {
    rows: Inspector,
    clock: Arc<dyn Clock>,
}

impl RequestRows {
    pub(super) fn new(database: &Database, clock: &Arc<dyn Clock>) -> Self {
        Self { rows: database.inspect(), clock: Arc::clone(clock) }
    }

    fn check(&self, request: &StoredRequest, examined: &mut Examined) {
        let RequestId { principal, method, id } = &request.key;
        let row = format!("remembered answer, {principal} {method} {id}");
        let visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let good = visible(id) && id.len() <= REQUEST_ID_BYTES_MAX;
        examined.expects(good, &row, "an idempotency key of visible ASCII characters", id);
        examined.expects(visible(principal), &row, "a principal", principal);
        examined.expects(visible(method), &row, "a method", method);
        let bytes = request.fingerprint.len();
        let whole = bytes == FINGERPRINT_BYTES;
        examined.expects(whole, &row, "a fingerprint of 32 bytes", format!("{bytes} bytes"));
        let latest = self.clock.now().plus(REMEMBERED_MAX);
        let expires = request.expires_at;
        examined.expects(
            expires <= latest,
            &row,
            format!("expires by {latest}"),
            format!("expires at {expires}"),
        );
        examined.expects(expires.micros() > 0, &row, "a time at which it expires", expires);
    }
}

#[async_trait]
impl Examine for RequestRows {
    fn table(&self) -> &'static str {
        "remembered answers"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let after = match after {
            Some(after) => {
                let key: (String, String, String) =
                    serde_json::from_str(after).map_err(kernel::Error::internal)?;
                RequestId { principal: key.0, method: key.1, id: key.2 }
            }
            None => RequestId::default(),
        };
        let requests = self.rows.requests(&after, limit).await?;
        let mut examined = Examined { rows: requests.len(), ..Examined::default() };
        for request in &requests {
            self.check(request, &mut examined);
        }
        let last = last_of_full_page(&requests, limit)
            .map(|last| serde_json::to_string(&(&last.key.principal, &last.key.method, &last.key.id)));
        examined.next = last.transpose().map_err(kernel::Error::internal)?;
        Ok(examined)
    }
}

/// A consumer of a role: whose events it reads, and under which name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConsumerName {
    pub(super) source: &'static str,
    pub(super) name: &'static str,
}

/// Positions of a role's consumers, and the events that they set aside.
pub(super) struct ConsumerRows {
    rows: Inspector,
    consumers: Vec<ConsumerName>,
}

impl ConsumerRows {
    pub(super) fn new(database: &Database, consumers: Vec<ConsumerName>) -> Self {
        Self { rows: database.inspect(), consumers }
    }

    fn knows(&self, source: &str, name: &str) -> bool {
        self.consumers.iter().any(|consumer| consumer.source == source && consumer.name == name)
    }
}

#[async_trait]
impl Examine for ConsumerRows {
    fn table(&self) -> &'static str {
        "consumers"
    }

    async fn page(&self, _: Option<&str>, _: u32) -> Result<Examined> {
        let (positions, parked) = (self.rows.positions().await?, self.rows.parked().await?);
        let mut examined = Examined { rows: positions.len() + parked.len(), ..Examined::default() };
        for stored in positions {
            let row = format!("position of {} in {}", stored.consumer, stored.source);
            let known = self.knows(&stored.source, &stored.consumer);
            examined.expects(known, &row, "a consumer of this role", "no such consumer");
            let at = stored.position;
            let good = at.epoch >= 0 && at.sequence >= 0;
            examined.expects(good, &row, "a position from 0", format!("{}/{}", at.epoch, at.sequence));
        }
        for event in parked {
            let row = format!(
                "event {} of {}, set aside by {}",
                event.position.sequence, event.source, event.consumer
            );
            examined.finds(row, "no event set aside", format!("{}: {}", event.aggregate_id, event.reason));
        }
        Ok(examined)
    }
}

/// What is wrong with a document in itself: it reads, its version is from 1, its index columns hold what it says. Its value,
/// when it reads.
pub fn check_document<'a, T: Document>(
    row: &str,
    stored: &'a StoredDocument<T>,
    examined: &mut Examined,
) -> Option<&'a T> {
    examined.rows += 1;
    examined.expects(stored.version > 0, row, "a version from 1", stored.version);
    for (index, expected, found) in &stored.wrong_keys {
        examined.finds(row, format!("{expected:?} in the index {index}"), format!("{found:?}"));
    }
    match &stored.value {
        Ok(value) => Some(value),
        Err(problem) => {
            examined.finds(row, "a document that reads", problem.clone());
            None
        }
    }
}
