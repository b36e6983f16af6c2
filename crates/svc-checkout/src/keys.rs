//! The keys of this house that sign quotes, derived once a period.

use std::sync::Arc;

use chassis::Secret;
use kernel::Timestamp;
use parking_lot::Mutex;

use crate::token::{self, QuoteKey};

/// Holds the secret that all keys come from.
pub(crate) struct Keys {
    secret: Secret,
    current: Mutex<Option<Arc<QuoteKey>>>,
}

impl Keys {
    pub(crate) fn new(secret: Secret) -> Self {
        Self { secret, current: Mutex::new(None) }
    }

    /// The key that signs at a time.
    pub(crate) fn signing(&self, now: Timestamp) -> Arc<QuoteKey> {
        let mut current = self.current.lock();
        match &*current {
            Some(key) if key.not_before <= now && now < key.not_after => key.clone(),
            _ => {
                let key = Arc::new(QuoteKey::derive(self.secret.bytes(), now));
                *current = Some(key.clone());
                key
            }
        }
    }

    /// The keys that are published at a time.
    pub(crate) fn published(&self, now: Timestamp) -> [QuoteKey; 3] {
        token::published(self.secret.bytes(), now)
    }
}
