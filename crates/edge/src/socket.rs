//! One open socket: sends news, answers pings, takes nothing else.

use std::time::Duration;

use chassis::Context;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::live::{Notice, Place};
use crate::metered::Metered;

/// How often a socket is asked whether it is there; proxies drop what is silent for a minute.
const PING_EVERY: Duration = Duration::from_secs(45);
/// Largest message that is taken, in bytes.
const MESSAGE_BYTES_MAX: usize = 1_024;
/// Messages that are taken in a minute: none means anything, and a client that sends many is broken.
const MESSAGES_PER_MINUTE_MAX: u32 = 30;
/// Bytes that are taken in a minute, in frames of any kind.
const BYTES_PER_MINUTE_MAX: usize = 64 << 10;
/// How long a socket may take to take a message.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Its session has ended: sign in again.
const SIGNED_OUT: u16 = 4401;
/// It is too slow, or the gateway leaves: open it again, from the last id.
const AGAIN: u16 = 1013;

type Socket = WebSocketStream<Metered<TokioIo<Upgraded>>>;

/// Serves a socket until it ends.
pub(crate) async fn run(ctx: &Context, upgraded: Upgraded, mut place: Place, first: Vec<String>) {
    // Thousands are open and idle: buffers are as small as messages are.
    let config = WebSocketConfig::default()
        .read_buffer_size(512)
        .write_buffer_size(0)
        .max_write_buffer_size(64 << 10)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let stream = Metered::new(TokioIo::new(upgraded), BYTES_PER_MINUTE_MAX);
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    for text in first {
        if !send(&mut socket, Message::Text(Utf8Bytes::from(text))).await {
            return;
        }
    }
    let (code, why) = served(ctx, &mut socket, &mut place).await;
    let frame = CloseFrame { code: CloseCode::from(code), reason: Utf8Bytes::from_static(why) };
    // The other side may have gone already.
    let _ = tokio::time::timeout(SEND_TIMEOUT, socket.close(Some(frame))).await;
}

/// Serves until there is a reason to end: the close code and words.
async fn served(ctx: &Context, socket: &mut Socket, place: &mut Place) -> (u16, &'static str) {
    let mut messages = 0_u32;
    let mut minute = Instant::now();
    let mut answered = true;
    let mut ping = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    loop {
        tokio::select! {
            notice = place.notices.recv() => match notice {
                Some(Notice::News(told)) => {
                    if !send(socket, Message::Text(Utf8Bytes::from(told.text.as_str()))).await {
                        return (AGAIN, "too slow");
                    }
                }
                Some(Notice::SignedOut) => return (SIGNED_OUT, "signed out"),
                None => return (AGAIN, "too slow"),
            },
            message = socket.next() => match message {
                Some(Ok(Message::Pong(_))) => answered = true,
                Some(Ok(Message::Close(_))) | None => return (1000, ""),
                Some(Ok(_)) => {
                    if minute.elapsed() >= Duration::from_secs(60) {
                        (minute, messages) = (Instant::now(), 0);
                    }
                    messages += 1;
                    if messages > MESSAGES_PER_MINUTE_MAX {
                        return (1008, "too many messages");
                    }
                }
                Some(Err(_)) => return (1002, "malformed or too large"),
            },
            _ = ping.tick() => {
                if !answered || !send(socket, Message::Ping(Vec::new().into())).await {
                    return (1001, "silent");
                }
                answered = false;
            }
            () = ctx.draining() => return (AGAIN, "leaving"),
        }
    }
}

/// Sends a message; whether it was taken in time.
async fn send(socket: &mut Socket, message: Message) -> bool {
    matches!(tokio::time::timeout(SEND_TIMEOUT, socket.send(message)).await, Ok(Ok(())))
}
