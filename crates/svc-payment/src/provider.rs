//! What a payment provider is to this service: a trait that Stripe fits as well as testpay.
//!
//! A provider is told each thing under an idempotency key of ours, and can be asked by that key what became of it. That is
//! how an outcome that was lost on the way is found again: by asking, never by telling it a second time.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Money, PaymentId, Result, Timestamp};

use crate::domain::{AuthorizationOutcome, OperationKind, OperationOutcome, PaymentMethod};

/// The provider did not answer, or not in a way that says what it did. Whether it did it is not known.
#[derive(Debug)]
pub struct NoAnswer {
    /// What was seen, for the log.
    pub seen: String,
}

impl NoAnswer {
    /// With what was seen.
    #[must_use]
    pub fn new(seen: impl Into<String>) -> Self {
        Self { seen: seen.into() }
    }
}

/// Asks to reserve money.
pub struct Authorize {
    /// Idempotency key.
    pub key: String,
    /// Our name for it, which the provider keeps with it and sends back in webhooks.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// The payer's method.
    pub method: PaymentMethod,
}

/// Asks to capture, void or refund.
#[derive(Clone, Debug)]
pub struct Operate {
    /// What to do.
    pub kind: OperationKind,
    /// Idempotency key.
    pub key: String,
    /// Our name of the payment.
    pub payment: PaymentId,
    /// The provider's name of the authorization.
    pub target: String,
    /// How much; for a void what was authorized.
    pub amount: Money,
}

/// Something that a provider says by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEvent {
    /// The provider's id of the event: the same in every delivery of it.
    pub id: String,
    /// What it is about.
    pub news: News,
}

/// What a webhook may be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// An authorization.
    Authorization {
        /// The key that we gave.
        key: String,
        /// How it stands.
        outcome: AuthorizationOutcome,
    },
    /// A capture, void or refund.
    Operation {
        /// The key that we gave.
        key: String,
        /// How it stands.
        outcome: OperationOutcome,
    },
    /// Nothing that we know; taken and left alone.
    Other,
}

/// A payment provider.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Its name in rows, accounts and webhooks.
    fn name(&self) -> &'static str;

    /// Reserves money.
    ///
    /// # Errors
    /// [`NoAnswer`]: it may have done it.
    async fn authorize(&self, authorize: Authorize) -> Result<AuthorizationOutcome, NoAnswer>;

    /// Captures, voids or refunds.
    ///
    /// # Errors
    /// [`NoAnswer`]: it may have done it.
    async fn operate(&self, operate: Operate) -> Result<OperationOutcome, NoAnswer>;

    /// How the authorization with this key stands; `None` when the provider never received it.
    ///
    /// # Errors
    /// [`NoAnswer`]: still not known.
    async fn find_authorization(&self, key: &str) -> Result<Option<AuthorizationOutcome>, NoAnswer>;

    /// How the operation with this key stands; `None` when the provider never received it.
    ///
    /// # Errors
    /// [`NoAnswer`]: still not known.
    async fn find_operation(&self, operate: &Operate) -> Result<Option<OperationOutcome>, NoAnswer>;

    /// Checks a webhook's signature and reads it.
    ///
    /// # Errors
    /// `INVALID_SIGNATURE`, `SIGNATURE_TOO_OLD`, `INVALID_WEBHOOK`.
    fn read_webhook(&self, body: &[u8], signature: &str, now: Timestamp) -> Result<Vec<WebhookEvent>>;
}

/// The providers that there are, by name.
#[derive(Clone)]
pub struct Providers {
    usual: Arc<dyn Provider>,
}

impl Providers {
    /// One provider, which new payments use.
    #[must_use]
    pub fn new(usual: Arc<dyn Provider>) -> Self {
        Self { usual }
    }

    /// The one that new payments use.
    #[must_use]
    pub fn usual(&self) -> &Arc<dyn Provider> {
        &self.usual
    }

    /// The one of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        Some(&self.usual).filter(|provider| provider.name() == name)
    }
}
