//! The shop as a stranger's client sees it.

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
