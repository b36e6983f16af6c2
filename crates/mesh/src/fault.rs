//! Faults on purpose: delay, abort, drop the answer, duplicate; by method, caller and percentage, with an end time. Also
//! the named points at which a saga can be killed. Nothing is injected until a rule is set; then a call pays one load.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kernel::{Code, Error};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{Answer, Call, Layer, policy};

/// What happens to a call that a rule picks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It waits first, at most [`policy::FAULT_DELAY_MAX`].
    Delay(Duration),
    /// It is not made; the caller gets UNAVAILABLE.
    Abort,
    /// It is made, and its answer is lost; the caller gets UNAVAILABLE.
    DropAnswer,
    /// It fails on our side: INTERNAL with a cause for the log.
    Fail,
    /// It is made twice, one after the other; the caller gets the second answer.
    Duplicate,
}

/// A rule: which calls, how many of them, what happens, until when.
#[derive(Clone, Debug)]
pub struct FaultRule {
    /// Path or a prefix of it, for example `/souk.payment.v1.PaymentService/`.
    pub method: String,
    /// Only calls of this role; `None`: of anybody.
    pub caller: Option<String>,
    /// How many of a million calls.
    pub per_million: u32,
    /// What happens.
    pub effect: Effect,
    /// When the rule ends by itself.
    pub until: Instant,
    /// At most so many times; `None`: no limit.
    pub times: Option<u64>,
}

/// The running task was killed at a fault point: it must stop at once and record nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Killed;

#[derive(Default)]
struct State {
    rules: Vec<FaultRule>,
    kills: HashMap<String, u64>,
    seen: HashMap<String, u64>,
}

/// The faults of one process; cheap to clone.
#[derive(Clone, Default)]
pub struct Faults(Arc<Inner>);

#[derive(Default)]
struct Inner {
    on: AtomicBool,
    dice: AtomicU64,
    state: Mutex<State>,
}

impl Faults {
    /// Adds a rule.
    ///
    /// # Errors
    /// `TOO_MANY_FAULTS` at [`policy::FAULT_RULES_MAX`]; `INVALID_ARGUMENT` for more than a million in a million.
    pub fn add(&self, rule: FaultRule) -> Result<(), Error> {
        if rule.per_million > 1_000_000 {
            return Err(Error::field("/per_million", "INVALID_ARGUMENT", "must be at most 1000000"));
        }
        let mut state = self.0.state.lock();
        if state.rules.len() >= policy::FAULT_RULES_MAX {
            return Err(Error::precondition("TOO_MANY_FAULTS", "there are 100 fault rules already"));
        }
        state.rules.push(rule);
        self.0.on.store(true, Ordering::Release);
        Ok(())
    }

    /// Kills whatever passes the named point next, `times` times.
    pub fn kill_at(&self, point: &str, times: u64) {
        self.0.state.lock().kills.insert(point.to_owned(), times);
        self.0.on.store(true, Ordering::Release);
    }

    /// Removes every rule and every kill.
    pub fn clear(&self) {
        *self.0.state.lock() = State::default();
        self.0.on.store(false, Ordering::Release);
    }

    /// How often a named point killed since the last clear.
    #[must_use]
    pub fn killed(&self, point: &str) -> u64 {
        self.0.state.lock().seen.get(point).copied().unwrap_or(0)
    }

    /// A place at which a task can be killed.
    ///
    /// # Errors
    /// [`Killed`] when a test asked for it here.
    pub fn point(&self, point: &str) -> Result<(), Killed> {
        if !self.0.on.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut state = self.0.state.lock();
        let Some(left) = state.kills.get_mut(point).filter(|left| **left > 0) else { return Ok(()) };
        *left -= 1;
        *state.seen.entry(point.to_owned()).or_default() += 1;
        Err(Killed)
    }

    fn pick(&self, path: &str, caller: Option<&str>) -> Option<Effect> {
        if !self.0.on.load(Ordering::Acquire) {
            return None;
        }
        let now = Instant::now();
        let mut state = self.0.state.lock();
        state.rules.retain(|rule| rule.until > now && rule.times != Some(0));
        let rule = state.rules.iter_mut().find(|rule| {
            path.starts_with(&rule.method)
                && rule.caller.as_deref().is_none_or(|wanted| caller == Some(wanted))
        })?;
        if self.roll() >= u64::from(rule.per_million) {
            return None;
        }
        rule.times = rule.times.map(|times| times - 1);
        Some(rule.effect.clone())
    }

    /// 0 to 999,999, evenly and reproducibly (Weyl sequence with a mixing step).
    fn roll(&self) -> u64 {
        let z = self.0.dice.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let z = (z ^ (z >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ (z >> 29)) % 1_000_000
    }
}

/// The layer.
pub struct Inject<N> {
    pub(crate) faults: Faults,
    pub(crate) next: N,
}

impl<N: Layer> Layer for Inject<N> {
    async fn call(&self, call: Box<Call>) -> Answer {
        match self.faults.pick(call.request.uri().path(), call.caller.role.as_deref()) {
            None => self.next.call(call).await,
            Some(Effect::Delay(delay)) => {
                tokio::time::sleep(delay.min(policy::FAULT_DELAY_MAX)).await;
                self.next.call(call).await
            }
            Some(Effect::Abort) => Err(injected()),
            Some(Effect::Fail) => Err(Error::internal("a fault on purpose")),
            Some(Effect::DropAnswer) => {
                drop(self.next.call(call).await);
                Err(injected())
            }
            Some(Effect::Duplicate) => self.twice(call).await,
        }
    }
}

impl<N: Layer> Inject<N> {
    async fn twice(&self, call: Box<Call>) -> Answer {
        use http_body_util::BodyExt;
        let Call { request, method, caller, scope, arrived } = *call;
        let (parts, body) = request.into_parts();
        let bytes = body.collect().await.map_err(contract::error)?.to_bytes();
        let again = |parts: http::request::Parts| {
            let body = tonic::body::Body::new(http_body_util::Full::new(bytes.clone()));
            let request = http::Request::from_parts(parts, body);
            Box::new(Call { request, method, caller: caller.clone(), scope: scope.clone(), arrived })
        };
        drop(self.next.call(again(parts.clone())).await);
        self.next.call(again(parts)).await
    }
}

fn injected() -> Error {
    Error::new(Code::Unavailable, "FAULT_INJECTED", "this call was made to fail")
}
