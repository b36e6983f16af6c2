//! A lean HTTP/1.1 client: a fixed request over a connection that stays open, answers with a Content-Length.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Where to send what.
#[derive(Clone)]
pub struct Target {
    address: SocketAddr,
    request: Bytes,
}

impl Target {
    pub fn new(address: SocketAddr, path: &str, fields: &[(&str, &str)]) -> Self {
        Self::with_body(address, "GET", path, fields, "")
    }

    pub fn with_body(
        address: SocketAddr,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> Self {
        let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length =
            if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n{fields}{length}\r\n{body}");
        Self { address, request: request.into() }
    }
}

/// An answer.
pub struct Answer {
    head: String,
    /// The body.
    pub body: Bytes,
    /// Bytes on the wire, head and body.
    pub bytes: usize,
}

impl Answer {
    /// A field; empty when it is not there.
    pub fn header(&self, name: &str) -> String {
        let line = self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        line.unwrap_or_default()
    }

    /// The cookies that it sets, as a browser sends them back.
    pub fn cookies(&self) -> String {
        let lines = self.head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        lines.filter_map(|line| line.split(';').next()).collect::<Vec<_>>().join("; ")
    }
}

#[expect(clippy::disallowed_methods, reason = "the generator of a benchmark")]
async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    stream
}

/// Reads one answer; `buffer` keeps what came beyond it. Looking for the ends of heads is a good part of what a generator does,
/// so it is left to a search that takes many bytes at a time: an answer with more fields is not to look slower for that.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> (usize, usize) {
    loop {
        if let Some(end) = memmem::find(buffer, b"\r\n\r\n") {
            let head = end + 4;
            let length = length(&buffer[..head]);
            while buffer.len() < head + length {
                assert!(stream.read_buf(buffer).await.expect("an answer") > 0, "closed within an answer");
            }
            return (head, length);
        }
        assert!(stream.read_buf(buffer).await.expect("an answer") > 0, "closed before an answer");
    }
}

/// The servers measured here write names of fields in small letters.
fn length(head: &[u8]) -> usize {
    let name = b"\r\ncontent-length: ";
    let at = memmem::find(head, name);
    let digits = at.map_or(&[][..], |at| &head[at + name.len()..]);
    digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |number, byte| number * 10 + usize::from(byte - b'0'))
}

/// Sends once over a connection of its own.
pub async fn once(target: &Target) -> Answer {
    let mut stream = connect(target.address).await;
    stream.write_all(&target.request).await.expect("sent");
    let mut buffer = Vec::new();
    let (head, length) = answer(&mut stream, &mut buffer).await;
    let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
    Answer { head: text, body: Bytes::copy_from_slice(&buffer[head..head + length]), bytes: head + length }
}

/// How long the first byte of an answer takes over an open connection.
pub async fn first_byte(target: &Target) -> Duration {
    let mut stream = connect(target.address).await;
    let began = Instant::now();
    stream.write_all(&target.request).await.expect("sent");
    stream.readable().await.expect("an answer");
    began.elapsed()
}

/// Answers a second over so many connections, each sending the next request when it has an answer.
pub async fn rate(target: &Target, connections: usize, round: Duration) -> f64 {
    let answered = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let (target, answered) = (target.clone(), answered.clone());
            tokio::spawn(async move {
                let mut stream = connect(target.address).await;
                let mut buffer = Vec::with_capacity(64 << 10);
                loop {
                    stream.write_all(&target.request).await.expect("sent");
                    let (head, length) = answer(&mut stream, &mut buffer).await;
                    assert!(
                        buffer.starts_with(b"HTTP/1.1 200"),
                        "{}",
                        String::from_utf8_lossy(&buffer[..head])
                    );
                    buffer.drain(..head + length);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    // The first moments warm up.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (before, began) = (answered.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(round).await;
    let rate = (answered.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64();
    for task in tasks {
        task.abort();
    }
    rate
}
