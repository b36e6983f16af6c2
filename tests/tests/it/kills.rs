//! The placing saga is killed at every point of every step, and comes to the same books.

use std::collections::BTreeMap;
use std::time::Duration;

use chassis::Options;
use contract::souk::order::v1::order_service_client::OrderServiceClient;
use contract::souk::order::v1::{CancelOrderRequest, OrderState};
use contract::souk::payment::v1::ListPaymentsRequest;
use contract::souk::payment::v1::payment_service_client::PaymentServiceClient;
use contract::souk::testpay::v1::testpay_service_client::TestpayServiceClient;
use contract::souk::testpay::v1::{
    ChallengeOutcome, CompleteChallengeRequest, ListAuthorizationsRequest, ListCapturesRequest,
    ListRefundsRequest,
};
use tests::World;

/// What is left when an order has come to rest.
#[derive(Debug, PartialEq, Eq)]
struct Books {
    state: OrderState,
    invoiced: bool,
    units: (i64, i64, i64, i64),
    /// Captured and refunded, by payment's own word.
    paid: Vec<(i64, i64)>,
    /// Authorizations, captures and refunds, by the provider's word.
    provider: (usize, usize, usize),
}

async fn books(world: &World, order_id: &str) -> Books {
    let operator = world.operator();
    let order = operator.sees(order_id).await.expect("the order is there");
    let units = world.units().await;
    let mut payments = operator.client("payment", PaymentServiceClient::new);
    let listed = payments
        .list_payments(ListPaymentsRequest { order_id: order_id.to_owned() })
        .await
        .expect("payments")
        .into_inner();
    let minor = |money: Option<contract::souk::r#type::v1::Money>| money.map_or(0, |money| money.minor_units);
    let mut testpay = operator.client("payment", TestpayServiceClient::new);
    let authorizations =
        testpay.list_authorizations(ListAuthorizationsRequest::default()).await.expect("listed").into_inner();
    let captures = testpay.list_captures(ListCapturesRequest::default()).await.expect("listed").into_inner();
    let refunds = testpay.list_refunds(ListRefundsRequest::default()).await.expect("listed").into_inner();
    Books {
        state: order.state(),
        invoiced: !order.invoice_number.is_empty(),
        units: (units.received, units.sold - units.returned, units.on_hand, units.held),
        paid: listed
            .payments
            .into_iter()
            .map(|payment| (minor(payment.captured), minor(payment.refunded)))
            .collect(),
        provider: (authorizations.authorizations.len(), captures.captures.len(), refunds.refunds.len()),
    }
}

/// Waits, on virtual time, until nothing is due any more.
async fn settles(world: &World) {
    world.passes(Duration::from_secs(120)).await;
}

/// One way through the saga; returns the order's id.
#[derive(Clone, Copy, Debug)]
enum Story {
    Bought,
    Declined,
    Challenged,
    ChallengeFailed,
    Cancelled,
}

impl Story {
    async fn plays(self, world: &World) -> String {
        world.sells("bowl", 1250, 5).await;
        let buyer = world.customer(1);
        let card = match self {
            Self::Bought | Self::Cancelled => "pm_card_visa",
            Self::Declined => "pm_card_chargeDeclined",
            Self::Challenged | Self::ChallengeFailed => "pm_card_authenticationRequired",
        };
        let order_id = match buyer.buys("bowl", 2, card).await {
            Ok(order) => order.id,
            Err(error) => {
                error.metadata().get("order_id").cloned().unwrap_or_else(|| panic!("no order: {error:?}"))
            }
        };
        match self {
            Self::Bought | Self::Declined => {}
            Self::Challenged => challenge(world, &order_id, ChallengeOutcome::Approve).await,
            Self::ChallengeFailed => challenge(world, &order_id, ChallengeOutcome::Fail).await,
            Self::Cancelled => {
                settles(world).await;
                let request = CancelOrderRequest {
                    request_id: world.request_id(),
                    order_id: order_id.clone(),
                    note: "changed my mind".into(),
                };
                buyer
                    .client("order", OrderServiceClient::new)
                    .cancel_order(request)
                    .await
                    .expect("cancelled, or being cancelled");
            }
        }
        settles(world).await;
        order_id
    }
}

async fn challenge(world: &World, order_id: &str, outcome: ChallengeOutcome) {
    let mut waited = 0;
    let token = loop {
        let order = world.customer(1).sees(order_id).await.expect("the order is there");
        if let Some(action) = order.next_action {
            break action.challenge_id;
        }
        waited += 1;
        assert!(waited < 600, "the order never asked for the challenge: {:?}", order.state());
        world.passes(Duration::from_millis(200)).await;
    };
    let request = CompleteChallengeRequest {
        request_id: world.request_id(),
        challenge_token: token,
        outcome: outcome.into(),
    };
    world
        .guest(9)
        .client("payment", TestpayServiceClient::new)
        .complete_challenge(request)
        .await
        .expect("completed");
}

async fn killed_everywhere(story: Story) {
    let undisturbed = {
        let world = World::start(100).await;
        let order_id = story.plays(&world).await;
        books(&world, &order_id).await
    };
    let mut passed: BTreeMap<&str, u64> = BTreeMap::new();
    for (number, point) in svc_order::FAULT_POINTS.iter().enumerate() {
        for times in [1, 3] {
            let world = World::start(101 + number as u64).await;
            world.faults().kill_at(point, times);
            let order_id = story.plays(&world).await;
            let found = books(&world, &order_id).await;
            assert_eq!(found, undisturbed, "{story:?} killed {times} times at {point}");
            *passed.entry(point).or_default() += world.faults().killed(point);
        }
    }
    let reached = passed.values().filter(|kills| **kills > 0).count();
    assert!(reached >= 6, "{story:?} was killed at {reached} points only: {passed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_purchase_survives() {
    killed_everywhere(Story::Bought).await;
}

#[tokio::test(start_paused = true)]
async fn a_decline_survives() {
    killed_everywhere(Story::Declined).await;
}

#[tokio::test(start_paused = true)]
async fn a_challenge_survives() {
    killed_everywhere(Story::Challenged).await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_challenge_survives() {
    killed_everywhere(Story::ChallengeFailed).await;
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_survives() {
    killed_everywhere(Story::Cancelled).await;
}

/// The shop is down for longer than a hold lasts, and for less than the buyer may take: the units are still there.
#[tokio::test]
async fn a_challenge_outlives_a_stop_that_is_longer_than_its_hold() {
    let scratch = tempfile::tempdir().expect("a directory");
    let data = format!("dir:{}", scratch.path().display());
    let order_id = {
        let world = World::start_at(&data, 140).await;
        world.sells("bowl", 1250, 5).await;
        let order =
            world.customer(1).buys("bowl", 1, "pm_card_authenticationRequired").await.expect("placed");
        assert_eq!(order.state(), OrderState::ActionRequired);
        world.running().stop(Duration::from_secs(5)).await;
        order.id
    };
    let world = World::start_ahead(Options::new(&data), 141, 1_000).await;
    // Longer than the pause between two sweeps of holds.
    world.passes(Duration::from_secs(3)).await;
    challenge(&world, &order_id, ChallengeOutcome::Approve).await;
    let mut waited = 0;
    while world.customer(1).sees(&order_id).await.expect("seen").state() == OrderState::ActionRequired {
        waited += 1;
        assert!(waited < 100, "the order never heard of its challenge");
        world.passes(Duration::from_millis(200)).await;
    }
    let found = books(&world, &order_id).await;
    assert_eq!((found.state, found.units), (OrderState::Confirmed, (5, 1, 4, 0)));
    world.running().stop(Duration::from_secs(5)).await;
}
