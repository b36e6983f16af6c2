//! Leases.

use std::time::Duration;

use super::{Bench, Opener};
use crate::{Batch, CommitError, sql};

const TTL: Duration = Duration::from_secs(15);

fn write(id: i64) -> Batch {
    Batch::new().insert(sql("INSERT INTO anything (id) VALUES (?)").bind(id), "row")
}

/// Others wait; names are apart; the holder may ask again.
pub async fn one_holds_it(opener: &dyn Opener, name: &str) {
    let leases = Bench::open(opener, name).await.database.leases();
    let lease = leases.acquire("saga", "one", TTL).await.expect("a store").expect("free");
    assert_eq!((lease.name(), lease.owner(), lease.epoch(), lease.ttl()), ("saga", "one", 1, TTL));
    assert_eq!(leases.acquire("saga", "two", TTL).await.expect("a store"), None);
    assert_eq!(leases.holder("saga").await.expect("a store").as_deref(), Some("one"));
    assert!(leases.acquire("sweep", "two", TTL).await.expect("a store").is_some());
    assert_eq!(leases.acquire("saga", "one", TTL).await.expect("a store"), Some(lease));
}

/// Waiting counts from the first look.
pub async fn it_runs_out_on_the_readers_clock(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let leases = bench.database.leases();
    let first = leases.acquire("saga", "one", TTL).await.expect("a store").expect("free");
    bench.clock.advance(TTL / 2);
    assert_eq!(leases.acquire("saga", "two", TTL).await.expect("a store"), None);
    bench.clock.advance(TTL);
    let second = leases.acquire("saga", "two", TTL).await.expect("a store").expect("run out");
    assert_eq!(second.epoch(), first.epoch() + 1);
    assert!(!leases.renew(&first).await.expect("a store"), "the first has lost it");
    assert!(leases.renew(&second).await.expect("a store"));
}

/// A holder that lives keeps it.
pub async fn a_renewed_lease_is_kept(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let leases = bench.database.leases();
    let lease = leases.acquire("saga", "one", TTL).await.expect("a store").expect("free");
    for _ in 0..6 {
        assert_eq!(leases.acquire("saga", "two", TTL).await.expect("a store"), None);
        bench.clock.advance(TTL / 2);
        assert!(leases.renew(&lease).await.expect("a store"));
    }
}

/// The next one need not wait, and has another epoch.
pub async fn a_released_lease_is_free(opener: &dyn Opener, name: &str) {
    let leases = Bench::open(opener, name).await.database.leases();
    let first = leases.acquire("saga", "one", TTL).await.expect("a store").expect("free");
    assert!(leases.release(&first).await.expect("a store"));
    assert_eq!(leases.holder("saga").await.expect("a store"), None);
    assert!(!leases.release(&first).await.expect("a store"), "it is given back already");
    let second = leases.acquire("saga", "two", TTL).await.expect("a store").expect("free");
    assert!(second.epoch() > first.epoch());
    assert!(!leases.release(&first).await.expect("a store"), "another one has it");
}

/// Whoever lost it without knowing writes nothing.
pub async fn a_stale_holder_is_fenced_off(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let (leases, store) = (bench.database.leases(), bench.database.sql());
    let first = leases.acquire("saga", "one", TTL).await.expect("a store").expect("free");
    store.commit(write(1).fence(&first)).await.expect("it holds the lease");
    assert_eq!(leases.acquire("saga", "two", TTL).await.expect("a store"), None);
    bench.clock.advance(TTL);
    let second = leases.acquire("saga", "two", TTL).await.expect("a store").expect("run out");
    let error = store.commit(write(2).fence(&first)).await.expect_err("it lost the lease");
    assert!(matches!(error, CommitError::Unexpected { ref label, .. } if label == "lease:saga"), "{error:?}");
    assert_eq!(kernel::Error::from(error).reason(), "LEASE_LOST");
    store.commit(write(3).fence(&second)).await.expect("it holds the lease");
    assert_eq!(bench.number("SELECT count(*) AS n FROM anything").await, 2);
}

/// In a database of this process alone nobody waits for the dead.
pub async fn what_a_former_process_held_is_free(opener: &dyn Opener, name: &str) {
    if !opener.keeps() {
        return;
    }
    let bench = Bench::open(opener, name).await;
    let first = bench.database.leases().acquire("saga", "one", TTL).await.expect("a store").expect("free");
    let bench = bench.reopen(opener, name).await;
    let second = bench.database.leases().acquire("saga", "two", TTL).await.expect("a store");
    match second {
        Some(second) => assert!(bench.database.exclusive() && second.epoch() > first.epoch()),
        None => assert!(!bench.database.exclusive()),
    }
}
