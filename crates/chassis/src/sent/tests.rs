//! Answers and connections of HTTP/2 over pipes, with the clock in hand.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::AtomicUsize;

use http::{Request, Response};
use http_body_util::{Full, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use mesh::Endpoint;
use tokio::task::JoinHandle;

use super::*;
use crate::Drain;
use crate::connections::ListenerMetrics;
use crate::listener::{Limits, Table};
use crate::serve;

const LIST: &str = "/souk.product.v1.ProductService/ListProducts";
const WRITE: Duration = Duration::from_secs(30);
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 1);

/// A message that is counted for as long as any of it is in memory.
struct Message(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

fn table() -> Arc<Table> {
    let limits = Limits {
        connections_max: 8,
        per_address_max: 4,
        greeting: Duration::from_secs(10),
        head: None,
        idle: Duration::from_secs(300),
        write: WRITE,
    };
    Table::new("grpc", limits, Arc::new(ListenerMetrics::default()))
}

/// Answers every call with so many bytes, and counts the messages that are in memory.
fn large(length: usize, in_memory: &Arc<AtomicUsize>) -> Arc<dyn Endpoint> {
    let in_memory = in_memory.clone();
    mesh::boxed(move |_| {
        in_memory.fetch_add(1, Ordering::SeqCst);
        let message = Bytes::from_owner(Message(vec![b'x'; length], in_memory.clone()));
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let frames = [Frame::data(message), Frame::trailers(trailers)];
        let body = StreamBody::new(futures_util::stream::iter(frames.map(Ok::<_, Status>)));
        Box::pin(std::future::ready(Ok(Response::new(Body::new(body)))))
    })
}

/// A client, the connection as the listener sees it, and the task that serves it.
async fn connect(
    table: &Arc<Table>,
    endpoint: Arc<dyn Endpoint>,
    window: u32,
) -> (SendRequest<Body>, Weak<Connection>, JoinHandle<()>) {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let connection = table.admit(PEER).expect("room");
    let watched = Arc::downgrade(&connection);
    let served = tokio::spawn(async move {
        tokio::select! {
            () = serve::connection(theirs, PEER, connection.clone(), endpoint, Drain::default()) => {}
            () = connection.cutting() => {}
        }
    });
    let (sender, client) = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(window)
        .handshake(TokioIo::new(ours))
        .await
        .expect("HTTP/2");
    // However it ends.
    tokio::spawn(async move { drop(client.await) });
    (sender, watched, served)
}

async fn ask(sender: &SendRequest<Body>, is_role: bool) -> Response<Incoming> {
    let request = Request::post(format!("http://souk{LIST}")).header("content-type", "application/grpc");
    let request = if is_role { request.header(mesh::peer::PEER_HEADER, "shop") } else { request };
    let request = request.body(Body::new(Full::default())).expect("a request");
    sender.clone().send_request(request).await.expect("a head")
}

/// Lets everything happen that needs no time.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_stall_beside_one_that_is_read_are_freed_count_on_and_end_the_connection() {
    const LENGTH: usize = 1 << 20;
    const STALLED: usize = 5;
    let (table, in_memory) = (table(), Arc::default());
    let (sender, connection, served) = connect(&table, large(LENGTH, &in_memory), 16 << 10).await;
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        stalled.push(ask(&sender, false).await);
    }
    let mut read = ask(&sender, false).await;
    settle().await;
    let counts = || {
        let calls = table.calls().spent();
        (in_memory.load(Ordering::SeqCst), calls, table.answers().spent())
    };
    assert_eq!(counts(), (STALLED + 1, STALLED + 1, (STALLED + 1) * LENGTH));
    let mut passed = Duration::ZERO;
    while passed < WRITE * 2 {
        assert!(connection.upgrade().is_some_and(|connection| !connection.is_cut()), "after {passed:?}");
        read.frame().await.expect("a frame").expect("data");
        tokio::time::sleep(Duration::from_secs(10)).await;
        passed += Duration::from_secs(10);
        table.sweep();
        if (WRITE..WRITE * 2).contains(&passed) {
            assert_eq!(counts(), (1, STALLED + 1, (STALLED + 1) * LENGTH), "freed, and not forgotten");
        }
    }
    served.await.expect("no panic");
    drop((stalled, read, sender));
    settle().await;
    assert_eq!(counts(), (0, 0, 0));
    assert!(connection.upgrade().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_role_that_leaves_one_answer_lying_keeps_its_connection_and_learns_why_it_ended() {
    let table = table();
    let (sender, connection, _served) = connect(&table, large(100_000, &Arc::default()), 16 << 10).await;
    let mut stalled = ask(&sender, true).await;
    for _ in 0..10 {
        let other = ask(&sender, true).await.into_body().collect().await.expect("the other answers");
        assert_eq!(other.to_bytes().len(), 100_000, "nothing is lost between the pieces");
        tokio::time::sleep(Duration::from_secs(10)).await;
        table.sweep();
    }
    assert!(connection.upgrade().is_some_and(|connection| !connection.is_cut()));
    let trailers = loop {
        let frame = stalled.frame().await.expect("trailers before the end").expect("no reset");
        if let Ok(trailers) = frame.into_trailers() {
            break trailers;
        }
    };
    let status = Status::from_header_map(&trailers).expect("a status");
    assert_eq!(status.message(), "the answer was not read in time");
    assert_eq!(contract::error(status).reason(), "DEADLINE_EXCEEDED");
}

#[tokio::test(start_paused = true)]
async fn an_answer_counts_until_http2_has_written_it() {
    let table = table();
    let (sender, connection, _served) = connect(&table, large(10_000, &Arc::default()), 1).await;
    let answers = [ask(&sender, false).await, ask(&sender, false).await];
    settle().await;
    assert_eq!((table.calls().spent(), table.answers().spent()), (2, 20_000));
    let [read, dropped] = answers;
    drop(dropped);
    settle().await;
    assert_eq!((table.calls().spent(), table.answers().spent()), (1, 10_000), "reset by its reader");
    read.into_body().collect().await.expect("read");
    settle().await;
    assert_eq!((table.calls().spent(), table.answers().spent()), (0, 0));
    assert!(connection.upgrade().is_some_and(|connection| connection.idle_since().is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_only_answers_pings_is_idle() {
    let table = table();
    let (sender, connection, served) = connect(&table, large(100, &Arc::default()), 16 << 10).await;
    ask(&sender, false).await.into_body().collect().await.expect("read");
    tokio::spawn(table.clone().watch());
    tokio::time::sleep(Duration::from_secs(290)).await;
    assert!(connection.upgrade().is_some(), "pings every {:?} were answered", policy::KEEPALIVE);
    tokio::time::timeout(Duration::from_secs(20), served).await.expect("it is closed").expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_takes_are_few_and_delay_no_other_connection() {
    let (table, in_memory) = (table(), Arc::default());
    let (sender, _, served) = connect(&table, large(100_000, &in_memory), 0).await;
    let mut calls = Vec::new();
    for _ in 0..policy::CALLS_SERVED_PER_CONNECTION_MAX {
        // Its head comes; of its body nothing can.
        calls.push(ask(&sender, false).await);
    }
    // One more waits, and is not worked on.
    let waiting = tokio::spawn({
        let sender = sender.clone();
        async move { ask(&sender, false).await }
    });
    let (other, _, _other_served) = connect(&table, large(100_000, &Arc::default()), 1 << 20).await;
    let body = ask(&other, false).await.into_body().collect().await.expect("a whole answer").to_bytes();
    assert_eq!(body.len(), 100_000, "another connection does not wait, and loses nothing to the pieces");
    assert_eq!(in_memory.load(Ordering::SeqCst), policy::CALLS_SERVED_PER_CONNECTION_MAX);
    let refused = waiting.await.expect("no panic");
    let status = Status::from_header_map(refused.headers()).expect("a status");
    assert_eq!(contract::error(status).reason(), "OVERLOADED");
    tokio::time::sleep(WRITE).await;
    table.sweep();
    served.await.expect("no panic");
    drop((calls, sender));
    settle().await;
    assert_eq!((in_memory.load(Ordering::SeqCst), table.calls().spent()), (0, 0));
}
