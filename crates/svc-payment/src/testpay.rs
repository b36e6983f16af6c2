//! testpay: a payment provider for trying things out, with a database of its own.
//!
//! It behaves as real ones do, by token (see [`cards`]): it declines, asks for 3-D Secure, is slow, loses its answers,
//! sends its webhooks late and more than once. It knows each request by its idempotency key and does it once, survives
//! kills since everything is in its books before it answers, and shares nothing with payment but the
//! [`Provider`](crate::provider::Provider) trait and signed webhooks.

pub mod api;
mod audit;
mod books;
pub mod cards;
mod deliver;
mod news;
mod provider;

use std::sync::Arc;

use chassis::{Context, Secret};
use store::{Database, Migration};
use tokio::sync::Notify;

use self::books::Books;
pub use self::deliver::{Deliver, Sink};

/// Its tables, in the order they were added.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "0001_books", sql: include_str!("../migrations/testpay_0001_books.sql") }];

/// Its name.
pub const NAME: &str = "testpay";

kernel::ids! {
    /// Kind of an authorization at testpay.
    Authorization => AuthorizationId, "tpa";
    /// Kind of a capture at testpay.
    Capture => CaptureId, "tpc";
    /// Kind of a refund at testpay.
    TestRefund => TestRefundId, "tpr";
    /// Kind of an event of testpay.
    News => NewsId, "tpe";
}

/// The provider. Cheap to clone.
#[derive(Clone)]
pub struct Testpay {
    ctx: Context,
    books: Books,
    secret: Secret,
    /// Wakes the delivery of webhooks.
    wake: Arc<Notify>,
}

impl Testpay {
    /// The provider on its database; `secret` signs its webhooks.
    #[must_use]
    pub fn new(ctx: Context, database: &Database, secret: Secret) -> Self {
        audit::tables(&Books::new(database)).into_iter().for_each(|table| ctx.examine(table));
        Self { ctx, books: Books::new(database), secret, wake: Arc::default() }
    }
}
