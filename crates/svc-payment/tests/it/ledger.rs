use contract::souk::payment::v1::*;
use sha2::{Digest, Sha256};

use crate::shop::{Shop, gbp, minor};

#[tokio::test(start_paused = true)]
async fn every_movement_is_booked_twice_and_sealed_into_one_chain() {
    let shop = Shop::open().await;
    for at in 1..=12_i64 {
        let id = shop.captured(at * 100, "pm_card_visa").await.id;
        if at % 3 == 0 {
            shop.refund(&id, "1", gbp(at * 10)).await.expect("refunded");
        }
    }
    shop.prove().await;
    let entries = shop.entries().await;
    assert_eq!(entries.len(), 16);
    let mut seals: Vec<LedgerSeal> = Vec::new();
    for entry in entries {
        assert_eq!(entry.postings.iter().map(|posting| minor(&posting.amount)).sum::<i64>(), 0);
        assert!(entry.postings.len() >= 2);
        assert_ne!(entry.kind(), LedgerEntryKind::Unspecified);
        let seal = entry.seal.expect("sealed");
        assert_eq!(seal.hash, seal.computed_hash);
        seals.push(seal);
    }
    seals.sort_by_key(|seal| seal.position);
    let mut previous = vec![0; 32];
    for (position, seal) in (1_i64..).zip(&seals) {
        assert_eq!((seal.position, &seal.previous_hash), (position, &previous));
        previous.clone_from(&seal.hash);
    }
    let status =
        shop.as_staff().get_ledger_status(GetLedgerStatusRequest {}).await.expect("a status").into_inner();
    assert_eq!((status.sealed, status.head_hash), (16, previous));
    assert_eq!(status.oldest_unsealed_time, None);
}

/// The chain can be checked by anybody who has the entries and the description in the contract.
#[tokio::test(start_paused = true)]
async fn the_hash_of_an_entry_can_be_computed_outside() {
    let shop = Shop::open().await;
    shop.captured(750, "pm_card_visa").await;
    shop.prove().await;
    let entry = shop.entries().await.remove(0);
    let time = entry.time.expect("a time");
    let mut fields = vec![
        entry.id.clone(),
        "capture".to_owned(),
        entry.payment_id.clone(),
        entry.order_id.clone(),
        entry.operation_id.clone(),
        (time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000).to_string(),
    ];
    for posting in &entry.postings {
        let amount = posting.amount.as_ref().expect("an amount");
        fields.extend([
            posting.account.clone(),
            amount.currency_code.clone(),
            amount.minor_units.to_string(),
        ]);
    }
    let seal = entry.seal.expect("sealed");
    let mut hash = Sha256::new().chain_update(&seal.previous_hash);
    for field in fields {
        hash = hash.chain_update((field.len() as u64).to_be_bytes()).chain_update(field);
    }
    assert_eq!(hash.finalize().to_vec(), seal.hash);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sealed_yet_is_shown_as_the_tail() {
    let shop = Shop::open().await;
    shop.captured(750, "pm_card_visa").await;
    let status =
        shop.as_staff().get_ledger_status(GetLedgerStatusRequest {}).await.expect("a status").into_inner();
    assert_eq!((status.entries, status.sealed, status.unsealed), (1, 0, 1));
    assert!(status.oldest_unsealed_time.is_some());
    assert_eq!(shop.entries().await[0].seal, None);
}
