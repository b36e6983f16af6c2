//! The shop as a stranger's client sees it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::house::House;
use crate::shop::Shop;
use crate::{Outcome, Result, tools};

/// Services that a shop of this floor lists, at least.
const SERVICES_MIN: usize = 10;

/// grpcurl lists, describes with comments, and calls, by reflection.
pub fn grpcurl(house: &House) -> Result {
    if !tools::grpcurl(house)? {
        return Ok(Outcome::Skipped(
            "Go is not here to build grpcurl; the tests have a reflection client".into(),
        ));
    }
    let directory =
        tempfile::tempdir_in(&house.target).map_err(|error| format!("no scratch directory: {error}"))?;
    let shop = Shop::open(house, directory.path())?;
    let ask = |arguments: &[&str]| {
        let arguments = [&["-plaintext", &shop.grpc], arguments].concat();
        house.output("grpcurl", &arguments)
    };
    let services = ask(&["list"])?;
    let ours: Vec<&str> = services.lines().filter(|service| service.starts_with("souk.")).collect();
    if ours.len() < SERVICES_MIN {
        return Err(format!("grpcurl lists {} services of the house: {services}", ours.len()));
    }
    for service in &ours {
        let description = ask(&["describe", service])?;
        if !description.contains("//") {
            return Err(format!("grpcurl describes {service} without comments"));
        }
    }
    // Health stands in the flags' place of an address: the method comes last.
    let health = ask(&["grpc.health.v1.Health/Check"])?;
    if !health.contains("\"SERVING\"") {
        return Err(format!("health answers {health}"));
    }
    println!("{} services listed, described and healthy", ours.len());
    shop.close()?;
    Ok(Outcome::Passed)
}

/// The metrics of a shop that has answered some requests, as Prometheus' own tool judges them.
pub fn metrics(house: &House) -> Result {
    if let Some(why) = tools::promtool(house)? {
        return Ok(Outcome::Skipped(why));
    }
    let directory =
        tempfile::tempdir_in(&house.target).map_err(|error| format!("no scratch directory: {error}"))?;
    let shop = Shop::open_demo(house, directory.path())?;
    for page in ["/", "/search?q=bowl", "/cart"] {
        get(&shop.web, page)?;
    }
    let text = get(&shop.metrics, "/metrics")?;
    for wanted in
        ["souk_build_info", "souk_event_lag", "souk_store_seconds", "souk_request_seconds", "process_"]
    {
        if !text.contains(wanted) {
            return Err(format!("there is no metric {wanted}"));
        }
    }
    let path = directory.path().join("metrics.txt");
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    let script = format!("promtool check metrics < {}", House::text(&path)?);
    house.run("sh", &["-c", &script])?;
    shop.close()?;
    Ok(Outcome::Passed)
}

/// What a GET of HTTP/1.0, which knows no chunks, answers with 200.
fn get(address: &str, path: &str) -> Result<String> {
    let failed = |error: std::io::Error| format!("GET http://{address}{path}: {error}");
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(failed)?;
    write!(stream, "GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n").map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") {
        Ok(body.to_owned())
    } else {
        Err(format!("GET {path}: {status}"))
    }
}
