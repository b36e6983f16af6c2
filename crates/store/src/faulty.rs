//! A store that misbehaves, from a seed: for tests, game days and production alike.
//!
//! [`Faults`] wraps any engine. An operation may wait, fail before it reaches the engine, or be done and have its
//! acknowledgement lost, which is what a caller cannot tell from a failure. Whoever holds the handle changes the rates
//! while the store serves.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::{Error, Result, Timestamp};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::batch::{Batch, Committed, Position, StoredEvent};
use crate::chain::{EventChain, LinkedEvent};
use crate::docs::{DeclaredKind, Index};
use crate::engine::{
    DocKeys, DocQuery, DocRow, DocWrite, DocsEngine, Engine, Extent, Gap, LeaseRow, Remembered, SqlEngine,
};
use crate::error::CommitError;
use crate::inspect::{InspectEngine, RequestId, StoredNotes, StoredPosition, StoredRequest};
use crate::parked::ParkedEvent;
use crate::row::Row;
use crate::value::{Statement, Value};

/// How often what happens, in operations per million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultRates {
    /// Reads and writes that fail before they are tried.
    pub fail_ppm: u32,
    /// Writes that are done but answered with an error.
    pub lose_ppm: u32,
    /// Reads and writes that wait first.
    pub delay_ppm: u32,
    /// The longest wait.
    pub delay_max: Duration,
}

/// What happens to one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it goes through whatever the rates say.
    None,
    /// It fails and is not done.
    Fail,
    /// It is done, and fails all the same.
    LoseAcknowledgement,
    /// It waits first.
    Delay(Duration),
}

/// The faults of a store; clones share their state.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug)]
struct Plan {
    random: u64,
    rates: FaultRates,
    next_writes: VecDeque<Fault>,
}

impl Faults {
    /// Faults at these rates; the same seed gives the same faults to the same operations.
    #[must_use]
    pub fn seeded(seed: u64, rates: FaultRates) -> Self {
        Self(Arc::new(Mutex::new(Plan { random: seed, rates, next_writes: VecDeque::new() })))
    }

    /// Changes the rates from now on.
    pub fn set_rates(&self, rates: FaultRates) {
        self.0.lock().rates = rates;
    }

    /// What happens to the next write that has no fault in store yet, whatever the rates say.
    pub fn next_write(&self, fault: Fault) {
        self.0.lock().next_writes.push_back(fault);
    }

    async fn read<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        let (delay, fault) = self.0.lock().roll(false);
        wait(delay).await;
        if fault == Fault::Fail {
            return Err(injected());
        }
        operation.await
    }

    async fn write<T, E: From<Error>>(&self, operation: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let (delay, fault) = self.0.lock().roll(true);
        wait(delay).await;
        match fault {
            Fault::Fail => Err(injected().into()),
            Fault::LoseAcknowledgement => {
                // Whatever came of it, nobody hears.
                let _ = operation.await;
                Err(Error::unavailable(
                    "STORE_FAULT",
                    "the store did not answer; whether it was written is not known",
                )
                .into())
            }
            Fault::None | Fault::Delay(_) => operation.await,
        }
    }
}

impl Plan {
    /// How long to wait, then what happens.
    fn roll(&mut self, is_write: bool) -> (Duration, Fault) {
        if is_write && let Some(fault) = self.next_writes.pop_front() {
            return match fault {
                Fault::Delay(delay) => (delay, Fault::None),
                fault => (Duration::ZERO, fault),
            };
        }
        let FaultRates { fail_ppm, lose_ppm, delay_ppm, delay_max } = self.rates;
        let delay = if self.happens(delay_ppm) {
            let delay_us = u64::try_from(delay_max.as_micros()).unwrap_or(u64::MAX);
            Duration::from_micros(self.random() % delay_us.saturating_add(1).max(1))
        } else {
            Duration::ZERO
        };
        let fault = if self.happens(fail_ppm) {
            Fault::Fail
        } else if is_write && self.happens(lose_ppm) {
            Fault::LoseAcknowledgement
        } else {
            Fault::None
        };
        (delay, fault)
    }

    fn happens(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.random() % 1_000_000 < u64::from(ppm)
    }

    /// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

async fn wait(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

fn injected() -> Error {
    Error::unavailable("STORE_FAULT", "the store failed; nothing was written")
}

/// An engine with faults before it.
pub(crate) struct Faulty<E> {
    engine: E,
    faults: Faults,
}

impl<E> Faulty<E> {
    pub(crate) fn new(engine: E, faults: Faults) -> Self {
        Self { engine, faults }
    }
}

#[async_trait]
impl<E: Engine> Engine for Faulty<E> {
    fn exclusive(&self) -> bool {
        self.engine.exclusive()
    }
    fn run(&self) -> &str {
        self.engine.run()
    }
    fn retention_now(&self) -> Timestamp {
        self.engine.retention_now()
    }

    fn doubts_clock(&self) -> bool {
        self.engine.doubts_clock()
    }
    fn check_files(&self) -> Result<()> {
        self.engine.check_files()
    }
    async fn problems(&self, kinds: &[DeclaredKind]) -> Result<Vec<String>> {
        self.faults.read(self.engine.problems(kinds)).await
    }
    fn watch(&self) -> watch::Receiver<Position> {
        self.engine.watch()
    }
    async fn remembered(&self, principal: &str, method: &str, id: &str) -> Result<Option<Remembered>> {
        self.faults.read(self.engine.remembered(principal, method, id)).await
    }
    async fn position(&self, source: &str, consumer: &str) -> Result<Option<Position>> {
        self.faults.read(self.engine.position(source, consumer)).await
    }
    async fn extent(&self) -> Result<Extent> {
        self.faults.read(self.engine.extent()).await
    }
    async fn events(&self, after: i64, limit: u32) -> Result<Vec<StoredEvent>> {
        self.faults.read(self.engine.events(after, limit)).await
    }
    async fn gaps(&self, limit: u32) -> Result<Vec<Gap>> {
        self.faults.read(self.engine.gaps(limit)).await
    }
    async fn prune(&self, before: Timestamp, rows_max: u32) -> Result<u64> {
        self.faults.write(self.engine.prune(before, rows_max)).await
    }
    async fn sweep(&self, rows_max: u32) -> Result<u64> {
        self.faults.write(self.engine.sweep(rows_max)).await
    }
    async fn parked(&self, limit: u32) -> Result<Vec<ParkedEvent>> {
        self.faults.read(self.engine.parked(limit)).await
    }
    async fn is_parked(&self, source: &str, consumer: &str, aggregate_id: &str) -> Result<bool> {
        self.faults.read(self.engine.is_parked(source, consumer, aggregate_id)).await
    }
    async fn unpark(&self, source: &str, consumer: &str, position: Position) -> Result<bool> {
        self.faults.write(self.engine.unpark(source, consumer, position)).await
    }
    async fn lease(&self, name: &str) -> Result<Option<LeaseRow>> {
        self.faults.read(self.engine.lease(name)).await
    }
    async fn set_lease(&self, from: Option<&LeaseRow>, to: &LeaseRow) -> Result<bool> {
        self.faults.write(self.engine.set_lease(from, to)).await
    }
}

#[async_trait]
impl<E: SqlEngine> SqlEngine for Faulty<E> {
    async fn fetch(&self, statement: Statement, rows_max: usize) -> Result<Vec<Row>> {
        self.faults.read(self.engine.fetch(statement, rows_max)).await
    }
    async fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.faults.write(self.engine.commit(batch)).await
    }
}

#[async_trait]
impl<E: DocsEngine> DocsEngine for Faulty<E> {
    async fn prepare(&self, kind: &'static str, indexes: &'static [Index]) -> Result<Vec<Index>> {
        self.engine.prepare(kind, indexes).await
    }
    async fn set_keys(&self, kind: &'static str, documents: Vec<DocKeys>) -> Result<()> {
        self.engine.set_keys(kind, documents).await
    }
    async fn finish(&self, kind: &'static str, index: &Index) -> Result<()> {
        self.engine.finish(kind, index).await
    }
    async fn get(&self, kind: &'static str, ids: &[String]) -> Result<Vec<DocRow>> {
        self.faults.read(self.engine.get(kind, ids)).await
    }
    async fn find(
        &self,
        kind: &'static str,
        index: &'static str,
        values: &[Value],
    ) -> Result<Vec<(Value, DocRow)>> {
        self.faults.read(self.engine.find(kind, index, values)).await
    }
    async fn list(&self, kind: &'static str, query: DocQuery) -> Result<Vec<(Value, DocRow)>> {
        self.faults.read(self.engine.list(kind, query)).await
    }
    async fn put(&self, write: DocWrite) -> Result<Committed, CommitError> {
        self.faults.write(self.engine.put(write)).await
    }
}

#[async_trait]
impl<E: InspectEngine> InspectEngine for Faulty<E> {
    fn chain(&self) -> &EventChain {
        self.engine.chain()
    }
    async fn linked_events(&self, after: i64, limit: u32) -> Result<Vec<LinkedEvent>> {
        self.faults.read(self.engine.linked_events(after, limit)).await
    }
    async fn stored_requests(&self, after: &RequestId, limit: u32) -> Result<Vec<StoredRequest>> {
        self.faults.read(self.engine.stored_requests(after, limit)).await
    }
    async fn stored_positions(&self) -> Result<Vec<StoredPosition>> {
        self.faults.read(self.engine.stored_positions()).await
    }
    async fn stored_notes(&self) -> Result<StoredNotes> {
        self.faults.read(self.engine.stored_notes()).await
    }
    async fn stored_documents(
        &self,
        kind: &'static str,
        indexes: &[&'static str],
        after: &str,
        limit: u32,
    ) -> Result<Vec<(DocRow, Vec<Value>)>> {
        self.faults.read(self.engine.stored_documents(kind, indexes, after, limit)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rolls(seed: u64) -> Vec<(Duration, Fault)> {
        let rates = FaultRates {
            fail_ppm: 300_000,
            lose_ppm: 300_000,
            delay_ppm: 300_000,
            delay_max: Duration::from_millis(5),
        };
        let faults = Faults::seeded(seed, rates);
        let mut plan = faults.0.lock();
        (0..200).map(|_| plan.roll(true)).collect()
    }

    #[test]
    fn a_seed_gives_the_same_faults_again() {
        assert_eq!(rolls(1), rolls(1));
        assert_ne!(rolls(1), rolls(2));
        for wanted in [Fault::None, Fault::Fail, Fault::LoseAcknowledgement] {
            assert!(rolls(1).iter().any(|(_, fault)| *fault == wanted), "{wanted:?}");
        }
        assert!(rolls(1).iter().all(|(delay, _)| *delay <= Duration::from_millis(5)));
    }
}
