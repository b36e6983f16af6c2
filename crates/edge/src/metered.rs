//! A connection that may be sent only so much in a minute.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// Ends with an error when more than `bytes_max` are read from it in a minute. What it counts is what arrives: empty frames and
/// answers that nobody asked for never become messages, so nothing behind it could count them.
pub(crate) struct Metered<S> {
    stream: S,
    bytes_max: usize,
    began: Instant,
    bytes: usize,
}

impl<S> Metered<S> {
    pub(crate) fn new(stream: S, bytes_max: usize) -> Self {
        Self { stream, bytes_max, began: Instant::now(), bytes: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if self.began.elapsed() >= MINUTE {
            (self.began, self.bytes) = (Instant::now(), 0);
        }
        self.bytes += buffer.filled().len() - before;
        if self.bytes > self.bytes_max {
            return Poll::Ready(Err(io::Error::other("too many bytes in a minute")));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_minute_has_so_many_bytes() {
        let (mut theirs, ours) = tokio::io::duplex(64);
        let mut metered = Metered::new(ours, 8);
        let mut read = [0; 8];
        theirs.write_all(&[0; 8]).await.expect("written");
        metered.read_exact(&mut read).await.expect("as many as it may have");
        tokio::time::advance(MINUTE).await;
        theirs.write_all(&[0; 9]).await.expect("written");
        metered.read_exact(&mut read).await.expect("a new minute");
        assert!(metered.read_u8().await.is_err(), "one more");
        metered.write_all(&[1]).await.expect("what is sent is not counted");
        assert_eq!(theirs.read_u8().await.expect("sent"), 1);
    }
}
