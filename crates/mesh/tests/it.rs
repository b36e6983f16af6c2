//! Both transports behind one channel: the same layers, the same answers.

#![expect(clippy::disallowed_methods, reason = "these tests serve on free ports themselves")]

mod fixture;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use contract::souk::event::v1::{GetStatusRequest, SubscribeRequest};
use fixture::House;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kernel::{Code, Error};
use mesh::{Effect, Endpoint, FaultRule, Scope, Target, with_scope};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tonic::body::Body;

fn about(source: &str) -> GetStatusRequest {
    GetStatusRequest { source: source.to_owned(), ..GetStatusRequest::default() }
}

/// Serves the `product` of a house over HTTP/2 on a free port.
async fn listen(house: &House) -> SocketAddr {
    let Some(Target::Local(endpoint)) = house.routes.directory.find("product") else {
        panic!("product runs here")
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let endpoint: Arc<dyn Endpoint> = endpoint.clone();
            let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                endpoint.call(request.map(Body::new))
            });
            tokio::spawn(
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

/// A house whose `product` is elsewhere, and the house where it is.
async fn apart(secret: u8) -> (House, House) {
    let there = House::new(1);
    let here = House::new(secret);
    here.routes.directory.add_remote("product", listen(&there).await);
    (here, there)
}

async fn error(house: &House, source: &str) -> Error {
    contract::error(house.client("order", "product").get_status(about(source)).await.expect_err("an error"))
}

#[tokio::test]
async fn a_call_is_the_same_in_process_and_over_http2() {
    let (remote, _there) = apart(1).await;
    for house in [House::new(1), remote] {
        let mut client = house.client("order", "product");
        assert_eq!(
            client.get_status(about("who")).await.expect("an answer").into_inner().count,
            1,
            "the callee sees the role"
        );
        let unknown = error(&house, "nothing").await;
        assert_eq!((unknown.code(), unknown.reason()), (Code::NotFound, "UNKNOWN_SOURCE"));
        let panicked = error(&house, "panic").await;
        assert_eq!(
            (panicked.code(), panicked.message()),
            (Code::Internal, "something went wrong on our side")
        );
        let mut stream = client.subscribe(SubscribeRequest::default()).await.expect("a stream").into_inner();
        assert!(stream.message().await.expect("readable").is_some());
        assert!(stream.message().await.expect("ended").is_none());
    }
}

/// What is logged, as it is written.
#[derive(Clone, Default)]
struct Written(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic under it").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_internal_error_is_logged_once_where_it_happened() {
    let (remote, _there) = apart(1).await;
    for house in [House::new(1), remote] {
        let written = Written::default();
        let writer = written.clone();
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let _log = tracing::subscriber::set_default(log);
        for (source, cause) in [("broken", "disk 7 is gone"), ("panic", "as the test asked")] {
            written.0.lock().expect("no panic under it").clear();
            let trace = mesh::Trace::default().child();
            let request_id = Some(Arc::from("visitor-0001"));
            let scope = Scope { trace, request_id, ..Scope::default() };
            let error = with_scope(scope, error(&house, source)).await;
            assert!(!format!("{error:?}").contains(cause), "the cause stays where it happened: {error:?}");
            assert!(error.is_logged());
            let text = String::from_utf8(written.0.lock().expect("no panic under it").clone()).expect("text");
            let lines: Vec<&str> = text.lines().filter(|line| line.contains("ERROR")).collect();
            let [line] = lines[..] else { panic!("{} lines: {text}", lines.len()) };
            for part in [
                cause,
                "caller=\"order\"",
                "method=\"/souk.event.v1.EventService/GetStatus\"",
                "request_id=\"visitor-0001\"",
                &format!("trace_id=\"{}\"", trace.id()),
                "principal=\"anonymous\"",
            ] {
                assert!(line.contains(part), "{part} is not in {line}");
            }
        }
    }
}

#[tokio::test]
async fn the_layers_change_nothing_about_an_answer() {
    assert_eq!(
        fixture::ask(fixture::bare()).await,
        fixture::ask(House::new(1).client("order", "product")).await
    );
}

#[tokio::test]
async fn a_house_with_another_secret_is_not_believed() {
    let (stranger, _there) = apart(2).await;
    assert_eq!(error(&stranger, "who").await.reason(), "PEER_INVALID");
}

#[tokio::test]
async fn what_is_left_of_a_deadline_is_inherited() {
    let (remote, _there) = apart(1).await;
    for house in [House::new(1), remote] {
        let deadline = Some(Instant::now() + Duration::from_millis(50));
        let failed = with_scope(Scope { deadline, ..Scope::default() }, error(&house, "wait")).await;
        assert_eq!(failed.code(), Code::DeadlineExceeded);
        let spent = Some(Instant::now());
        let failed = with_scope(Scope { deadline: spent, ..Scope::default() }, error(&house, "who")).await;
        assert_eq!(failed.code(), Code::DeadlineExceeded);
    }
}

#[tokio::test(start_paused = true)]
async fn a_method_takes_no_longer_than_its_contract_says() {
    let house = House::new(1);
    let began = Instant::now();
    assert_eq!(error(&house, "wait").await.code(), Code::DeadlineExceeded);
    assert_eq!(began.elapsed(), Duration::from_secs(1));
}

#[tokio::test]
async fn nobody_there_says_so_and_comes_back() {
    let house = House::new(1);
    house.routes.directory.remove("product");
    assert_eq!(error(&house, "who").await.code(), Code::Unavailable);
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = free.local_addr().expect("bound");
    drop(free);
    house.routes.directory.add_remote("product", address);
    assert_eq!(error(&house, "who").await.code(), Code::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn faults_do_what_they_say_and_end() {
    let house = House::new(1);
    let rule = |effect, times| FaultRule {
        method: "/souk.event.v1.EventService/".into(),
        caller: Some("order".into()),
        per_million: 1_000_000,
        effect,
        until: Instant::now() + Duration::from_secs(60),
        times: Some(times),
    };
    let path = "/souk.event.v1.EventService/GetStatus";
    let served = || house.guards.telemetry.answered(path);
    let made = || house.routes.telemetry.answered(path);
    house.routes.faults.add(rule(Effect::Abort, 1)).expect("added");
    assert_eq!(error(&house, "who").await.reason(), "FAULT_INJECTED");
    assert_eq!((made(), served()), (1, 0), "the caller was answered; the callee never heard of it");
    house.routes.faults.add(rule(Effect::DropAnswer, 1)).expect("added");
    assert_eq!(error(&house, "who").await.reason(), "FAULT_INJECTED");
    assert_eq!(served(), 1, "it was made, and its answer lost");
    house.routes.faults.add(rule(Effect::Duplicate, 1)).expect("added");
    fixture::ask(house.client("order", "product")).await;
    assert_eq!((made(), served()), (3, 3), "the callee heard it twice");
    house.routes.faults.add(rule(Effect::Delay(Duration::from_secs(5)), 1)).expect("added");
    let began = Instant::now();
    fixture::ask(house.client("order", "product")).await;
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    house.routes.faults.add(rule(Effect::Abort, 9)).expect("added");
    fixture::ask(house.client("cart", "product")).await;
    tokio::time::advance(Duration::from_secs(61)).await;
    fixture::ask(house.client("order", "product")).await;
}

#[tokio::test]
async fn what_cannot_be_decoded_is_the_callers_fault() {
    use http_body_util::Full;
    let house = House::new(1);
    let Some(Target::Local(endpoint)) = house.routes.directory.find("product") else {
        panic!("product runs here")
    };
    // field 1, length-delimited, one byte that is no UTF-8; in a gRPC frame of three bytes
    let frame = bytes::Bytes::from_static(&[0, 0, 0, 0, 3, 0x0a, 1, 0xff]);
    let request = http::Request::post("/souk.event.v1.EventService/GetStatus")
        .header("content-type", "application/grpc");
    let peer = house.guards.peers.sign("order");
    let request = request.header("souk-peer", peer).body(Body::new(Full::new(frame))).expect("a request");
    let Ok(response) = endpoint.call(request).await;
    let failed = contract::error(tonic::Status::from_header_map(response.headers()).expect("a status"));
    assert_eq!(failed.code(), Code::InvalidArgument);
    assert_eq!(failed.violations()[0].field, "/source");
}

fn silent() -> SubscribeRequest {
    events_of("silent")
}

fn events_of(source: &str) -> SubscribeRequest {
    SubscribeRequest { source: source.to_owned(), ..SubscribeRequest::default() }
}

fn request_id(status: &tonic::Status) -> &str {
    status.metadata().get("request-id").and_then(|id| id.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn an_error_names_its_request_in_the_logs() {
    let (house, _there) = apart(1).await;
    let client = house.client("order", "product");
    let nameless = client.clone().get_status(about("nobody")).await.expect_err("an error");
    assert_eq!(request_id(&nameless).len(), 32, "{nameless:?}");
    let scope = || Scope { request_id: Some("req_of_mine".into()), ..Scope::default() };
    let mut asking = client.clone();
    let named = with_scope(scope(), asking.get_status(about("nobody"))).await.expect_err("an error");
    assert_eq!(request_id(&named), "req_of_mine");
    let mut asking = client.clone();
    let stream = with_scope(scope(), asking.subscribe(events_of("broken"))).await.expect("a stream");
    let mut stream = stream.into_inner();
    assert!(stream.message().await.expect("the first").is_some());
    let ended = stream.message().await.expect_err("it fails");
    assert_eq!((ended.code(), request_id(&ended)), (tonic::Code::Internal, "req_of_mine"));
    assert!(!ended.message().contains("disk"), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_ends_when_its_contract_says() {
    let house = House::new(1);
    let began = Instant::now();
    let mut stream =
        house.client("order", "product").subscribe(silent()).await.expect("a stream").into_inner();
    assert!(stream.message().await.expect("the first").is_some());
    let error = contract::error(stream.message().await.expect_err("silence"));
    assert_eq!((error.code(), error.reason()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
    assert_eq!(began.elapsed().as_secs(), 60);
    assert!(stream.message().await.is_ok_and(|message| message.is_none()), "it has ended");
}

#[tokio::test(start_paused = true)]
async fn streams_have_a_limit_of_their_own() {
    let house = House::new(1);
    let client = house.client("order", "product");
    let mut open = Vec::new();
    while let Ok(stream) = client.clone().subscribe(silent()).await {
        open.push(stream);
    }
    assert_eq!(open.len(), mesh::policy::STREAMS_OPEN_MAX);
    let error = contract::error(client.clone().subscribe(silent()).await.expect_err("full"));
    assert_eq!((error.code(), error.reason()), (Code::ResourceExhausted, "OVERLOADED"));
    // Other calls are not touched by it, and a stream that ends makes room.
    client.clone().get_status(about("")).await.expect("answered");
    open.pop();
    client.clone().subscribe(silent()).await.expect("there is room");
}

#[tokio::test(start_paused = true)]
async fn one_guest_cannot_take_the_streams_of_all() {
    let house = House::new(1);
    let client = house.client("order", "product");
    let guest = |bits| mesh::Scope {
        principal: Some(std::sync::Arc::new(mesh::Verified::on_behalf_of(mesh::Principal::Guest {
            id: kernel::GuestId::from_bits(bits),
            session: kernel::SessionId::from_bits(bits),
        }))),
        ..mesh::Scope::default()
    };
    let mut open = Vec::new();
    let refused = loop {
        match mesh::with_scope(guest(1), client.clone().subscribe(silent())).await {
            Ok(stream) => open.push(stream),
            Err(status) => break contract::error(status),
        }
    };
    assert_eq!((open.len(), refused.reason()), (mesh::policy::STREAMS_PER_OWNER_MAX, "OVERLOADED"));
    mesh::with_scope(guest(2), client.clone().subscribe(silent())).await.expect("another guest has his own");
    open.pop();
    mesh::with_scope(guest(1), client.clone().subscribe(silent())).await.expect("there is room");
}

#[tokio::test]
async fn where_a_role_runs_is_not_told_to_its_callers() {
    let house = House::new(1);
    // A port that was free a moment ago: nobody listens there.
    let free =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("bound");
    house.routes.directory.add_remote("away", free);
    let error = contract::error(house.client("order", "away").get_status(about("")).await.expect_err("away"));
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, "UNAVAILABLE"));
    assert!(!error.message().contains(&free.port().to_string()), "{}", error.message());
    assert!(!error.message().contains("127.0.0.1"), "{}", error.message());
}
