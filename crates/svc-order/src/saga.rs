//! The worker: takes an order through its saga, and takes up the orders that nobody takes through.
//!
//! An order is worked on by the instance that holds its lease: an owner and an epoch in its row. Every record is conditional on the
//! epoch and on the version that was read, so a worker whose lease was taken over writes nothing. A worker that stops without
//! a word (a kill) leaves a row that is due under the lease of an instance that is gone; the sweep takes such rows over: at once
//! when the database belongs to this process alone, else when the row has stood still for [`LEASE`] on this instance's own clock.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chassis::Context;
use contract::souk::checkout::v1::Quote;
use kernel::{Error, OrderId, Result, Timestamp};
use mesh::Killed;
use parking_lot::Mutex;
use store::CommitError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::admission::OrderPlace;
use crate::board::Board;
use crate::domain::{Order, Outcome, Policy, Step, apply, ask_again, in_time, next};
use crate::metrics::Metrics;
use crate::steps::{Callees, Done, before_record};
use crate::store::{Due, Fence, Orders};
use crate::wire;

/// How often due orders are looked for.
pub const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// How long another instance's order must have stood still before it is taken over. Longer than a worker ever works on
/// a step without a record: [`PATIENCE`] and one more call of [`CALL`].
pub const LEASE: Duration = Duration::from_secs(60);
/// How long a step is repeated before its order is put aside for a while.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long one call of a step takes at most.
const CALL: Duration = Duration::from_secs(15);
/// How often a step is repeated before its order is put aside.
const REPEATS: u32 = 5;
/// The first pause before a repeat; doubles with each.
const PAUSE: Duration = Duration::from_millis(50);
/// How long an order is put aside at first; doubles with each time.
const ASIDE: Duration = Duration::from_secs(1);
/// How long an order is put aside at most.
const ASIDE_MAX: Duration = Duration::from_secs(60);
/// How long after its limit an order may be due at most: a step that began before the limit is repeated for [`PATIENCE`], its last
/// call may take [`CALL`], and then the order is put aside.
pub const DUE_PAST_LIMIT: Duration = PATIENCE.saturating_add(CALL).saturating_add(ASIDE_MAX);
/// From so many times on somebody is told.
const ALARM_AFTER: i64 = 3;

/// Works on orders. Cheap to clone.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

struct Inner {
    ctx: Context,
    orders: Orders,
    callees: Callees,
    policy: Policy,
    board: Board,
    metrics: Metrics,
    /// Orders that a task of this instance works on.
    running: Mutex<HashSet<OrderId>>,
    /// Due orders of other instances, how they were seen first, and when.
    seen: Mutex<HashMap<OrderId, (Due, Duration)>>,
    /// Bounds the orders that are recovered at once.
    recovering: Arc<Semaphore>,
    /// Rows that a sweep reads: more than can be running.
    sweep_rows: u32,
    /// Whether no other process can have this database open.
    exclusive: bool,
}

/// The right to work on an order in this instance; one at a time has it.
pub struct Turn {
    worker: Worker,
    id: OrderId,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.worker.0.running.lock().remove(&self.id);
    }
}

/// An order that a task works on.
struct Job {
    order: Order,
    epoch: i64,
    quote: Arc<Quote>,
    /// Given back when the task ends.
    _turn: Turn,
    /// The place among the orders in flight; given back when the task ends.
    _place: Option<OrderPlace>,
}

/// What the worker does after a step.
enum Flow {
    /// The next step.
    On,
    /// Nothing more now.
    Stop,
}

/// Bounds of the worker.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Orders recovered at once.
    pub recovering_max: u32,
    /// Orders in flight at once.
    pub in_flight_max: u32,
    /// Whether no other process can have the database open.
    pub exclusive: bool,
}

impl Worker {
    /// A worker over these orders.
    #[must_use]
    pub fn new(
        ctx: Context,
        orders: Orders,
        callees: Callees,
        policy: Policy,
        metrics: Metrics,
        bounds: Bounds,
    ) -> Self {
        Self(Arc::new(Inner {
            ctx,
            orders,
            callees,
            policy,
            board: Board::default(),
            metrics,
            running: Mutex::default(),
            seen: Mutex::default(),
            recovering: Arc::new(Semaphore::new(bounds.recovering_max as usize)),
            sweep_rows: bounds.in_flight_max.saturating_mul(2).clamp(100, 9_000),
            exclusive: bounds.exclusive,
        }))
    }

    /// Where changes are told.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.0.board
    }

    /// The shop's rules.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Orders that are worked on here.
    #[must_use]
    pub fn running(&self) -> usize {
        self.0.running.lock().len()
    }

    /// Whether this instance works on an order.
    #[must_use]
    pub fn works_on(&self, id: OrderId) -> bool {
        self.0.running.lock().contains(&id)
    }

    /// The turn at an order; `None` when a task here has it.
    #[must_use]
    pub fn turn(&self, id: OrderId) -> Option<Turn> {
        self.0.running.lock().insert(id).then(|| Turn { worker: self.clone(), id })
    }

    /// Works on an order that this instance has just written under epoch 1. The task goes on when whoever called has left.
    pub fn begin(&self, order: Order, quote: Arc<Quote>, turn: Turn, place: OrderPlace) {
        self.spawn(Job { order, epoch: 1, quote, _turn: turn, _place: Some(place) });
    }

    /// Works on an order that is due, unless somebody does: what approving and cancelling call. What this misses, the sweep finds.
    pub async fn wake(&self, id: OrderId) -> Result<()> {
        let Some((_, due)) = self.0.orders.get(id).await? else { return Ok(()) };
        if due.lease_owner.is_empty() || due.lease_owner == self.0.orders.instance() {
            self.take_over(due, None).await?;
        }
        Ok(())
    }

    /// Takes up the orders that are due and that nobody works on.
    ///
    /// # Errors
    /// The store's.
    pub async fn sweep(&self) -> Result<()> {
        if self.0.orders.doubts_clock() {
            // An order that was given up because of a wrong clock could not be taken up again.
            return Ok(());
        }
        let (wall, rows) = (self.0.ctx.now(), self.0.sweep_rows);
        let mut due = self.0.orders.due(wall, rows).await?;
        due.extend(self.0.orders.astray(&self.0.policy, wall, rows).await?);
        let now = self.0.ctx.clock().monotonic();
        self.0.seen.lock().retain(|id, _| due.iter().any(|due| due.id == *id));
        self.0.metrics.due(due.len());
        for due in due {
            if self.works_on(due.id) || !self.abandoned(&due, now) {
                continue;
            }
            let Ok(place) = self.0.recovering.clone().acquire_owned().await else { return Ok(()) };
            let id = due.id;
            if let Err(error) = self.take_over(due, Some(place)).await {
                tracing::error!(order = %id, error = ?error, "an order could not be taken up");
            }
        }
        Ok(())
    }

    /// Whether nobody works on an order that is due.
    fn abandoned(&self, due: &Due, now: Duration) -> bool {
        if self.0.exclusive || due.lease_owner.is_empty() || due.lease_owner == self.0.orders.instance() {
            return true;
        }
        let mut seen = self.0.seen.lock();
        let (first, since) = seen.entry(due.id).or_insert_with(|| (due.clone(), now));
        if first != due {
            (*first, *since) = (due.clone(), now);
        }
        now.saturating_sub(*since) >= LEASE
    }

    async fn take_over(&self, due: Due, place: Option<OwnedSemaphorePermit>) -> Result<()> {
        let Some(turn) = self.turn(due.id) else { return Ok(()) };
        let Some(epoch) = self.0.orders.claim(&due).await? else { return Ok(()) };
        let Some((order, _)) = self.0.orders.get(due.id).await? else { return Ok(()) };
        let order = in_time(order, &self.0.policy, self.0.ctx.now());
        let quote = Arc::new(wire::quote(&self.0.orders.quote(due.id).await?)?);
        self.spawn(Job { order, epoch, quote, _turn: turn, _place: place.map(OrderPlace::from) });
        Ok(())
    }

    fn spawn(&self, job: Job) {
        let worker = self.clone();
        self.0.ctx.spawn_work(async move {
            // A task that was killed stops here, as a killed process would: with nothing recorded.
            let _ = worker.run(job).await;
        });
    }

    async fn run(&self, mut job: Job) -> Result<(), Killed> {
        loop {
            let now = self.0.ctx.now();
            let flow = match next(&job.order, now) {
                Step::Rest => Flow::Stop,
                Step::Wait(due) => self.aside(&mut job, 0, due).await,
                step => self.step(&mut job, step).await?,
            };
            if matches!(flow, Flow::Stop) {
                return Ok(());
            }
        }
    }

    /// Takes a step until its outcome is known and recorded, or patience ends.
    async fn step(&self, job: &mut Job, step: Step) -> Result<Flow, Killed> {
        let since = self.0.ctx.clock().monotonic();
        let mut pause = PAUSE;
        for repeat in 1.. {
            let error = match self.0.callees.take(step, &job.order, &job.quote).await? {
                Done::Known(outcome) => return self.record(job, step, outcome).await,
                Done::StillWaiting => {
                    let due = ask_again(&job.order, self.0.ctx.now());
                    let tries = job.order.tries + 1;
                    return Ok(self.aside(job, tries, due).await);
                }
                Done::Later(error) => error,
            };
            let patience =
                self.0.ctx.clock().monotonic().saturating_sub(since) < PATIENCE && repeat < REPEATS;
            if !patience {
                return Ok(self.give_in(job, step, &error).await);
            }
            tokio::select! {
                () = self.0.ctx.sleep(pause) => {}
                // Whoever starts next takes it up where it stands.
                () = self.0.ctx.draining() => return Ok(Flow::Stop),
            }
            pause *= 2;
        }
        Ok(Flow::Stop)
    }

    /// Puts an order aside whose step does not succeed, and tells somebody when that goes on.
    async fn give_in(&self, job: &mut Job, step: Step, error: &Error) -> Flow {
        let tries = job.order.tries + 1;
        let aside = ASIDE.saturating_mul(1 << tries.clamp(1, 7)).min(ASIDE_MAX);
        if tries >= ALARM_AFTER {
            self.0.metrics.alarm();
            tracing::error!(order = %job.order.id, ?step, tries, error = ?error, "an order does not come on");
        } else {
            tracing::warn!(order = %job.order.id, ?step, tries, error = ?error, "an order is put aside");
        }
        self.aside(job, tries, self.0.ctx.now().plus(aside)).await
    }

    async fn aside(&self, job: &mut Job, tries: i64, due: Timestamp) -> Flow {
        match self.0.orders.park(&job.order, job.epoch, tries, due).await {
            Ok(()) => Flow::Stop,
            // Somebody approved or cancelled it meanwhile, or its payment has news.
            Err(error) => self.reload(job, error).await,
        }
    }

    async fn record(&self, job: &mut Job, step: Step, outcome: Outcome) -> Result<Flow, Killed> {
        let decision = match apply(job.order.clone(), step, outcome, &self.0.policy, self.0.ctx.now()) {
            Ok(decision) => decision,
            Err(error) => return Ok(self.give_in(job, step, &error).await),
        };
        self.0.ctx.fault_point(before_record(step))?;
        let events = wire::events(&decision, &job.quote);
        match self.0.orders.record(&job.order, Fence::Lease(job.epoch), &decision, events, None).await {
            Ok(order) => {
                self.0.metrics.recorded(&decision);
                self.0.board.tell(&order);
                job.order = order;
                Ok(Flow::On)
            }
            Err(error) => Ok(self.reload(job, error).await),
        }
    }

    /// The record did not happen, or may not have: the row tells.
    async fn reload(&self, job: &mut Job, error: CommitError) -> Flow {
        if !error.is_stale() {
            tracing::warn!(order = %job.order.id, error = %error, "a record failed; the order is read again");
        }
        match self.0.orders.get(job.order.id).await {
            Ok(Some((order, lease)))
                if lease.epoch == job.epoch && (error.is_stale() || order.version != job.order.version) =>
            {
                self.0.board.tell(&order);
                job.order = order;
                Flow::On
            }
            // Another instance has it, or the store is away: the sweep takes up what is still ours.
            Ok(_) => Flow::Stop,
            Err(error) => {
                tracing::warn!(order = %job.order.id, error = ?error, "an order could not be read");
                Flow::Stop
            }
        }
    }
}

#[cfg(test)]
mod tests;
