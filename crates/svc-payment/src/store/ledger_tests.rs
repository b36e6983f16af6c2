//! What the ledger shows when somebody has been at its rows.

use std::sync::Arc;
use std::time::Duration;

use chassis::VirtualClock;
use kernel::{Currency, Money, OrderId, PaymentId};
use store::{OpenOptions, Statement, open};

use super::*;
use crate::domain::ledger::{EntryKind, Posting, clearing};
use crate::seal::link_hash;

fn entry(number: u32, minor: i64) -> Entry {
    let posting = |account: &str, minor| Posting {
        account: account.to_owned(),
        amount: Money::new(minor, Currency::GBP),
    };
    Entry {
        id: format!("led_{number:026}"),
        kind: EntryKind::Capture,
        payment: PaymentId::from_bits(number.into()),
        order: OrderId::from_bits(number.into()),
        operation: format!("cap_{number:026}"),
        time: Timestamp::from_secs(number.into()),
        postings: vec![posting(&clearing("testpay"), minor), posting("sales", -minor)],
    }
}

async fn books() -> (Database, Books) {
    let clock = Arc::new(VirtualClock::new(Timestamp::from_secs(1)));
    let database = open("mem:", "payment", MIGRATIONS, OpenOptions::new(clock)).await.expect("a database");
    let seals = Seals::new(chassis::testing::record_key(1));
    let books = Books::new(&database, seals);
    for number in 1..=9 {
        books.write(books.change().entry(&entry(number, 100))).await.expect("booked");
    }
    seal(&database, &books, 4).await;
    seal(&database, &books, 4).await;
    (database, books)
}

async fn seal(database: &Database, books: &Books, count: u32) {
    let lease = database.leases().acquire("sealer", "test", Duration::from_secs(9)).await.expect("works");
    let lease = lease.expect("free");
    let head = books.head().await.expect("a head");
    let (mut position, mut previous) = (head.position, head.hash);
    let mut links = Vec::new();
    for entry in books.unsealed(count).await.expect("entries") {
        position += 1;
        let hash = link_hash(&previous, &entry).to_vec();
        links.push(Link { position, entry: entry.id, previous, hash: hash.clone(), keyed: None });
        previous = hash;
    }
    assert!(books.seal(&links, &lease, Timestamp::from_secs(99)).await.expect("sealed"));
    let stale = books.seal(&links, &lease, Timestamp::from_secs(99)).await.expect("works");
    assert!(!stale, "a second sealer of the same entries writes nothing");
}

async fn tamper(books: &Books, statement: Statement) {
    books.sql.commit(Batch::new().run(statement)).await.expect("done");
}

/// Entries whose hash does not come out as it was sealed.
async fn changed(books: &Books) -> Vec<String> {
    let (entries, more) = books.entries("", 100).await.expect("entries");
    assert!(!more);
    let is_changed = |sealed: &SealedEntry| {
        sealed
            .link
            .as_ref()
            .is_some_and(|link| link_hash(&link.previous, &sealed.entry).to_vec() != link.hash)
    };
    entries.into_iter().filter(is_changed).map(|sealed| sealed.entry.id).collect()
}

#[tokio::test]
async fn an_untouched_ledger_holds_together() {
    let (_database, books) = books().await;
    assert_eq!(books.chain().await.expect("a chain"), (8, 0));
    let tail = books.tail().await.expect("a tail");
    assert_eq!((tail.count, tail.oldest), (1, Some(Timestamp::from_secs(9))));
    assert_eq!(changed(&books).await, Vec::<String>::new());
    let sums = books.sums().await.expect("sums");
    assert_eq!((sums.entries, sums.per_currency()), (9, vec![Money::new(0, Currency::GBP)]));
}

#[tokio::test]
async fn pages_cover_every_entry_once() {
    let (_database, books) = books().await;
    for limit in 1..=10 {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let (entries, more) = books.entries(&after, limit).await.expect("entries");
            assert!(entries.len() <= limit as usize);
            assert!(entries.iter().all(|sealed| sealed.entry.postings.len() == 2));
            seen.extend(entries.into_iter().map(|sealed| sealed.entry.id));
            if !more {
                break;
            }
            after.clone_from(seen.last().expect("a page that goes on has entries"));
        }
        assert_eq!(seen, (1..=9).map(|number| entry(number, 1).id).collect::<Vec<_>>(), "{limit} a page");
    }
}

#[tokio::test]
async fn a_changed_posting_is_named() {
    let (_database, books) = books().await;
    for text in [
        "UPDATE ledger_postings SET amount = 101 WHERE entry_id = ? AND line = 0",
        "UPDATE ledger_postings SET account = 'elsewhere' WHERE entry_id = ? AND line = 1",
        "DELETE FROM ledger_postings WHERE entry_id = ? AND line = 1",
    ] {
        tamper(&books, sql(text).bind(&entry(3, 1).id)).await;
        assert_eq!(changed(&books).await, [entry(3, 1).id], "{text}");
    }
    assert_ne!(books.sums().await.expect("sums").per_currency(), [Money::new(0, Currency::GBP)]);
}

#[tokio::test]
async fn a_rewritten_or_missing_link_breaks_the_chain() {
    let (_database, books) = books().await;
    tamper(&books, sql("UPDATE ledger_chain SET hash = ? WHERE position = 5").bind([7_u8; 32])).await;
    assert_eq!(books.chain().await.expect("a chain"), (8, 6));
    tamper(&books, sql("DELETE FROM ledger_chain WHERE position = 2")).await;
    assert_eq!(books.chain().await.expect("a chain"), (7, 3));
    tamper(&books, sql("DELETE FROM ledger_chain WHERE position = 8")).await;
    let (sealed, _) = books.chain().await.expect("a chain");
    let waiting = books.tail().await.expect("a tail").count;
    let entries = books.sums().await.expect("sums").entries;
    assert_ne!(sealed + waiting, entries, "entries that are neither sealed nor waiting");
}

/// Positions whose keyed hash does not follow.
async fn not_keyed(books: &Books) -> Vec<i64> {
    let (entries, _) = books.entries("", 100).await.expect("entries");
    let links = entries.into_iter().filter_map(|sealed| sealed.link);
    let broken = links.filter(|link| !link.keyed.as_ref().is_some_and(|keyed| keyed.holds));
    broken.map(|link| link.position).collect()
}

#[tokio::test]
async fn a_chain_computed_anew_without_the_key_is_named() {
    let (_database, books) = books().await;
    assert_eq!(not_keyed(&books).await, Vec::<i64>::new());
    tamper(&books, sql("UPDATE ledger_chain SET sealed_at = sealed_at + 1 WHERE position = 2")).await;
    assert_eq!(not_keyed(&books).await, [2]);
    // Whoever writes the database alone can make the plain hashes fit again, from the changed entry to the end.
    tamper(
        &books,
        sql("UPDATE ledger_postings SET amount = amount * 2 WHERE entry_id = ?").bind(&entry(5, 1).id),
    )
    .await;
    let (entries, _) = books.entries("", 100).await.expect("entries");
    let mut previous: Option<Vec<u8>> = None;
    for sealed in entries.into_iter().filter(|sealed| sealed.link.is_some()).skip(4) {
        let link = sealed.link.expect("sealed");
        let before = previous.unwrap_or(link.previous);
        let hash = link_hash(&before, &sealed.entry).to_vec();
        let text = "UPDATE ledger_chain SET previous = ?, hash = ? WHERE position = ?";
        tamper(&books, sql(text).bind(before).bind(hash.clone()).bind(link.position)).await;
        previous = Some(hash);
    }
    assert_eq!((changed(&books).await, books.chain().await.expect("a chain")), (Vec::new(), (8, 0)));
    assert_eq!(not_keyed(&books).await, [2, 5, 6, 7, 8], "the keyed chain does not follow");
}

#[tokio::test]
async fn rows_of_before_are_sealed_once_and_then_hold() {
    let (database, books) = books().await;
    tamper(&books, sql("UPDATE ledger_chain SET keyed = NULL")).await;
    let event = "INSERT INTO webhook_events (provider, event_id, received_at) VALUES ('testpay', 'e1', 5)";
    tamper(&books, sql(event)).await;
    assert_eq!(not_keyed(&books).await, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(altered_webhooks(&books).await, ["webhook event e1 of testpay"]);
    books.adopt_unsealed().await.expect("adopted");
    assert_eq!(not_keyed(&books).await, Vec::<i64>::new());
    assert_eq!(altered_webhooks(&books).await, Vec::<String>::new());
    seal(&database, &books, 4).await;
    assert_eq!(not_keyed(&books).await, Vec::<i64>::new(), "the chain goes on behind what was adopted");
}

#[tokio::test]
async fn rows_that_belong_to_nothing_are_named() {
    let (_database, books) = books().await;
    assert_eq!(leftovers(&books, 1).await.strays, Vec::new());
    let first = entry(1, 1).id;
    for (damage, row) in [
        (
            "UPDATE ledger_postings SET line = 2 WHERE entry_id = ? AND line = 1",
            format!("ledger entry {first}"),
        ),
        (
            "UPDATE ledger_postings SET kind = 'refund' WHERE entry_id = ? AND line = 2",
            format!("ledger entry {first}"),
        ),
        ("DELETE FROM ledger_postings WHERE entry_id = ?", format!("link of {first}")),
        ("INSERT INTO ledger_unsealed (entry_id, booked_at) VALUES (?, 1)", format!("unsealed {first}")),
    ] {
        tamper(&books, sql(damage).bind(&first)).await;
        let strays = leftovers(&books, 1_000).await.strays;
        assert!(strays.iter().any(|stray| stray.row == row), "{damage}: {strays:?}");
        for limit in [1, 2, 3, 7] {
            assert_eq!(leftovers(&books, limit).await.strays, strays, "{limit} rows a call");
        }
    }
}

/// All rows that belong to no payment in particular, some at a time.
async fn leftovers(books: &Books, limit: u32) -> Leftovers {
    let (mut all, mut place) = (Leftovers::default(), Some(Place::start()));
    while let Some(after) = place {
        let found = books.leftovers(after, limit).await.expect("read");
        let told = found.altered_webhooks.len() + found.strays.len();
        assert!(told <= 4 * limit as usize, "{told} findings in {limit} rows");
        all.altered_webhooks.extend(found.altered_webhooks);
        all.strays.extend(found.strays);
        place = found.next;
    }
    all
}

async fn altered_webhooks(books: &Books) -> Vec<String> {
    let few = leftovers(books, 1).await.altered_webhooks;
    assert_eq!(few, leftovers(books, 1_000).await.altered_webhooks);
    few
}
