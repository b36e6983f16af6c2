//! Connections of HTTP/1.1 over pipes, with the clock in hand.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Weak;
use std::time::Duration;

use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

use super::*;
use crate::connections::ListenerMetrics;
use crate::listener::Limits;

const PAGE_BYTES: usize = 1 << 20;
const IDLE: Duration = Duration::from_secs(60);
const HEAD: Duration = Duration::from_secs(20);
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 1);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n";

fn table(connections_max: usize) -> Arc<Table> {
    let limits = Limits {
        connections_max,
        per_address_max: connections_max,
        greeting: Duration::from_secs(10),
        head: Some(HEAD),
        idle: IDLE,
        write: Duration::from_secs(30),
    };
    let table = Table::new("shop", limits, Arc::new(ListenerMetrics::default()));
    tokio::spawn(table.clone().watch());
    table
}

/// The other side of a connection that answers every request with a large page.
fn connect(table: &Arc<Table>) -> (DuplexStream, Weak<Connection>, JoinHandle<()>) {
    let page = mesh::boxed(|_| {
        let page = Full::new(Bytes::from(vec![b'x'; PAGE_BYTES]));
        Box::pin(std::future::ready(Ok(Response::new(Body::new(page)))))
    });
    let (ours, theirs) = tokio::io::duplex(16 << 10);
    let held = table.admit(PEER).expect("room");
    let watched = Arc::downgrade(&held);
    let served = tokio::spawn(async move {
        tokio::select! {
            () = connection(theirs, PEER, held.clone(), page, Drain::default()) => {}
            () = held.cutting() => {}
        }
    });
    (ours, watched, served)
}

/// Reads one whole answer.
async fn read_page(stream: &mut DuplexStream) {
    let mut read = Vec::new();
    let head = loop {
        read.push(stream.read_u8().await.expect("a head"));
        if read.ends_with(b"\r\n\r\n") {
            break String::from_utf8(std::mem::take(&mut read)).expect("text");
        }
    };
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    read.resize(PAGE_BYTES, 0);
    stream.read_exact(&mut read).await.expect("a page");
}

#[tokio::test(start_paused = true)]
async fn a_request_says_once_which_host_it_is_for() {
    let table = table(8);
    for (fields, status) in [
        ("HTTP/1.1\r\n", "400"),
        ("HTTP/1.1\r\nhost: shop\r\nhost: other\r\n", "400"),
        ("HTTP/1.1\r\nhost: shop\r\n", "200"),
        ("HTTP/1.0\r\n", "200"),
        ("HTTP/1.0\r\nhost: shop\r\nhost: other\r\n", "400"),
    ] {
        let (mut stream, _connection, _served) = connect(&table);
        let request = format!("GET / {fields}\r\n");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut line = [0; 12];
        stream.read_exact(&mut line).await.expect("a status line");
        assert_eq!(&line[9..], status.as_bytes(), "{fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_download_is_not_an_idle_connection() {
    let table = table(1);
    let (mut stream, connection, _served) = connect(&table);
    stream.write_all(REQUEST).await.expect("written");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(table.admit(PEER).is_none(), "no room is made at the cost of a download");
    read_page(&mut stream).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(connection.upgrade().is_some_and(|connection| connection.idle_since().is_some()));
    assert!(table.admit(PEER).is_some(), "now it is idle");
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_be_idle_for_as_long_as_the_setting_says() {
    let table = table(1);
    let (mut stream, _connection, served) = connect(&table);
    for _ in 0..2 {
        stream.write_all(REQUEST).await.expect("written");
        read_page(&mut stream).await;
        tokio::time::sleep(IDLE - Duration::from_secs(5)).await;
    }
    tokio::time::timeout(Duration::from_secs(10), served).await.expect("closed").expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_further_head_has_its_own_limit() {
    let table = table(1);
    let (mut stream, _connection, served) = connect(&table);
    stream.write_all(REQUEST).await.expect("written");
    read_page(&mut stream).await;
    stream.write_all(b"GET / HTTP/1.1\r\n").await.expect("written");
    let ended = tokio::time::timeout(HEAD + Duration::from_secs(5), served).await;
    ended.expect("closed before it was idle for long").expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_nobody_reads_ends_its_connection() {
    let table = table(1);
    let (mut stream, connection, served) = connect(&table);
    // Pipelined: the second waits for the first.
    stream.write_all(&[REQUEST, REQUEST].concat()).await.expect("written");
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert!(connection.upgrade().is_some(), "it has time to read");
    tokio::time::timeout(Duration::from_secs(10), served).await.expect("ended").expect("no panic");
    assert!(connection.upgrade().is_none());
}
