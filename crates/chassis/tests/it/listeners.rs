//! Connections that say nothing, take nothing or never finish: what they hold, and for how long. Real sockets on loopback, with
//! settings of a fraction of a second.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use chassis::{Context, HttpAddress, LISTENERS, Options, Role, Running, Service, Starting, run};
use futures_util::StreamExt;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mesh::policy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::body::Body;

/// A method that everybody may call.
pub const LIST: &str = "/souk.product.v1.ProductService/ListProducts";
/// The bytes of what it answers here.
const ANSWER_BYTES: usize = 100_000;
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

const SHOP: Service = Service::new("product", start_shop).about("large answers, and a page");

/// Calls that carry the field `counted`: one test's.
static CALLS: AtomicUsize = AtomicUsize::new(0);

fn start_shop(_: Context) -> Starting {
    Box::pin(async move {
        let page = mesh::boxed(|_| {
            let page = Full::new(Bytes::from(vec![b'x'; 8 << 20]));
            Box::pin(std::future::ready(Ok(Response::new(Body::new(page)))))
        });
        Ok(Role::new().grpc(Large).http(page))
    })
}

/// Answers every call with a large message.
#[derive(Clone)]
struct Large;

impl tonic::server::NamedService for Large {
    const NAME: &'static str = "souk.product.v1.ProductService";
}

impl tower::Service<Request<Body>> for Large {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = mesh::Response;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> mesh::Response {
        if request.headers().contains_key("counted") {
            CALLS.fetch_add(1, Ordering::SeqCst);
        }
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
        let frames = [Frame::data(message(&vec![b'x'; ANSWER_BYTES])), Frame::trailers(trailers)];
        let body = StreamBody::new(futures_util::stream::iter(frames.map(Ok::<_, Infallible>)));
        let response = Response::builder().header("content-type", "application/grpc").body(Body::new(body));
        Box::pin(std::future::ready(Ok(response.expect("a response"))))
    }
}

/// A gRPC message with its prefix.
pub fn message(bytes: &[u8]) -> Bytes {
    let length = u32::try_from(bytes.len()).expect("small").to_be_bytes();
    [&[0][..], &length, bytes].concat().into()
}

/// A process with every listener, and short patience.
pub async fn start() -> Running {
    start_with(600).await
}

/// The same, with this much patience for who does not read, in milliseconds.
async fn start_with(write_ms: i64) -> Running {
    let mut options = Options::new("mem:");
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    options.grpc = Some(free);
    options.metrics = Some(free);
    options.http = vec![HttpAddress { role: "product", flag: "--web", address: free }];
    for (key, value) in
        [("greeting_ms", 400), ("idle_ms", 1_000), ("idle_grpc_ms", 1_000), ("write_ms", write_ms)]
    {
        options.config.set(LISTENERS, key, value);
    }
    options.config.set(LISTENERS, "connections_per_address_percent", 100);
    run(&[SHOP], options).await.expect("starts")
}

/// The gRPC port of a process.
pub fn grpc(running: &Running) -> SocketAddr {
    running.addresses.grpc.expect("bound")
}

async fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let waiting = async {
        while !reached() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// An HTTP/2 connection, and a task that ends with it.
async fn connect(address: SocketAddr, window: u32) -> (SendRequest<Body>, tokio::task::JoinHandle<()>) {
    let stream = TcpStream::connect(address).await.expect("connected");
    stream.set_nodelay(true).expect("a TCP stream");
    let (sender, connection) = Builder::new(TokioExecutor::new())
        .initial_stream_window_size(window)
        .handshake(TokioIo::new(stream))
        .await
        .expect("HTTP/2");
    let ends = tokio::spawn(async move {
        // However it ends.
        let _ = connection.await;
    });
    (sender, ends)
}

/// A call with this body.
pub fn call(path: &str, body: Body) -> Request<Body> {
    Request::post(format!("http://souk{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(body)
        .expect("a request")
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed_on_every_listener() {
    let running = start().await;
    let addresses =
        [grpc(&running), running.addresses.metrics.expect("bound"), running.addresses.http["product"]];
    let mut open = Vec::new();
    for address in addresses {
        for begun in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", b"GET / HTTP/1.1\r\nhost:"] {
            let mut stream = TcpStream::connect(address).await.expect("connected");
            stream.write_all(begun).await.expect("written");
            open.push((address, begun, stream));
        }
    }
    for (address, begun, mut stream) in open {
        let mut rest = Vec::new();
        // What is cut with bytes unread is reset; what matters is that it ends.
        let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "{address} after {:?}", String::from_utf8_lossy(begun));
    }
    for listener in ["grpc", "metrics", "product"] {
        until("places are given back", || running.connections(listener) == 0).await;
    }
    running.stop(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn answers_that_nobody_takes_are_few_and_are_let_go_of() {
    let running = start_with(5_000).await;
    let (sender, ends) = connect(grpc(&running), 0).await;
    let counted = || {
        let mut request = call(LIST, Body::new(Full::new(message(b""))));
        request.headers_mut().insert("counted", http::HeaderValue::from_static("1"));
        request
    };
    let mut calls = Vec::new();
    for _ in 0..policy::CALLS_SERVED_PER_CONNECTION_MAX {
        // Its head comes; of its body nothing can.
        calls.push(sender.clone().send_request(counted()).await.expect("a head"));
    }
    assert_eq!(CALLS.load(Ordering::SeqCst), policy::CALLS_SERVED_PER_CONNECTION_MAX);
    // One more waits, and is not worked on.
    let waiting = tokio::spawn(sender.clone().send_request(counted()));
    let (other, _other_ends) = connect(grpc(&running), 1 << 20).await;
    let answer = other.clone().send_request(counted()).await.expect("answered");
    let body = answer.into_body().collect().await.expect("a whole answer").to_bytes();
    assert_eq!(
        body.len(),
        ANSWER_BYTES + 5,
        "another connection does not wait, and loses nothing to the pieces"
    );
    assert_eq!(CALLS.load(Ordering::SeqCst), policy::CALLS_SERVED_PER_CONNECTION_MAX + 1);
    tokio::time::timeout(PATIENCE, ends).await.expect("the connection is ended").expect("no panic");
    drop((waiting, calls, sender, other));
    until("places are given back", || running.connections("grpc") == 0).await;
    running.stop(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_page_that_nobody_reads_ends_its_connection() {
    let running = start().await;
    let address = running.addresses.http["product"];
    let mut stream = TcpStream::connect(address).await.expect("connected");
    // Pipelined: the second waits for the first.
    let request = b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n";
    stream.write_all(&[&request[..], request].concat()).await.expect("written");
    until("it is there", || running.connections("product") == 1).await;
    until("it is ended", || running.connections("product") == 0).await;
    running.stop(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_body_that_stalls_holds_no_place_and_ends_at_its_deadline() {
    let running = start().await;
    let (sender, _ends) = connect(grpc(&running), 1 << 20).await;
    let mut stalled = Vec::new();
    for _ in 0..50 {
        // A prefix that announces more than comes.
        let begun = futures_util::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[
            0, 0, 0, 4, 0, 1,
        ])))]);
        let body = Body::new(StreamBody::new(begun.chain(futures_util::stream::pending())));
        let mut sender = sender.clone();
        stalled.push(tokio::spawn(async move { sender.send_request(call(LIST, body)).await }));
    }
    until("they are counted", || running.admission().request_bytes() >= 50 * policy::REQUEST_BYTES_MIN).await;
    assert_eq!(running.admission().in_flight(), 0, "none of them has a place");
    for answer in stalled {
        let answer = answer.await.expect("no panic").expect("an answer");
        let error = contract::error(tonic::Status::from_header_map(answer.headers()).expect("a status"));
        assert_eq!(error.reason(), "DEADLINE_EXCEEDED");
    }
    until("their bytes are given back", || running.admission().request_bytes() == 0).await;
    running.stop(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn streams_of_health_are_few_from_one_address_and_one_connection() {
    let running = Arc::new(start().await);
    let (sender, _ends) = connect(grpc(&running), 1 << 20).await;
    let mut open = Vec::new();
    let refused = loop {
        let watch = call("/grpc.health.v1.Health/Watch", Body::new(Full::new(message(b""))));
        let answer = sender.clone().send_request(watch).await.expect("answered");
        if answer.headers().contains_key("grpc-status") {
            break contract::error(tonic::Status::from_header_map(answer.headers()).expect("a status"));
        }
        open.push(answer);
        assert!(open.len() <= policy::FOREIGN_STREAMS_PER_ADDRESS_MAX);
    };
    assert_eq!((open.len(), refused.reason()), (policy::FOREIGN_STREAMS_PER_ADDRESS_MAX, "OVERLOADED"));
    assert_eq!(running.admission().open_streams(), open.len());
    drop(open);
    until("their places are given back", || running.admission().open_streams() == 0).await;
    running.stop(Duration::from_secs(1)).await;
}
