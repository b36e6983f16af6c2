//! The shop as a generated client sees it: what programs that are written against the description rely on.

use crate::house::House;
use crate::shop::Shop;
use crate::{Outcome, Result, tools};

/// A client that openapi-python-client generates from `/openapi.json` buys something and reads its order back.
pub fn generated(house: &House) -> Result {
    tools::client_generator(house)?;
    let directory =
        tempfile::tempdir_in(&house.target).map_err(|error| format!("no scratch directory: {error}"))?;
    let shop = Shop::open_demo(house, directory.path())?;
    let address = format!("http://{}", shop.web);
    let package = directory.path().join("souk_client");
    let description = format!("{address}/openapi.json");
    let asked = ["generate", "--url", &description, "--meta", "none", "--fail-on-warning"];
    let bin = house.tools.join("client/bin");
    let generator = bin.join("openapi-python-client");
    // It formats what it made with ruff, which stands beside it.
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", House::text(&bin)?);
    let target = ["--output-path", House::text(&package)?];
    house.run_with(House::text(&generator)?, &[&asked[..], &target].concat(), &[("PATH", &path)])?;
    let python = bin.join("python");
    house.run(House::text(&python)?, &["ci/client.py", &address, House::text(directory.path())?])?;
    shop.close()?;
    Ok(Outcome::Passed)
}
