//! Answers of one HTTP/2 connection on their way out. HTTP/2 has a window for each stream, and a reader who opens none keeps
//! every answer in this process. So an answer goes out in pieces, so many calls of a connection are served at once, and what
//! nobody takes is let go of.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use mesh::{Spent, policy};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

use crate::connection::{Connection, InFlight, Unsent};

/// The answers of one connection that are on their way.
pub(crate) struct Answers {
    numbers: AtomicU64,
    on_their_way: Mutex<OnTheirWay>,
    places: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

struct OnTheirWay {
    answers: HashMap<u64, Arc<Mutex<State>>>,
    /// When the other side made room for anything last.
    taken: Instant,
}

/// What a call of this connection has while it is served and its answer is taken.
pub(crate) struct Place {
    _permit: Option<OwnedSemaphorePermit>,
    _call: Option<Spent>,
    _request: InFlight,
}

struct State {
    /// `None` once it has ended, or was let go of.
    body: Option<Body>,
    /// A piece that was made and not taken.
    queued: Option<Result<Frame<Bytes>, Status>>,
    /// Since when its reader has left it lying; `None` while it waits for us.
    lies_since: Option<Instant>,
    /// HTTP/2 asks for a first piece before the other side has room for it; only what it asks for after that was taken.
    begun: bool,
    place: Option<Place>,
    /// Counts its first message until it has ended.
    kept: Option<Spent>,
}

impl Answers {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            numbers: AtomicU64::new(0),
            on_their_way: Mutex::new(OnTheirWay { answers: HashMap::new(), taken: Instant::now() }),
            places: Arc::new(Semaphore::new(policy::CALLS_SERVED_PER_CONNECTION_MAX)),
            streams: Arc::new(Semaphore::new(policy::STREAMS_PER_CONNECTION_MAX)),
        })
    }

    /// A place for a call: at once for roles, which are bounded by what they do for others; a stream's at once or not at all;
    /// another's when one is free.
    ///
    /// # Errors
    /// What to answer when there is none.
    pub(crate) async fn enter(
        &self,
        request: InFlight,
        is_role: bool,
        is_stream: bool,
    ) -> Result<Place, &'static str> {
        if is_role {
            return Ok(Place { _permit: None, _call: None, _request: request });
        }
        let call = request.connection().open_call();
        let call = call.ok_or("this address has too many calls open; try again shortly")?;
        let permit = if is_stream {
            let most = "this connection has too many streams open; close one first";
            self.streams.clone().try_acquire_owned().map_err(|_| most)?
        } else {
            let waited =
                tokio::time::timeout(policy::CALLS_WAIT_MAX, self.places.clone().acquire_owned()).await;
            let unread = "the answers of this connection are not being read";
            waited.ok().and_then(Result::ok).ok_or(unread)?
        };
        Ok(Place { _permit: Some(permit), _call: Some(call), _request: request })
    }

    /// An answer's body, watched until its end; `None` when its address leaves too much lying already.
    pub(crate) fn send(
        self: &Arc<Self>,
        body: Body,
        place: Place,
        connection: &Connection,
        may_refuse: bool,
    ) -> Option<Body> {
        if body.is_end_stream() {
            return Some(body);
        }
        let mut state = State {
            body: Some(body),
            queued: None,
            lies_since: Some(Instant::now()),
            begun: false,
            place: Some(place),
            kept: None,
        };
        // A message is smaller as bytes than as what it is made from.
        if let Some(first) = state.body.as_mut().and_then(|body| body.frame().now_or_never()) {
            let Some(frame) = first else { return Some(Body::empty()) };
            let bytes = frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
            state.kept = connection.keep_answer(bytes);
            if state.kept.is_none() && may_refuse {
                return None;
            }
            state.queued = Some(frame);
        }
        let state = Arc::new(Mutex::new(state));
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.on_their_way.lock().answers.insert(number, state.clone());
        Some(Body::new(Sent { answers: self.clone(), number, state }))
    }
}

impl Unsent for Answers {
    fn drop_stalled(&self, now: Instant, most: Duration) -> bool {
        let on_their_way = self.on_their_way.lock();
        let mut lie = false;
        for answer in on_their_way.answers.values() {
            let mut answer = answer.lock();
            if answer.lies_since.is_some_and(|since| now.saturating_duration_since(since) >= most) {
                lie = true;
                // Its stream stays open, and empty, until its reader looks at it or the connection ends.
                answer.body = None;
                answer.queued = None;
                answer.place = None;
                answer.kept = None;
            }
        }
        lie && now.saturating_duration_since(on_their_way.taken) >= most
    }
}

/// The body of an answer that is watched.
struct Sent {
    answers: Arc<Answers>,
    number: u64,
    state: Arc<Mutex<State>>,
}

impl State {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(body) = self.body.as_mut() else {
            let unread = Status::deadline_exceeded("the answer was not read in time");
            return Poll::Ready(self.lies_since.take().map(|_| Err(unread)));
        };
        let frame = match self.queued.take() {
            Some(frame) => Some(frame),
            None => match Pin::new(body).poll_frame(context) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    self.lies_since = None;
                    return Poll::Pending;
                }
            },
        };
        self.lies_since = Some(Instant::now());
        match frame {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(self.piece(frame)))),
            end => {
                self.lies_since = None;
                self.body = None;
                Poll::Ready(end)
            }
        }
    }

    /// The first piece of a frame; the rest of it waits.
    fn piece(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        match frame.into_data() {
            Ok(mut data) if data.len() > policy::ANSWER_PIECE_BYTES => {
                let piece = data.split_to(policy::ANSWER_PIECE_BYTES);
                self.queued = Some(Ok(Frame::data(data)));
                Frame::data(piece)
            }
            Ok(data) => Frame::data(data),
            Err(other) => other,
        }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let (outcome, was_taken) = {
            let mut state = self.state.lock();
            let outcome = state.poll(context);
            let was_taken = state.begun;
            state.begun |= outcome.is_ready();
            (outcome, was_taken)
        };
        if was_taken {
            self.answers.on_their_way.lock().taken = Instant::now();
        }
        outcome
    }

    fn is_end_stream(&self) -> bool {
        let state = self.state.lock();
        state.queued.is_none()
            && match &state.body {
                Some(body) => body.is_end_stream(),
                None => state.lies_since.is_none(),
            }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.answers.on_their_way.lock().answers.remove(&self.number);
    }
}
