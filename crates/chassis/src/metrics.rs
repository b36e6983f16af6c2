//! Metrics and health on a port of its own: `GET /metrics`, `/healthz` (this process runs), `/readyz` (it is ready for calls).

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::connection::Connection;
use crate::exposition;
use crate::guarded::Guarded;
use crate::house::House;
use crate::listener::{Table, accept};
use crate::web::{InFlightBody, refuse};

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
        async move { Ok::<_, Infallible>(answer.await?.map(|body| InFlightBody::new(body, in_flight))) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        // The listener's sweeper keeps the times.
        .header_read_timeout(None)
        .keep_alive(false)
        .serve_connection(TokioIo::new(Guarded::new(stream, Bytes::new(), held)), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a metrics connection ended");
    }
}

fn words(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

async fn answer(house: Arc<House>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = if request.method() == Method::GET { request.uri().path() } else { "" };
    match path {
        "/metrics" => {}
        "/healthz" => return Ok(words(StatusCode::OK, "ok\n")),
        "/readyz" if *house.serving.borrow() => return Ok(words(StatusCode::OK, "ready\n")),
        "/readyz" => return Ok(words(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")),
        _ => return Ok(words(StatusCode::NOT_FOUND, "GET /metrics, /healthz or /readyz\n")),
    }
    // Collectors read files and write much text: no work for a thread that serves others.
    let accept = request.headers().get(ACCEPT).cloned();
    let encode = move || exposition::text(&house.registry.lock(), accept.as_ref());
    let Ok(Ok((text, media_type))) = tokio::task::spawn_blocking(encode).await else {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return Ok(response);
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    Ok(response)
}
