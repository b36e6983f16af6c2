//! What is said to who speaks something else than gRPC, or gRPC badly; health and reflection.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kernel::Code;
use mesh::Channel;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::listeners::{LIST, call, grpc, message, start};

#[tokio::test]
async fn http_1_1_on_the_grpc_port_gets_an_answer_that_says_what_is_spoken_here() {
    let running = start().await;
    for request in [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}",
        "\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "get / HTTP/1.1\r\nhost: a\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(grpc(&running)).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer, then the end");
        assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{answer}");
        assert!(answer.contains("grpcurl -plaintext"), "{answer}");
    }
    running.stop(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn tls_on_the_grpc_port_is_refused_in_its_own_words() {
    let running = start().await;
    let mut stream = TcpStream::connect(grpc(&running)).await.expect("connected");
    stream.write_all(&[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]).await.expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer, then the end");
    assert_eq!(answer, [0x15, 3, 3, 0, 2, 2, 40], "a fatal alert: handshake_failure");
    running.stop(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_request_has_a_limit_of_fields() {
    let running = start().await;
    let stream = TcpStream::connect(grpc(&running)).await.expect("connected");
    let (mut sender, connection) =
        Builder::new(TokioExecutor::new()).handshake(TokioIo::new(stream)).await.expect("HTTP/2");
    tokio::spawn(connection);
    let mut request = Request::post(format!("http://souk{LIST}")).header("content-type", "application/grpc");
    for number in 0..mesh::policy::HEADERS_MAX {
        request = request.header(format!("x-{number}"), "");
    }
    let request = request.body(Body::new(Full::new(message(b"")))).expect("a request");
    sender.ready().await.expect("open");
    let answer = sender.send_request(request).await.expect("answered");
    let error = contract::error(tonic::Status::from_header_map(answer.headers()).expect("a status"));
    assert_eq!((error.code(), error.reason()), (Code::InvalidArgument, "FIELDS_TOO_LARGE"));
    running.stop(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn another_content_type_is_unsupported() {
    let running = start().await;
    let stream = TcpStream::connect(grpc(&running)).await.expect("connected");
    let (mut sender, connection) =
        Builder::new(TokioExecutor::new()).handshake(TokioIo::new(stream)).await.expect("HTTP/2");
    tokio::spawn(connection);
    for (content, expected) in [
        (Some("application/json"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (Some("application/grpc-web"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (Some("application/grpc-web+proto"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (Some("application/grpc+json"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (Some("application/grpcx"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (None, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (Some("application/grpc"), StatusCode::OK),
        (Some("application/grpc+proto"), StatusCode::OK),
        (Some("Application/gRPC; charset=utf-8"), StatusCode::OK),
    ] {
        let mut request = Request::post(format!("http://souk{LIST}"));
        if let Some(content) = content {
            request = request.header("content-type", content);
        }
        let request = request.body(Body::new(Full::new(message(b"")))).expect("a request");
        sender.ready().await.expect("open");
        let answer = sender.send_request(request).await.expect("answered");
        assert_eq!(answer.status(), expected, "{content:?}");
        let text = answer.into_body().collect().await.expect("read").to_bytes();
        assert!(expected == StatusCode::OK || text.starts_with(b"This port speaks gRPC"), "{content:?}");
    }
    // The body comes after the head has been refused: the answer waits for it.
    let (send, comes) = tokio::sync::oneshot::channel::<()>();
    let body = futures_util::stream::once(async move {
        // The other end is not dropped before it has sent.
        let _ = comes.await;
        Ok::<_, tonic::Status>(http_body::Frame::data(Bytes::from_static(b"{}")))
    });
    let late = Request::post(format!("http://souk{LIST}")).header("content-type", "application/json");
    let late = late.body(Body::new(http_body_util::StreamBody::new(Box::pin(body)))).expect("a request");
    let mut answer = std::pin::pin!(sender.send_request(late));
    let early = tokio::time::timeout(Duration::from_millis(200), answer.as_mut()).await;
    assert!(early.is_err(), "it waits for the rest");
    send.send(()).expect("it is waited for");
    assert_eq!(answer.await.expect("answered").status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let read = Request::get(format!("http://souk{LIST}")).body(Body::empty()).expect("a request");
    let answer = sender.send_request(read).await.expect("answered");
    assert_eq!(
        (answer.status(), &answer.headers()["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().expect("a value"))
    );
    running.stop(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_message_that_is_cut_or_malformed_is_the_callers_fault() {
    let running = start().await;
    let mut outside = running.outside();
    for (bytes, reason) in [
        (&b""[..], "INVALID_MESSAGE"),
        (&[0, 0, 0], "INVALID_MESSAGE"),
        (&[0, 0, 0, 0, 9, 1, 2], "INVALID_MESSAGE"),
        (&[0, 0, 0, 0, 1, 1, 2], "INVALID_MESSAGE"),
        (&[1, 0, 0, 0, 0], "INVALID_MESSAGE"),
        (&[9, 0, 0, 0, 0], "INVALID_MESSAGE"),
        (&[0, 255, 255, 255, 255, 1], "MESSAGE_TOO_LARGE"),
        (&[0, 0, 4, 0, 1, 1], "MESSAGE_TOO_LARGE"),
    ] {
        let request = call(LIST, Body::new(Full::new(Bytes::copy_from_slice(bytes))));
        let Ok(answer) = tower::Service::call(&mut outside, request).await;
        let error = contract::error(tonic::Status::from_header_map(answer.headers()).expect("a status"));
        assert_eq!((error.code(), error.reason()), (Code::InvalidArgument, reason), "{bytes:?}");
    }
    let mut request = call(LIST, Body::new(Full::new(Bytes::from_static(&[1, 0, 0, 0, 1, 0]))));
    request.headers_mut().insert("grpc-encoding", "gzip".parse().expect("a value"));
    let Ok(answer) = tower::Service::call(&mut outside, request).await;
    let status = tonic::Status::from_header_map(answer.headers()).expect("a status");
    assert_eq!(status.code(), tonic::Code::Unimplemented);
    assert_eq!(answer.headers()["grpc-accept-encoding"], "identity");
    running.stop(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn health_of_an_unknown_service_is_told_and_its_stream_stays_open() {
    let running = start().await;
    let mut client = HealthClient::new(running.outside());
    let asked = |service: &str| HealthCheckRequest { service: service.to_owned() };
    assert_eq!(client.check(asked("nobody")).await.expect_err("unknown").code(), tonic::Code::NotFound);
    let mut unknown = client.watch(asked("nobody")).await.expect("a stream").into_inner();
    let first = unknown.message().await.expect("open").expect("a status");
    assert_eq!(first.status(), ServingStatus::ServiceUnknown);
    let next = tokio::time::timeout(Duration::from_secs(60), unknown.next()).await;
    assert!(next.is_err(), "it stays open");
    let mut known = client.watch(asked("")).await.expect("a stream").into_inner();
    assert_eq!(known.message().await.expect("open").expect("a status").status(), ServingStatus::Serving);
    running.stop(Duration::from_secs(1)).await;
    assert_eq!(known.message().await.expect("open").expect("a status").status(), ServingStatus::NotServing);
}

#[tokio::test(start_paused = true)]
async fn reflection_knows_the_details_of_errors_and_the_options_of_contracts() {
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    use tonic_reflection::pb::{v1, v1alpha};
    let running = start().await;
    for symbol in [
        "google.rpc.ErrorInfo",
        "google.rpc.BadRequest",
        "google.rpc.RetryInfo",
        "souk.contract.v1.MethodContract",
    ] {
        let question = Some(MessageRequest::FileContainingSymbol(symbol.to_owned()));
        let request = v1::ServerReflectionRequest { host: String::new(), message_request: question };
        let mut client = ServerReflectionClient::<Channel>::new(running.outside());
        let stream =
            client.server_reflection_info(futures_util::stream::iter([request])).await.expect("a stream");
        let answer = stream.into_inner().message().await.expect("open").expect("an answer").message_response;
        assert!(matches!(answer, Some(MessageResponse::FileDescriptorResponse(_))), "{symbol}: {answer:?}");
    }
    let question = v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
        "google.rpc.ErrorInfo".into(),
    );
    let request = v1alpha::ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut client =
        v1alpha::server_reflection_client::ServerReflectionClient::<Channel>::new(running.outside());
    let stream =
        client.server_reflection_info(futures_util::stream::iter([request])).await.expect("a stream");
    let answer = stream.into_inner().message().await.expect("open").expect("an answer").message_response;
    let found = v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse;
    assert!(answer.is_some_and(
        |answer| std::mem::discriminant(&answer) == std::mem::discriminant(&found(Default::default()))
    ));
    running.stop(Duration::from_secs(1)).await;
}
