//! What every engine must do, as tests against the shapes.
//!
//! An engine joins by implementing [`Opener`] and naming it in [`crate::conformance_suite!`], which makes a test of each
//! case. The cases know nothing of the engine but what the opener says.

pub mod consumers;
pub mod documents;
pub mod faults;
pub mod indexes;
pub mod keys;
pub mod leases;
pub mod outbox;
pub mod requests;
pub mod rows;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::{Clock, Result, Timestamp};
use parking_lot::Mutex;

use crate::{Database, Faults, Kv, Migration, NewEvent, OpenOptions, Position, RequestKey, Row, sql};

/// How the suite gets at an engine.
#[async_trait]
pub trait Opener: Send + Sync {
    /// Opens the database of this name. Each case uses one name, and finds it empty the first time.
    async fn open(
        &self,
        name: &str,
        migrations: &'static [Migration],
        options: OpenOptions,
    ) -> Result<Database>;
    /// Whether what was written is there when a database is opened again.
    fn keeps(&self) -> bool;
    /// An empty key store.
    fn keys(&self, clock: Arc<TestClock>) -> Kv;
}

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct TestClock {
    passed: Mutex<Duration>,
    ahead: Mutex<Duration>,
}

/// Where a [`TestClock`] begins: 2024-01-01T00:00:00Z.
const BEGINNING: Timestamp = Timestamp::from_secs(1_704_067_200);

impl TestClock {
    /// At the beginning.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { passed: Mutex::default(), ahead: Mutex::default() })
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        *self.passed.lock() += by;
    }

    /// Sets the wall clock ahead of the time that passed.
    pub fn set_ahead(&self, by: Duration) {
        *self.ahead.lock() = by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        BEGINNING.plus(*self.passed.lock()).plus(*self.ahead.lock())
    }

    fn monotonic(&self) -> Duration {
        *self.passed.lock()
    }
}

/// The tables of the cases.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_conformance",
    sql: "CREATE TABLE stock (sku VARCHAR(40) PRIMARY KEY, on_hand BIGINT NOT NULL);
          CREATE TABLE sale (id VARCHAR(40) PRIMARY KEY, sku VARCHAR(40) NOT NULL, quantity BIGINT NOT NULL);
          CREATE TABLE anything (id BIGINT PRIMARY KEY, n BIGINT, t VARCHAR(200), b BLOB);",
}];

/// A database of one case and its clock.
pub(crate) struct Bench {
    pub(crate) database: Database,
    pub(crate) clock: Arc<TestClock>,
}

impl Bench {
    pub(crate) async fn open(opener: &dyn Opener, name: &str) -> Self {
        Self::with(opener, name, TestClock::new(), None).await
    }

    pub(crate) async fn with(
        opener: &dyn Opener,
        name: &str,
        clock: Arc<TestClock>,
        faults: Option<Faults>,
    ) -> Self {
        let options = OpenOptions { faults, ..OpenOptions::new(Arc::clone(&clock) as _) };
        let database = opener.open(name, MIGRATIONS, options).await.expect("the database opens");
        Self { database, clock }
    }

    /// Closes the database and opens it again.
    pub(crate) async fn reopen(self, opener: &dyn Opener, name: &str) -> Self {
        let Self { database, clock } = self;
        drop(database);
        Self::with(opener, name, clock, None).await
    }

    pub(crate) async fn rows(&self, text: &'static str) -> Vec<Row> {
        self.database.sql().fetch(sql(text)).await.expect("rows")
    }

    pub(crate) async fn number(&self, text: &'static str) -> i64 {
        self.rows(text).await[0].int("n").expect("a number")
    }

    pub(crate) async fn head(&self) -> Position {
        self.database.outbox().head().await.expect("a head")
    }

    /// Asserts that the outbox holds exactly 1..=`count`.
    pub(crate) async fn assert_published(&self, count: i64) {
        let outbox = self.database.outbox();
        assert_eq!(self.head().await.sequence, count);
        assert_eq!(outbox.gaps().await.expect("gaps"), [], "no sequence is missing");
        let mut seen = 0;
        let mut after = Position::START;
        loop {
            let events = outbox.read(after, 100).await.expect("events");
            let Some(last) = events.last() else { break };
            after = last.position;
            for event in &events {
                seen += 1;
                assert_eq!(event.position.sequence, seen, "sequences follow each other");
            }
        }
        assert_eq!(seen, count);
    }
}

pub(crate) fn event(aggregate: &str, version: i64) -> NewEvent {
    NewEvent {
        aggregate_id: aggregate.to_owned(),
        aggregate_version: version,
        type_name: "souk.test.v1.Happened".to_owned(),
        payload: vec![1, 2, 3],
    }
}

pub(crate) fn key(id: &str, fingerprint: u8) -> RequestKey {
    RequestKey {
        principal: "cus_1".to_owned(),
        method: "test.Do",
        id: id.to_owned(),
        fingerprint: [fingerprint; 32],
        keep: Duration::from_secs(3600),
    }
}

/// Makes a test of each case of the suite: `conformance_suite!(memory, MemoryOpener::new());` in a test crate with tokio.
#[macro_export]
macro_rules! conformance_suite {
    ($name:ident, $opener:expr) => {
        $crate::conformance_suite!(@cases $name, $opener;
            rows::values_read_back, rows::a_batch_is_all_or_nothing, rows::a_taken_key_is_told_by_its_label,
            rows::row_counts_are_held, rows::a_guard_needs_a_row, rows::text_compares_by_its_bytes, rows::a_fetch_is_bounded_and_only_reads,
            rows::a_wrong_statement_fails_alone, rows::a_batch_is_bounded, rows::concurrent_decrements_never_oversell,
            rows::a_bad_batch_among_good_ones_fails_alone, rows::what_was_written_is_kept,
            requests::a_request_is_done_once, requests::a_key_is_for_one_request, requests::keys_are_apart_by_principal_and_method,
            requests::an_answer_expires_and_is_swept, requests::of_many_at_once_one_is_done, requests::a_replay_wins_over_its_own_traces,
            outbox::events_are_in_order, outbox::undone_batches_burn_no_sequence, outbox::readers_are_woken, outbox::old_events_are_pruned,
            outbox::unknown_positions_are_refused, outbox::events_read_the_same_each_time, outbox::sequences_go_on_after_reopening,
            consumers::a_position_moves_once, consumers::a_position_moves_only_with_its_effect, consumers::racing_readers_apply_once,
            consumers::an_event_is_parked_and_forgotten,
            documents::a_document_has_versions, documents::a_stale_write_changes_nothing, documents::a_unique_index_is_held,
            documents::what_goes_along_is_written_with_it, documents::many_are_read_in_the_order_asked, documents::updates_of_one_all_arrive,
            documents::an_update_replays, documents::a_deleted_document_is_gone,
            indexes::pages_by_id, indexes::pages_by_index, indexes::pages_of_one_value, indexes::cursors_of_another_list_are_refused,
            indexes::an_added_index_finds_old_documents, indexes::an_index_cannot_become_unique_over_duplicates,
            leases::one_holds_it, leases::it_runs_out_on_the_readers_clock, leases::a_renewed_lease_is_kept, leases::a_released_lease_is_free,
            leases::a_stale_holder_is_fenced_off, leases::what_a_former_process_held_is_free,
            faults::a_failed_write_is_not_done, faults::a_lost_acknowledgement_is_found_by_its_key, faults::retries_end_in_the_same_books,
            keys::values_live_for_their_time, keys::absent_keys_are_set_once, keys::counters_add_up, keys::tokens_come_at_their_rate,
        );
    };
    (@cases $name:ident, $opener:expr; $($module:ident::$case:ident),* $(,)?) => {
        mod $name {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let opener = $opener;
                    $crate::conformance::$module::$case(&opener, concat!(stringify!($module), "-", stringify!($case))).await;
                }
            )*
        }
    };
}
