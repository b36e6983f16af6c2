//! Durable consumers: each event is applied once; the position moves in the transaction of the effect.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::souk::event::v1::Event;
use kernel::{Code, Error, Result};
use prost::Message;
use store::{Batch, CommitError, Consumed, Database, ParkedEvent, Position};

use crate::Context;
use crate::progress::Progress;
use crate::subscribe::from_wire;

/// How often an event that fails in passing is tried again before its aggregate is parked.
const TRIES: u32 = 20;
/// The first pause after an event could not be applied; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// The longest pause after an event could not be applied.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Events of no interest are stepped over in memory; their position is written this often.
const SKIPPED_MAX: u32 = 1000;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Its effect was committed together with the position.
    Committed,
    /// It is of no interest here; nothing was written.
    Ignored,
}

/// Applies the events of a source.
#[async_trait]
pub trait Consume: Send + Sync + 'static {
    /// Applies one event. The effect's commit carries `at` (`Batch::position`, `Put::position`), so that a second reader
    /// changes nothing. Unknown types are [`Applied::Ignored`].
    async fn apply(&self, event: &Event, at: Consumed) -> Result<Applied>;
}

pub(crate) struct Consumer {
    pub(crate) ctx: Context,
    pub(crate) source: &'static str,
    pub(crate) name: &'static str,
    pub(crate) database: Database,
    pub(crate) handler: Arc<dyn Consume>,
    pub(crate) progress: Arc<Progress>,
}

/// What is committed, and what was read beyond it without an effect.
#[derive(Default)]
struct ReadPosition {
    committed: Option<Position>,
    seen: Option<Position>,
    skipped: u32,
}

impl ReadPosition {
    fn committed(at: Option<Position>) -> Self {
        Self { committed: at, seen: at, skipped: 0 }
    }
}

impl Consumer {
    pub(crate) async fn run(self) {
        let mut pause = PAUSE_MIN;
        let mut position = ReadPosition::default();
        loop {
            let before = position.committed;
            let error = match self.follow(&mut position).await {
                Ok(never) => match never {},
                Err(error) => error,
            };
            // What fails now has nothing to do with what failed before something was committed.
            if position.committed != before {
                pause = PAUSE_MIN;
            }
            if error.code() != Code::Unavailable {
                tracing::warn!(role = self.ctx.name(), source = self.source, consumer = self.name, error = ?error, "consumer starts again");
            }
            self.ctx.sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn follow(&self, position: &mut ReadPosition) -> Result<std::convert::Infallible> {
        *position = ReadPosition::committed(self.database.sql().position(self.source, self.name).await?);
        let mut events = self.ctx.subscribe(self.source, position.committed)?;
        loop {
            self.progress.note(position.seen.max(position.committed), events.head());
            match events.next_or_head().await {
                Ok(Some(event)) => self.take(event, position).await?,
                Ok(None) => {
                    position.seen = position.seen.max(events.position());
                    self.settle(position).await?;
                }
                // The source was restored, or has forgotten what we did not read: begin at what it has. Effects are
                // guarded by what they change, so one that was applied before changes nothing.
                Err(error) => {
                    tracing::warn!(source = self.source, consumer = self.name, error = ?error, "starting over from the oldest kept event");
                    events = self.ctx.subscribe(self.source, None)?;
                }
            }
        }
    }

    async fn take(&self, event: Event, position: &mut ReadPosition) -> Result<()> {
        let Some(to) = event.position.map(from_wire) else {
            return Err(Error::internal("an event without a position"));
        };
        let at = Consumed {
            source: self.source.to_owned(),
            consumer: self.name.to_owned(),
            from: position.committed,
            to,
        };
        let applied = if self.database.parked().contains(self.source, self.name, &event.aggregate_id).await? {
            self.park(&event, at, "an event of this aggregate before it is parked").await?;
            Applied::Committed
        } else {
            self.apply(&event, at).await?
        };
        position.seen = Some(to);
        match applied {
            Applied::Committed => *position = ReadPosition::committed(Some(to)),
            Applied::Ignored => {
                position.skipped += 1;
                if position.skipped >= SKIPPED_MAX {
                    self.settle(position).await?;
                }
            }
        }
        Ok(())
    }

    async fn apply(&self, event: &Event, at: Consumed) -> Result<Applied> {
        let mut pause = PAUSE_MIN;
        for attempt in 1.. {
            match self.handler.apply(event, at.clone()).await {
                Ok(applied) => return Ok(applied),
                // Another reader was here first, or the event before it was; read the position again.
                Err(error) if error.reason() == "POSITION_MOVED" => return Err(error),
                Err(error) if error.retryable() && attempt < TRIES => {
                    self.ctx.sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                Err(error) => {
                    let parked = self.park(event, at, &format!("{error:?}")).await;
                    let (role, aggregate) = (self.ctx.name(), &event.aggregate_id);
                    if parked.is_ok() {
                        tracing::error!(role, source = self.source, aggregate, error = ?error, "an event cannot be applied; its aggregate is parked");
                    } else {
                        tracing::warn!(role, source = self.source, aggregate, error = ?error, "an event cannot be applied, and its aggregate cannot be parked");
                    }
                    return parked.map(|()| Applied::Committed);
                }
            }
        }
        Ok(Applied::Ignored)
    }

    async fn park(&self, event: &Event, at: Consumed, reason: &str) -> Result<()> {
        let parked = ParkedEvent {
            source: self.source.to_owned(),
            consumer: self.name.to_owned(),
            aggregate_id: event.aggregate_id.clone(),
            position: at.to,
            reason: reason.chars().take(1000).collect(),
            event: event.encode_to_vec(),
            parked_at: self.ctx.now(),
        };
        self.database.sql().commit(Batch::new().park(parked).position(at)).await?;
        Ok(())
    }

    /// Writes how far was read, when that is further than what is committed.
    async fn settle(&self, position: &mut ReadPosition) -> Result<()> {
        let Some(to) = position.seen.filter(|seen| Some(*seen) > position.committed) else { return Ok(()) };
        let at = Consumed {
            source: self.source.to_owned(),
            consumer: self.name.to_owned(),
            from: position.committed,
            to,
        };
        match self.database.sql().commit(Batch::new().position(at)).await {
            Ok(_) => *position = ReadPosition::committed(Some(to)),
            Err(CommitError::PositionMoved) => return Err(CommitError::PositionMoved.into()),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
