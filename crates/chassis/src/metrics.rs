//! Prometheus text on a port of its own: `GET /metrics`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use crate::connection::Connection;
use crate::guarded::Guarded;
use crate::house::House;
use crate::listener::{Table, accept};
use crate::web::refuse;

/// How long a client may take to send its request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) async fn serve(house: Arc<House>, listener: TcpListener, table: Arc<Table>) {
    let drain = house.drain.clone();
    let open = move |stream, _, held| connection(stream, held, house.clone());
    accept(listener, table, drain, refuse, open).await;
}

async fn connection(stream: TcpStream, held: Arc<Connection>, house: Arc<House>) {
    let requests = held.clone();
    let service = service_fn(move |request| {
        let in_flight = requests.begin_request();
        let answer = answer(house.clone(), request);
        async move {
            let answer = answer.await;
            drop(in_flight);
            answer
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(Guarded::new(stream, Bytes::new(), held)), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a metrics connection ended");
    }
}

async fn answer(house: Arc<House>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() != Method::GET || request.uri().path() != "/metrics" {
        let mut response = Response::new(Full::new(Bytes::from_static(b"GET /metrics\n")));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    }
    let mut text = String::new();
    let encoded = prometheus_client::encoding::text::encode(&mut text, &house.registry.lock());
    let mut response = Response::new(Full::new(Bytes::from(text)));
    let content =
        http::HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, content);
    if encoded.is_err() {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    Ok(response)
}
