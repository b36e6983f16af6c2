//! The shop under clocks that are wrong, as libfaketime gives them to the real process.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::house::House;
use crate::shop::Shop;
use crate::{Outcome, Result, tools};

/// The clocks of the starts on one directory, in their order.
const CLOCKS: &[&str] = &["+365d", "+0", "-1h", "+30d", "+0"];
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Starts the shop again and again on one directory, each time under another clock; each time somebody signs up and in, and the
/// books hold.
pub fn leaps(house: &House) -> Result {
    let library = match tools::faketime(house)? {
        Ok(library) => library,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    let directory =
        tempfile::tempdir_in(&house.target).map_err(|error| format!("no scratch directory: {error}"))?;
    for (at, clock) in CLOCKS.iter().enumerate() {
        let variables = [
            ("LD_PRELOAD", House::text(&library)?),
            ("FAKETIME", *clock),
            ("FAKETIME_NO_CACHE", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
        ];
        let shop = Shop::open_demo_with(house, directory.path(), &variables)?;
        let email = format!("visitor{at}@example.org");
        let account = json!({"email": email, "password": "correct horse battery"}).to_string();
        for (path, wanted) in [("/api/v1/accounts", 201), ("/api/v1/session", 201)] {
            let (status, answer) =
                post(&shop.web, path, &format!("{at}-{path}").replace('/', "-"), &account)?;
            if status != wanted {
                return Err(format!("at {clock}, POST {path} answers {status}: {answer}"));
            }
        }
        if *clock == "+0" {
            let (code, report) = shop.command(&["audit"])?;
            if code != Some(0) {
                return Err(format!("after other clocks the books do not hold: {report}"));
            }
        }
        shop.close()?;
        println!("at {clock} people sign up and in");
    }
    Ok(Outcome::Passed)
}

/// Sends JSON to the shop window; the status and the whole answer.
fn post(web: &str, path: &str, key: &str, body: &str) -> Result<(u16, String)> {
    let address = web.trim_start_matches("http://").trim_end_matches('/');
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nContent-Type: application/json\r\n\
             Idempotency-Key: \"{key}\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = ask().map_err(|error| format!("POST {path} at {address}: {error}"))?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| format!("POST {path} answers no HTTP: {answer}"))?, answer))
}
