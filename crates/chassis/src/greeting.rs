//! The first bytes of a connection to the gRPC port: HTTP/2's preface, or something that gets a readable answer.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What every HTTP/2 client sends first (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Of a request of HTTP/1.1, as much is read before it is answered.
const HEAD_BYTES_MAX: usize = 8 << 10;
/// How long the rest of a request of HTTP/1.1 may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(2);

/// The first byte of TLS (RFC 8446, 5.1: a record of the type handshake).
const TLS_HANDSHAKE: u8 = 0x16;
/// What a TLS client understands: a fatal alert, handshake_failure (RFC 8446, 6).
const TLS_REFUSAL: &[u8] = &[0x15, 3, 3, 0, 2, 2, 40];

/// Said to who speaks HTTP/1.1.
pub(crate) const SPOKEN_HERE: &str = "This port speaks gRPC: HTTP/2 in the clear, without an upgrade (\"prior knowledge\").\n\
     Try:  grpcurl -plaintext HOST:PORT list\n\
     The shop's pages and its JSON API are on the web port; metrics have a port of their own.\n";

/// Reads until it is certain what the other side speaks. The bytes read when it is HTTP/2; `None` when it is not and was
/// answered, or left.
pub(crate) async fn greet<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Option<Bytes> {
    let mut read = BytesMut::with_capacity(PREFACE.len());
    while read.len() < PREFACE.len() {
        let before = read.len();
        let mut piece = [0; PREFACE.len()];
        let length = stream.read(&mut piece[before..]).await.ok().filter(|length| *length > 0)?;
        read.extend_from_slice(&piece[before..before + length]);
        if !PREFACE.starts_with(&read) {
            // Blank lines may stand before a request (RFC 9112, 2.2).
            let first = read.iter().find(|byte| !matches!(byte, b'\r' | b'\n'));
            match first {
                Some(letter) if letter.is_ascii_alphabetic() => answer(stream, &mut read).await,
                Some(&TLS_HANDSHAKE) => tell(stream, TLS_REFUSAL).await,
                // Nothing that is known.
                Some(_) => {}
                // Nothing but blank lines yet.
                None => continue,
            }
            return None;
        }
    }
    Some(read.freeze())
}

/// Answers a request of HTTP/1.1 in its own words. Its head is read first: a connection that is closed with bytes unread is
/// reset, and its answer lost.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, read: &mut BytesMut) {
    let head = async {
        while read.len() < HEAD_BYTES_MAX && !read.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read_buf(read).await {
                Ok(length) if length > 0 => {}
                _ => break,
            }
        }
    };
    // Whatever came in time.
    let _ = tokio::time::timeout(HEAD_TIMEOUT, head).await;
    let response = format!(
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{SPOKEN_HERE}",
        SPOKEN_HERE.len()
    );
    tell(stream, response.as_bytes()).await;
}

async fn tell<S: AsyncWrite + Unpin>(stream: &mut S, answer: &[u8]) {
    let told = async {
        // The other side may have gone already.
        let _ = stream.write_all(answer).await;
        let _ = stream.shutdown().await;
    };
    let _ = tokio::time::timeout(HEAD_TIMEOUT, told).await;
}
