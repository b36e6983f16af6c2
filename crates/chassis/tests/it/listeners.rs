//! Connections that say nothing or never finish, on real sockets. What depends on time is tested in the crate, with the clock in
//! hand.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use chassis::{Context, HttpAddress, LISTENERS, Options, Role, Running, Service, Starting, run};
use futures_util::StreamExt;
use http::{Request, Response};
use http_body_util::{Full, StreamBody};
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

    fn call(&mut self, _: Request<Body>) -> mesh::Response {
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

/// A process with every listener.
pub async fn start() -> Running {
    start_with(Options::new("mem:")).await
}

async fn start_with(mut options: Options) -> Running {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    options.grpc = Some(free);
    options.metrics = Some(free);
    options.http = vec![HttpAddress { role: "product", flag: "--web", address: free }];
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
async fn connect(address: SocketAddr) -> (SendRequest<Body>, tokio::task::JoinHandle<()>) {
    let stream = TcpStream::connect(address).await.expect("connected");
    stream.set_nodelay(true).expect("a TCP stream");
    let (sender, connection) =
        Builder::new(TokioExecutor::new()).handshake(TokioIo::new(stream)).await.expect("HTTP/2");
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
    let mut options = Options::new("mem:");
    options.config.set(LISTENERS, "greeting_ms", 2_000);
    let running = start_with(options).await;
    let addresses =
        [grpc(&running), running.addresses.metrics.expect("bound"), running.addresses.http["product"]];
    let mut open = Vec::new();
    for address in addresses {
        for begun in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", b"GET / HTTP/1.1\r\nhost:"] {
            let mut stream = TcpStream::connect(address).await.expect("connected");
            // A slow machine may have closed it already.
            let _ = stream.write_all(begun).await;
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
async fn a_body_that_stalls_holds_no_place_and_ends_at_its_deadline() {
    let running = start().await;
    let (sender, _ends) = connect(grpc(&running)).await;
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
    let (sender, _ends) = connect(grpc(&running)).await;
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
