//! The shop window from outside: in a browser, and as its own description says.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::house::House;
use crate::shop::Shop;
use crate::{Outcome, Result, tools};

/// Requests that schemathesis makes up for an operation, at most, in each of its phases.
const EXAMPLES_MAX: &str = "25";
/// The same requests each time.
const SEED: &str = "20";
/// Operations that end the session, or the others of its account.
const ENDING: [&str; 4] = ["signOut", "signOutEverywhere", "endSession", "changePassword"];
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The scenarios of `tests/browser`, with axe-core looking at every state that they reach.
pub fn browser(house: &House) -> Result {
    if let Some(why) = tools::chromium(house)? {
        return Ok(Outcome::Skipped(why));
    }
    let axe = tools::axe(house)?;
    let directory =
        tempfile::tempdir_in(&house.target).map_err(|error| format!("no scratch directory: {error}"))?;
    let shop = Shop::open_demo(house, directory.path())?;
    let address = format!("http://{}", shop.web);
    let arguments = ["run", "--quiet", "--package", "browser", "--"];
    house.run("cargo", &[&arguments[..], &["--shop", &address, "--axe", House::text(&axe)?]].concat())?;
    shop.close()?;
    Ok(Outcome::Passed)
}

/// schemathesis asks for everything that `/openapi.json` describes, rightly and wrongly: as a guest, as somebody who is
/// signed in, and, since that ends the session, signing out.
pub fn schemathesis(house: &House) -> Result {
    tools::schemathesis(house)?;
    let directory =
        tempfile::tempdir_in(&house.target).map_err(|error| format!("no scratch directory: {error}"))?;
    let shop = Shop::open_demo(house, directory.path())?;
    let (_, token) = shop.command(&["token"])?;
    let token = token["access_token"].as_str().ok_or("souk token printed no access_token")?;
    let rules = house.root.join("ci/schemathesis.toml");
    let rules = House::text(&rules)?;
    let lifted = format!("souk-operator-token: {token}");
    let account =
        |name: &str| format!(r#"{{"email":"{name}@example.com","password":"a bowl of warm soup"}}"#);
    let but = ENDING.iter().flat_map(|operation| ["--exclude-operation-id", *operation]);
    let only = ENDING.iter().flat_map(|operation| ["--include-operation-id", *operation]);
    let runs: [(&str, &str, String, Vec<&str>); 3] = [
        ("a guest", "/api/v1/session/guest", "{}".to_owned(), Vec::new()),
        ("somebody signed in", "/api/v1/accounts", account("ada"), but.collect()),
        ("somebody who leaves", "/api/v1/accounts", account("grace"), only.collect()),
    ];
    for (who, path, body, operations) in runs {
        println!("as {who}");
        let cookie = format!("Cookie: {}", session(&shop.web, path, &body)?);
        let address = format!("http://{}/openapi.json", shop.web);
        let asked = ["--config-file", rules, "run", &address];
        let as_whom = ["--header", &lifted, "--header", &cookie];
        // One worker: requests come in the same order each time, and some Pythons cannot parse in two threads.
        let how = ["--checks", "all", "--max-examples", EXAMPLES_MAX, "--seed", SEED, "--workers", "1"];
        let told = ["--continue-on-failure", "--warnings", "off", "--no-shrink"];
        // The tokens are the shop's own and end with it; still, they are not shown.
        println!("$ schemathesis {}", [&asked[..], &how, &told, &operations].concat().join(" "));
        let mut command = house.command("schemathesis");
        command.args([&asked[..], &as_whom, &how, &told, &operations].concat()).current_dir(directory.path());
        let status = command.status().map_err(|error| format!("schemathesis does not start: {error}"))?;
        if !status.success() {
            return Err(format!("schemathesis found something as {who}"));
        }
    }
    shop.close()?;
    Ok(Outcome::Passed)
}

/// Begins a session, and gives the cookie that is its access token. The one that refreshes it would make a new one.
fn session(web: &str, path: &str, body: &str) -> Result<String> {
    let failed = |error: std::io::Error| format!("{path} of {web}: {error}");
    let mut stream = TcpStream::connect(web).map_err(failed)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).map_err(failed)?;
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {web}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    let cookies = answer.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    let access = cookies.filter_map(|cookie| cookie.split(';').next()).find(|pair| pair.contains("access="));
    access
        .map(str::to_owned)
        .ok_or_else(|| format!("{path} set no access cookie: {}", answer.lines().next().unwrap_or_default()))
}
