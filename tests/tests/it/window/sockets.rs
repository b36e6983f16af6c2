//! WebSockets over a real connection: news as they happen, resumed, bounded, and closed at sign-out.

use std::net::SocketAddr;
use std::time::Duration;

use chassis::{HttpAddress, Options};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tests::{Browser, World};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, ClientRequestBuilder, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{add, pay, quote, sign_up};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn served(seed: u64, change: impl FnOnce(&mut Options)) -> (World, SocketAddr) {
    let mut options = Options::new("mem:");
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    options.http = vec![HttpAddress { role: "bff-web", flag: "--web", address }];
    change(&mut options);
    let world = World::start_with(options, seed).await;
    world.sells("bowl", 1800, 20).await;
    let address = world.running().addresses.http["bff-web"];
    (world, address)
}

async fn open(browser: &Browser, address: SocketAddr, query: &str) -> Result<Socket, tungstenite::Error> {
    let uri = format!("ws://{address}/ws{query}").parse().expect("an address");
    let cookie = |name: &str| browser.cookie(name).map(|value| format!("{name}={value}")).unwrap_or_default();
    let cookies = format!("{}; {}", cookie("souk_access"), cookie("souk_refresh"));
    let request = ClientRequestBuilder::new(uri)
        .with_header("cookie", cookies)
        .with_header("origin", format!("http://{address}"));
    tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
}

/// The next message, within real seconds.
async fn next(socket: &mut Socket) -> Message {
    let message = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.expect("in time");
    message.expect("open").expect("a message")
}

async fn news(socket: &mut Socket) -> Value {
    loop {
        if let Message::Text(text) = next(socket).await {
            return serde_json::from_str(&text).expect("JSON");
        }
    }
}

#[tokio::test]
async fn news_arrive_and_go_on_where_they_stopped() {
    let (world, address) = served(601, |_| {}).await;
    let browser = world.browser();
    assert!(
        matches!(open(&browser, address, "").await, Err(tungstenite::Error::Http(answer)) if answer.status() == 401)
    );
    add(&browser, "bowl", "1").await;
    let mut socket = open(&browser, address, "").await.expect("open");
    assert_eq!(news(&mut socket).await["type"], "hello");
    add(&browser, "bowl", "2").await;
    let told = news(&mut socket).await;
    assert_eq!((&told["type"], &told["quantity"]), (&"cart.changed".into(), &3.into()));
    let last = told["id"].as_str().expect("an id").to_owned();
    socket.close(None).await.expect("closed");
    // Lost for a while: a stranger's news are not among what was missed.
    let stranger = world.browser();
    add(&stranger, "bowl", "1").await;
    let page = quote(&browser).await;
    let order = pay(&browser, &page, "pm_card_visa").await.location().expect("an order");
    let mut socket = open(&browser, address, &format!("?last_event_id={last}")).await.expect("open");
    assert_eq!(news(&mut socket).await["type"], "hello");
    let mut states = Vec::new();
    while !states.contains(&"confirmed".to_owned()) {
        let told = news(&mut socket).await;
        if told["type"] == "order.changed" {
            assert_eq!(format!("/orders/{}", told["order_id"].as_str().expect("an id")), order);
            states.push(told["state"].as_str().expect("a state").to_owned());
        } else {
            assert_ne!(told["quantity"], 1, "somebody else's cart");
        }
    }
    assert_eq!(states[0], "pending");
    let mut lost = open(&browser, address, "?last_event_id=cart-1-1.order-1-1").await.expect("open");
    assert_eq!(news(&mut lost).await["type"], "reset", "an id of another time");
}

#[tokio::test]
async fn a_socket_ends_with_its_session() {
    let (world, address) = served(602, |_| {}).await;
    let browser = world.browser();
    sign_up(&browser, "ada@example.com").await;
    let mut socket = open(&browser, address, "").await.expect("open");
    news(&mut socket).await;
    assert!(browser.submit("/sign-out", &[]).await.location().is_some());
    loop {
        if let Message::Close(frame) = next(&mut socket).await {
            assert_eq!(u16::from(frame.expect("a reason").code), 4401);
            return;
        }
    }
}

#[tokio::test]
async fn sockets_have_limits() {
    let (world, address) = served(603, |options| {
        options.config.set("bff-web", "sockets_per_person_max", 2);
        options.config.set("bff-web", "sockets_max", 3);
    })
    .await;
    let (ada, eve) = (world.browser(), world.browser());
    for browser in [&ada, &eve] {
        add(browser, "bowl", "1").await;
    }
    let mut first = open(&ada, address, "").await.expect("open");
    let _second = open(&ada, address, "").await.expect("open");
    let refused = |answer: Result<Socket, tungstenite::Error>| match answer {
        Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(open(&ada, address, "").await), 429);
    let _third = open(&eve, address, "").await.expect("open");
    assert_eq!(refused(open(&eve, address, "").await), 429);
    // Another site's page cannot open one with this browser's cookies.
    let uri = format!("ws://{address}/ws").parse().expect("an address");
    let cookies = format!("souk_access={}", ada.cookie("souk_access").expect("a token"));
    let forged = ClientRequestBuilder::new(uri)
        .with_header("cookie", cookies)
        .with_header("origin", "https://evil.example");
    let answer = tokio_tungstenite::connect_async(forged).await.map(|(socket, _)| socket);
    assert_eq!(refused(answer), 403);
    // Too large a message ends it, and its place is free again.
    news(&mut first).await;
    first.send(Message::Text("x".repeat(10_000).into())).await.expect("sent");
    while let Some(Ok(message)) = first.next().await {
        if let Message::Close(frame) = message {
            assert_eq!(u16::from(frame.expect("a reason").code), 1002);
        }
    }
    assert!(open(&ada, address, "").await.is_ok());
}

#[tokio::test]
async fn one_address_has_a_part_of_the_sockets() {
    let (world, address) = served(604, |options| {
        options.config.set("bff-web", "sockets_per_address_max", 1);
        options.config.set("bff-web", "trusted_proxies", 1);
    })
    .await;
    let from = async |browser: &Browser, client: &str| {
        let uri = format!("ws://{address}/ws").parse().expect("an address");
        let cookies = format!("souk_access={}", browser.cookie("souk_access").expect("a token"));
        let request = ClientRequestBuilder::new(uri)
            .with_header("cookie", cookies)
            .with_header("x-forwarded-for", client)
            .with_header("origin", format!("http://{address}"));
        tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
    };
    let (ada, eve) = (world.browser(), world.browser());
    for browser in [&ada, &eve] {
        add(browser, "bowl", "1").await;
    }
    let first = from(&ada, "192.0.2.1").await.expect("open");
    let refused = from(&eve, "192.0.2.1").await;
    assert!(
        matches!(&refused, Err(tungstenite::Error::Http(answer)) if answer.status() == 429),
        "{refused:?}"
    );
    let mut second = from(&eve, "192.0.2.2").await.expect("another address has its own");
    news(&mut second).await;
    drop(first);
    let again = async {
        while from(&eve, "192.0.2.1").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again).await.expect("a socket that closed makes room");
}

#[tokio::test]
async fn a_socket_is_told_what_happened_since_its_page_was_made() {
    let (world, address) = served(611, |_| {}).await;
    let browser = world.browser();
    add(&browser, "bowl", "1").await;
    let page = browser.get("/").await.text();
    let since = page.split("data-session=\"").nth(1).expect("the page says when it was made");
    let since = since.split('"').next().unwrap_or_default();
    assert!(since.contains("cart-") && since.contains("order-"), "{since}");
    // Between the page and its socket.
    add(&browser, "bowl", "2").await;
    let mut socket = open(&browser, address, &format!("?last_event_id={since}")).await.expect("open");
    assert_eq!(news(&mut socket).await["type"], "hello");
    while news(&mut socket).await["quantity"] != 3 {}
}

#[tokio::test]
async fn a_parcel_that_moves_is_news_for_its_owner() {
    let (world, address) = served(612, |_| {}).await;
    let browser = world.browser();
    add(&browser, "bowl", "1").await;
    let mut socket = open(&browser, address, "").await.expect("open");
    let page = quote(&browser).await;
    let order = pay(&browser, &page, "pm_card_visa").await.location().expect("an order");
    loop {
        let told = news(&mut socket).await;
        if told["type"] == "shipment.changed" {
            assert_eq!(format!("/orders/{}", told["order_id"].as_str().expect("an id")), order);
            break;
        }
    }
}
