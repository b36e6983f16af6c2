//! Answers of one HTTP/2 connection on their way out. HTTP/2 has a window for each stream, and a reader who opens none keeps
//! every answer in this process. So an answer goes out in pieces, so many calls of a connection are served at once, what
//! nobody takes is freed, and an answer counts for its address until its last byte is written.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use kernel::{Code, Error};
use mesh::{Spent, policy};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

use crate::connection::{Connection, InFlight, Unsent};
use crate::held_bytes::HeldBytes;

#[cfg(test)]
mod tests;

/// How many times the write limit one answer may lie before its connection is cut, whatever else is read on it.
const STALLED_LIMITS_MAX: u32 = 2;

/// The answers of one connection that are not written yet.
pub(crate) struct Answers {
    numbers: AtomicU64,
    unsent: Mutex<HashMap<u64, Weak<Answer>>>,
    began: Instant,
    /// When the other side last made room for anything, in milliseconds since `began`.
    taken: AtomicU64,
    calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

/// What a call of this connection counts for while it is served and until its answer is written.
pub(crate) struct CallSlot {
    /// `None` for a role's.
    _permit: Option<OwnedSemaphorePermit>,
    _call: Option<Spent>,
    request: InFlight,
    is_role: bool,
}

/// One answer. Its body and each piece that is not written hold it.
pub(crate) struct Answer {
    answers: Arc<Answers>,
    number: u64,
    slot: CallSlot,
    source: Mutex<Source>,
    delivery: Mutex<Delivery>,
}

/// Where an answer's bytes come from.
struct Source {
    stage: Stage,
    /// What was made and not handed to HTTP/2 yet.
    rest: Option<Result<Frame<Bytes>, Status>>,
    /// Whether pieces are copied, because they would keep a large message in memory.
    copies: bool,
    /// Counts the largest message so far.
    counted: Option<Spent>,
    counted_bytes: usize,
    may_refuse: bool,
}

enum Stage {
    Open(Body),
    /// Freed because its reader left it lying; the reader is yet to learn why.
    Dropped,
    Ended,
}

/// What HTTP/2 has of an answer and could not write.
#[derive(Default)]
struct Delivery {
    pieces: usize,
    /// Since when its reader has taken nothing; `None` when there is nothing to take.
    lies_since: Option<Instant>,
}

impl Answers {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            numbers: AtomicU64::new(0),
            unsent: Mutex::default(),
            began: Instant::now(),
            taken: AtomicU64::new(0),
            calls: Arc::new(Semaphore::new(policy::CALLS_SERVED_PER_CONNECTION_MAX)),
            streams: Arc::new(Semaphore::new(policy::STREAMS_PER_CONNECTION_MAX)),
        })
    }

    /// A slot for a call: at once for roles, which are bounded by what they do for others; a stream's at once or not at all;
    /// another's when one is free.
    ///
    /// # Errors
    /// What to answer when there is none.
    pub(crate) async fn enter(
        &self,
        request: InFlight,
        is_role: bool,
        is_stream: bool,
    ) -> Result<CallSlot, &'static str> {
        if is_role {
            return Ok(CallSlot { _permit: None, _call: None, request, is_role });
        }
        let call = request.connection().open_call();
        let call = call.ok_or("this address has too many calls open; try again shortly")?;
        let permit = if is_stream {
            let most = "this connection has too many streams open; close one first";
            self.streams.clone().try_acquire_owned().map_err(|_| most)?
        } else {
            let waited = tokio::time::timeout(policy::CALLS_WAIT_MAX, self.calls.clone().acquire_owned());
            let unread = "the answers of this connection are not being read";
            waited.await.ok().and_then(Result::ok).ok_or(unread)?
        };
        Ok(CallSlot { _permit: Some(permit), _call: Some(call), request, is_role })
    }

    /// An answer's body, watched until it is written; `None` when its address leaves too much lying already.
    pub(crate) fn send(self: &Arc<Self>, body: Body, slot: CallSlot, may_refuse: bool) -> Option<AnswerBody> {
        if body.is_end_stream() {
            return Some(AnswerBody::Short(body));
        }
        let mut source = Source {
            stage: Stage::Open(body),
            rest: None,
            copies: false,
            counted: None,
            counted_bytes: 0,
            may_refuse: may_refuse && !slot.is_role,
        };
        // A message is smaller as bytes than as what it is made from.
        if let Stage::Open(body) = &mut source.stage
            && let Some(first) = body.frame().now_or_never()
        {
            let Some(frame) = first else { return Some(AnswerBody::Short(Body::empty())) };
            if let Ok(frame) = &frame
                && !source.count(frame, slot.request.connection())
                && may_refuse
            {
                return None;
            }
            source.rest = Some(frame);
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let answer = Arc::new(Answer {
            answers: self.clone(),
            number,
            slot,
            source: Mutex::new(source),
            delivery: Mutex::default(),
        });
        self.unsent.lock().insert(number, Arc::downgrade(&answer));
        Some(AnswerBody::Watched(answer))
    }

    fn since_began(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }
}

impl Unsent for Answers {
    fn drop_stalled(&self, now: Instant, most: Duration) -> bool {
        // Upgraded under the lock, dropped outside of it: the last handle takes the lock again.
        let unsent: Vec<Arc<Answer>> = self.unsent.lock().values().filter_map(Weak::upgrade).collect();
        let mut any = false;
        for answer in unsent {
            let lies = answer.delivery.lock().lies_since.map(|since| now.saturating_duration_since(since));
            let Some(lies) = lies.filter(|lies| *lies >= most) else { continue };
            answer.free(Stage::Dropped);
            any = true;
            // A role that is busy leaves a stream of events lying; its other calls go on.
            if lies >= most * STALLED_LIMITS_MAX && !answer.slot.is_role {
                return true;
            }
        }
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        any && self.since_began(now).saturating_sub(self.taken.load(Ordering::Relaxed)) >= most
    }
}

impl Answer {
    /// Frees what is behind the pieces that HTTP/2 has. The answer counts on, since its reader may stay as long as the
    /// connection does.
    fn free(&self, stage: Stage) {
        let mut source = self.source.lock();
        if matches!(source.stage, Stage::Open(_)) || source.rest.is_some() {
            let freed = (std::mem::replace(&mut source.stage, stage), source.rest.take());
            drop(source);
            drop(freed);
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.answers.unsent.lock().remove(&self.number);
    }
}

/// A piece of an answer that HTTP/2 has.
pub(crate) struct PieceGuard(Arc<Answer>);

impl PieceGuard {
    fn new(answer: &Arc<Answer>) -> Self {
        let mut delivery = answer.delivery.lock();
        delivery.pieces += 1;
        delivery.lies_since.get_or_insert_with(Instant::now);
        Self(answer.clone())
    }
}

impl Drop for PieceGuard {
    fn drop(&mut self) {
        let (now, answers) = (Instant::now(), &self.0.answers);
        let mut delivery = self.0.delivery.lock();
        delivery.pieces -= 1;
        delivery.lies_since = (delivery.pieces > 0).then_some(now);
        drop(delivery);
        answers.taken.store(answers.since_began(now), Ordering::Relaxed);
    }
}

/// The body of an answer as HTTP/2 gets it.
pub(crate) enum AnswerBody {
    /// Small, or empty: not watched.
    Short(Body),
    /// Watched until it is written.
    Watched(Arc<Answer>),
}

impl Drop for AnswerBody {
    /// Drops what makes the answer here, since pieces are dropped under a lock of HTTP/2 that it may need: the request that
    /// it reads is of the same connection.
    fn drop(&mut self) {
        if let Self::Watched(answer) = self {
            answer.free(Stage::Ended);
        }
    }
}

impl Source {
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        connection: &Connection,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let next = match (self.rest.take(), &mut self.stage) {
            (Some(rest), _) => Some(rest),
            (None, Stage::Open(body)) => {
                let frame = ready!(Pin::new(body).poll_frame(context));
                if let Some(Ok(frame)) = &frame
                    && !self.count(frame, connection)
                    && self.may_refuse
                {
                    let error = overloaded(
                        "the answers to this address are not being read; go on from where you are",
                    );
                    Some(Ok(self.end_with(error)))
                } else {
                    frame
                }
            }
            (None, Stage::Dropped) => {
                let message = "the answer was not read in time";
                let error = Error::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", message);
                Some(Ok(self.end_with(error)))
            }
            (None, Stage::Ended) => None,
        };
        Poll::Ready(match next {
            Some(Ok(frame)) => Some(Ok(self.piece(frame))),
            end => {
                self.stage = Stage::Ended;
                end
            }
        })
    }

    /// Counts a message that is larger than those before; whether there was room for it.
    fn count(&mut self, frame: &Frame<Bytes>, connection: &Connection) -> bool {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        if bytes > self.counted_bytes {
            self.counted_bytes = bytes;
            self.counted = None;
            self.counted = connection.keep_answer(bytes);
            return self.counted.is_some();
        }
        true
    }

    fn end_with(&mut self, error: Error) -> Frame<Bytes> {
        self.stage = Stage::Ended;
        let mut trailers = HeaderMap::new();
        if contract::status(error).add_header(&mut trailers).is_err() {
            // What is said of it does not fit into a header; its code does.
            trailers.insert("grpc-status", HeaderValue::from_static("13"));
        }
        Frame::trailers(trailers)
    }

    /// The first piece of a frame; the rest of it waits. A piece of a large message, and of whatever shares its buffer, is
    /// copied: HTTP/2 keeps a piece that is not read, and would keep the whole message with it.
    fn piece(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        let mut data = match frame.into_data() {
            Ok(data) => data,
            Err(other) => return other,
        };
        self.copies |= data.len() > policy::ANSWER_PIECE_BYTES;
        if !self.copies {
            return Frame::data(data);
        }
        let length = data.len().min(policy::ANSWER_PIECE_BYTES);
        let piece = Bytes::copy_from_slice(&data[..length]);
        data.advance(length);
        if data.has_remaining() {
            self.rest = Some(Ok(Frame::data(data)));
        }
        Frame::data(piece)
    }
}

/// An address leaves too much lying, or has too much open.
pub(crate) fn overloaded(message: &'static str) -> Error {
    Error::new(Code::ResourceExhausted, "OVERLOADED", message).retry_after_ms(1000)
}

impl http_body::Body for AnswerBody {
    type Data = HeldBytes<Option<PieceGuard>>;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        Poll::Ready(match self.get_mut() {
            Self::Short(body) => {
                let frame = ready!(Pin::new(body).poll_frame(context));
                frame.map(|frame| Ok(frame?.map_data(|bytes| HeldBytes::new(bytes, None))))
            }
            Self::Watched(answer) => {
                let connection = answer.slot.request.connection();
                let frame = ready!(answer.source.lock().poll(context, connection));
                let held = |bytes| HeldBytes::new(bytes, Some(PieceGuard::new(answer)));
                frame.map(|frame| Ok(frame?.map_data(held)))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Short(body) => body.is_end_stream(),
            Self::Watched(answer) => {
                let source = answer.source.lock();
                source.rest.is_none()
                    && match &source.stage {
                        Stage::Open(body) => body.is_end_stream(),
                        Stage::Dropped => false,
                        Stage::Ended => true,
                    }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
