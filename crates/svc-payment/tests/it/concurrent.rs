use contract::souk::payment::v1::*;
use proptest::prelude::*;

use crate::shop::{Shop, gbp, minor, reason};

/// Calls at once: how many were taken, and the reasons of the others.
async fn at_once<T, F: Future<Output = Result<T, tonic::Status>>>(calls: Vec<F>) -> (usize, Vec<String>) {
    let mut taken = 0;
    let mut refused = Vec::new();
    for done in futures_util::future::join_all(calls).await {
        match done {
            Ok(_) => taken += 1,
            Err(status) => refused.push(reason(&status)),
        }
    }
    (taken, refused)
}

#[tokio::test(start_paused = true)]
async fn captures_at_once_stop_at_the_authorization() {
    let shop = Shop::open().await;
    let id = shop.authorized(1_000, "pm_card_visa").await.id;
    let keys: Vec<_> = (0..64).map(|key| format!("k{key}")).collect();
    let (taken, refused) = at_once(keys.iter().map(|key| shop.capture(&id, key, gbp(150))).collect()).await;
    assert_eq!(taken, 6, "6 × 150 fit into 1000");
    assert!(refused.iter().all(|reason| reason == "CAPTURE_EXCEEDS_AUTHORIZED"), "{refused:?}");
    assert_eq!(minor(&shop.payment(&id).await.captured), 900);
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn refunds_at_once_stop_at_what_was_captured() {
    let shop = Shop::open().await;
    let id = shop.captured(1_000, "pm_card_slow").await.id;
    let keys: Vec<_> = (0..48).map(|key| format!("k{key}")).collect();
    let (taken, refused) = at_once(keys.iter().map(|key| shop.refund(&id, key, gbp(400))).collect()).await;
    assert_eq!(taken, 2);
    assert!(refused.iter().all(|reason| reason == "REFUND_EXCEEDS_CAPTURED"), "{refused:?}");
    assert_eq!(minor(&shop.payment(&id).await.refunded), 800);
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_call_from_many_is_one() {
    let shop = Shop::open().await;
    let order = shop.order();
    let answers =
        futures_util::future::join_all((0..32).map(|_| shop.authorize(order, 500, "pm_card_slow"))).await;
    assert!(answers.iter().all(|answer| answer.status() == AuthorizationStatus::Authorized));
    let id = &answers[0].payment.as_ref().expect("a payment").id;
    let captures = futures_util::future::join_all((0..32).map(|_| shop.capture(id, "same", None))).await;
    let ids: std::collections::BTreeSet<_> =
        captures.into_iter().map(|done| done.expect("captured").capture.expect("a capture").id).collect();
    assert_eq!(ids.len(), 1);
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn a_capture_and_a_void_at_once_do_not_both_happen() {
    for wait in 0..6_u64 {
        let shop = Shop::open().await;
        let order = shop.order();
        let id = shop.authorize(order, 500, "pm_card_visa").await.payment.expect("a payment").id;
        let (captured, voided) = tokio::join!(shop.capture(&id, "1", None), async {
            if wait % 2 == 1 {
                tokio::task::yield_now().await;
            }
            shop.void(order, 500, "1").await
        });
        assert!(captured.is_ok() != voided.is_ok(), "{captured:?} {voided:?}");
        shop.prove().await;
    }
}

/// What a random run does to a payment.
#[derive(Clone, Debug)]
enum Act {
    Capture(i64),
    Refund(i64),
    Void,
    Wait(u64),
}

fn acts() -> impl Strategy<Value = (usize, Act)> {
    let act = prop_oneof![
        4 => (1_i64..600).prop_map(Act::Capture),
        4 => (1_i64..600).prop_map(Act::Refund),
        1 => Just(Act::Void),
        1 => (0_u64..1_500).prop_map(Act::Wait),
    ];
    (0_usize..4, act)
}

const METHODS: [&str; 4] =
    ["pm_card_visa", "pm_card_lostAnswer", "pm_card_repeatedWebhook", "pm_card_pendingRefund"];

async fn run(acts: Vec<(usize, Act)>) {
    let shop = Shop::open().await;
    let orders: Vec<_> = METHODS.iter().map(|_| shop.order()).collect();
    let mut ids = Vec::new();
    for (order, method) in orders.iter().zip(METHODS) {
        ids.push(shop.authorize(*order, 1_000, method).await.payment.expect("a payment").id);
    }
    shop.wait(3_000).await;
    let calls = acts.into_iter().enumerate().map(|(at, (which, act))| {
        let (shop, id, order) = (&shop, &ids[which], orders[which]);
        async move {
            let key = format!("a{at}");
            let refused = match act {
                Act::Capture(minor) => shop.capture(id, &key, gbp(minor)).await.err(),
                Act::Refund(minor) => shop.refund(id, &key, gbp(minor)).await.err(),
                Act::Void => shop.void(order, 1_000, &key).await.err(),
                Act::Wait(millis) => {
                    shop.wait(millis).await;
                    None
                }
            };
            if let Some(status) = refused {
                let known = ["PAYMENT_STATE", "CAPTURE_EXCEEDS_AUTHORIZED", "REFUND_EXCEEDS_CAPTURED"];
                assert!(known.contains(&reason(&status).as_str()), "{status:?}");
            }
        }
    });
    let mut calls: Vec<_> = calls.collect();
    // A third at once, and then the others three by three, so that both kinds of meeting happen.
    let others = calls.split_off(calls.len() / 3);
    futures_util::future::join_all(calls).await;
    let mut others = others.into_iter();
    loop {
        let some: Vec<_> = others.by_ref().take(3).collect();
        if some.is_empty() {
            break;
        }
        futures_util::future::join_all(some).await;
    }
    shop.wait(10_000).await;
    shop.prove().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn caps_and_books_hold_under_any_interleaving(acts in prop::collection::vec(acts(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        runtime.block_on(run(acts));
    }
}
