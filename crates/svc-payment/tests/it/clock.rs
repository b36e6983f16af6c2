//! The wall clock is set back a year: what waits does not wait until then.

use contract::souk::payment::v1::OperationState;

use crate::shop::{Shop, gbp, minor};

/// A new setting of the clock is believed after a minute.
const BELIEVED_MS: u64 = 70_000;

#[tokio::test(start_paused = true)]
async fn a_refund_that_began_a_year_ahead_settles_now() {
    let shop = Shop::open().await;
    let payment = shop.captured(5_000, "pm_card_pendingRefund").await;
    shop.harness.system_clock().set_ahead(365 * 86_400);
    shop.wait(BELIEVED_MS).await;
    let refund = shop.refund(&payment.id, "r", gbp(2_000)).await.expect("taken").refund.expect("a refund");
    assert_eq!(refund.state(), OperationState::Pending);
    shop.harness.system_clock().set_ahead(0);
    shop.wait(BELIEVED_MS + 5_000).await;
    assert_eq!(minor(&shop.payment(&payment.id).await.refunded), 2_000);
}
