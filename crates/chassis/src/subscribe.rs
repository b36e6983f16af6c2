//! Reading another role's events: connects, resumes and reconnects by itself.

use std::collections::VecDeque;
use std::time::Duration;

use contract::souk::event::v1::event_service_client::EventServiceClient;
use contract::souk::event::v1::{Event, SubscribeRequest, SubscribeResponse};
use kernel::{Code, Error, Result};
use mesh::Channel;
use store::Position;
use tonic::Streaming;

use crate::events::position_to_wire;

/// Pauses between attempts to connect: 50 ms, doubling up to 5 s.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause between attempts to connect.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// A stream of events that goes on for ever, over any number of connections.
pub struct Subscription {
    client: EventServiceClient<Channel>,
    source: &'static str,
    after: Option<Position>,
    head: Option<Position>,
    stream: Option<Streaming<SubscribeResponse>>,
    waiting: VecDeque<Event>,
    pause: Duration,
}

impl Subscription {
    pub(crate) fn new(channel: Channel, source: &'static str, after: Option<Position>) -> Self {
        let client = EventServiceClient::new(channel);
        Self { client, source, after, head: None, stream: None, waiting: VecDeque::new(), pause: PAUSE_MIN }
    }

    /// The next event. Waits for as long as it takes; a lost connection is made again.
    ///
    /// # Errors
    /// Only what waiting does not mend: `POSITION_TOO_OLD` and `POSITION_UNKNOWN`, after which the reader starts over from a
    /// snapshot with a new subscription.
    pub async fn next(&mut self) -> Result<Event> {
        loop {
            if let Some(event) = self.next_or_head().await? {
                return Ok(event);
            }
        }
    }

    /// The next event, or `None` when everything up to the head that the source last told was read.
    ///
    /// # Errors
    /// As [`Subscription::next`].
    pub async fn next_or_head(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                self.after = event.position.map(from_wire).or(self.after);
                return Ok(Some(event));
            }
            match self.read().await {
                Ok(Some(response)) => {
                    self.pause = PAUSE_MIN;
                    self.head = response.head.map(from_wire).or(self.head);
                    if response.events.is_empty() {
                        self.after = self.after.max(self.head);
                        return Ok(None);
                    }
                    self.waiting.extend(response.events);
                }
                // The source stops, or is asked too much: it is not asked again at once.
                Ok(None) => self.pause().await,
                Err(error) if matches!(error.reason(), "POSITION_TOO_OLD" | "POSITION_UNKNOWN") => {
                    return Err(error);
                }
                Err(error) => self.wait(error).await,
            }
        }
    }

    /// The last position that was read.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.after
    }

    /// The newest position that the source told.
    #[must_use]
    pub fn head(&self) -> Option<Position> {
        self.head
    }

    async fn read(&mut self) -> Result<Option<SubscribeResponse>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let after = self.after.map(position_to_wire);
                let request = SubscribeRequest { source: self.source.to_owned(), after, types: Vec::new() };
                self.client.subscribe(request).await.map_err(contract::error)?.into_inner()
            }
        };
        let response = stream.message().await.map_err(contract::error)?;
        self.stream = Some(stream);
        Ok(response)
    }

    async fn wait(&mut self, error: Error) {
        if error.code() != Code::Unavailable {
            tracing::warn!(source = self.source, error = ?error, "events cannot be read; trying again");
        }
        self.pause().await;
    }

    async fn pause(&mut self) {
        self.stream = None;
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }
}

pub(crate) fn from_wire(position: contract::souk::event::v1::Position) -> Position {
    Position { epoch: position.epoch, sequence: position.sequence }
}
