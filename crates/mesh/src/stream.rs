//! Streams have no deadline: they live as long as their caller wants them. Instead there is a limit of how many are open, and
//! one that is silent for longer than its contract says ends; its caller goes on from the position that it has.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use kernel::{Code, Error};
use tokio::time::{Instant, Sleep};
use tonic::Status;
use tonic::body::Body;

use crate::{Admission, Answer, Call, Layer, policy};

/// The layer.
pub struct Streams<N> {
    pub(crate) admission: Arc<Admission>,
    pub(crate) next: N,
}

impl<N: Layer> Layer for Streams<N> {
    async fn call(&self, call: Box<Call>) -> Answer {
        let Some(method) = call.method.filter(|method| method.server_streaming) else {
            return self.next.call(call).await;
        };
        let place = Open::new(&self.admission)?;
        let response = self.next.call(call).await?;
        let idle = method.timeout;
        Ok(response.map(|body| {
            let timer = Box::pin(tokio::time::sleep(idle));
            Body::new(Watched { body: Some(body), timer, idle, _place: place })
        }))
    }
}

/// A stream that is open.
struct Open(Arc<Admission>);

impl Open {
    fn new(admission: &Arc<Admission>) -> Result<Self, Error> {
        let before = admission.streams.fetch_add(1, Ordering::AcqRel);
        let place = Self(admission.clone());
        if before >= policy::STREAMS_OPEN_MAX {
            let message = "too many streams are open here; try again shortly";
            return Err(Error::new(Code::ResourceExhausted, "OVERLOADED", message).retry_after_ms(1000));
        }
        Ok(place)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The body of a stream: ends with a status when nothing comes for too long.
struct Watched {
    /// `None` once it has ended.
    body: Option<Body>,
    timer: Pin<Box<Sleep>>,
    idle: Duration,
    _place: Open,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let Some(body) = this.body.as_mut() else { return Poll::Ready(None) };
        match Pin::new(body).poll_frame(context) {
            Poll::Ready(frame) => {
                this.timer.as_mut().reset(Instant::now() + this.idle);
                Poll::Ready(frame)
            }
            Poll::Pending if this.timer.as_mut().poll(context).is_ready() => {
                this.body = None;
                Poll::Ready(Some(Ok(Frame::trailers(silent(this.idle)))))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

fn silent(idle: Duration) -> HeaderMap {
    let message = format!("nothing came for {} s; ask again from where you are", idle.as_secs());
    let status = contract::status(Error::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", message));
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        // What is said of it does not fit into a header; its code does.
        trailers.insert("grpc-status", http::HeaderValue::from_static("4"));
    }
    trailers
}
