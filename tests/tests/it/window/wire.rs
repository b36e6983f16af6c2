//! What clients send that are slow, broken or hostile, byte by byte over a real connection. Time is virtual: it moves on as soon
//! as everybody waits.

use std::net::SocketAddr;

use chassis::{HttpAddress, Options};
use tests::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn served(seed: u64) -> (World, SocketAddr) {
    let mut options = Options::new("mem:");
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    options.http = vec![HttpAddress { role: "bff-web", flag: "--web", address }];
    let world = World::start_with(options, seed).await;
    let address = world.running().addresses.http["bff-web"];
    (world, address)
}

/// Sends bytes and reads until the other side closes.
#[expect(clippy::disallowed_methods, reason = "a client from outside, byte by byte")]
async fn told(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // The other side may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn slow_clients_are_not_waited_for() {
    let (_world, address) = served(701).await;
    for head in ["", "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "] {
        let answer = told(address, head.as_bytes()).await;
        assert!(answer.is_empty() || status(&answer) == "408", "{head:?}: {answer}");
    }
    let body = "POST /cart/lines HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\nConnection: close\r\n\r\nsku=";
    assert_eq!(status(&told(address, body.as_bytes()).await), "408");
}

#[tokio::test(start_paused = true)]
async fn bombs_are_refused() {
    let (_world, address) = served(702).await;
    let many: String = (0..500).map(|number| format!("X-{number}: a\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "a".repeat(100_000));
    let cookies = format!("Cookie: souk_access={}\r\n", "a".repeat(40_000));
    for fields in [many, long, cookies] {
        let answer = told(address, format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes()).await;
        assert!(answer.is_empty() || status(&answer) == "431" || status(&answer) == "400", "{answer}");
    }
    let chunk = format!("{:x}\r\n{}\r\n", 60_000, "a".repeat(60_000));
    let bomb = format!(
        "POST /cart/lines HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(40)
    );
    let answer = told(address, bomb.as_bytes()).await;
    assert!(answer.is_empty() || status(&answer) == "413", "{}", &answer[..answer.len().min(300)]);
}

#[tokio::test(start_paused = true)]
async fn broken_requests_are_refused() {
    let (_world, address) = served(703).await;
    let form = "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n";
    for (sent, wanted) in [
        (
            format!(
                "POST /cart/lines HTTP/1.1\r\nHost: a\r\n{form}Transfer-Encoding: chunked\r\n\r\nZZ\r\nxx\r\n"
            ),
            "400",
        ),
        (
            format!(
                "POST /cart/lines HTTP/1.1\r\nHost: a\r\n{form}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
            ),
            "400",
        ),
        ("GARBAGE\r\n\r\n".to_owned(), "400"),
        ("GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(), "404"),
        ("GET //evil.example/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(), "404"),
        ("TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(), "405"),
        (
            "GET http://elsewhere.example/no HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(),
            "404",
        ),
    ] {
        let answer = told(address, sent.as_bytes()).await;
        assert_eq!(status(&answer), wanted, "{sent:?}: {answer}");
    }
    // It goes on serving.
    let answer = told(address, b"GET /api/v1/session HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status(&answer), "200", "{answer}");
}
