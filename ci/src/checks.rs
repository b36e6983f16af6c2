//! The steps that are cargo's.

use crate::house::House;
use crate::{Outcome, Result, tools};

/// Formatting.
pub fn fmt(house: &House) -> Result {
    tools::component(house, "fmt", "rustfmt")?;
    house.run("cargo", &["fmt", "--all", "--check"])?;
    Ok(Outcome::Passed)
}

/// The rules of the house: tests of this crate.
pub fn rules(house: &House) -> Result {
    house.run("cargo", &["test", "--quiet", "--package", "ci"])?;
    Ok(Outcome::Passed)
}

/// Lints, of tests and benchmarks too. Functions stay short, and a silenced lint says why.
pub fn clippy(house: &House) -> Result {
    tools::component(house, "clippy", "clippy")?;
    let lints =
        ["-D", "warnings", "-D", "clippy::too_many_lines", "-D", "clippy::allow_attributes_without_reason"];
    let arguments = [&["clippy", "--workspace", "--all-targets", "--"][..], &lints[..]].concat();
    house.run("cargo", &arguments)?;
    Ok(Outcome::Passed)
}

/// Documentation.
pub fn doc(house: &House) -> Result {
    house.run_with("cargo", &["doc", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")])?;
    Ok(Outcome::Passed)
}

/// Licences, bans and sources. Advisories need their database, which not every network reaches: `SOUK_ADVISORIES=1`
/// asks for them.
pub fn deny(house: &House) -> Result {
    tools::deny(house)?;
    let mut arguments = vec!["deny", "--config", "ci/deny.toml", "check", "bans", "licenses", "sources"];
    if std::env::var_os("SOUK_ADVISORIES").is_some_and(|value| value == "1") {
        arguments.push("advisories");
    } else {
        println!(
            "known vulnerabilities are not looked up: SOUK_ADVISORIES=1 does, where their database is reached"
        );
    }
    house.run("cargo", &arguments)?;
    Ok(Outcome::Passed)
}

/// All tests but this crate's, which are the step `rules`.
pub fn test(house: &House) -> Result {
    house.run("cargo", &["test", "--workspace", "--exclude", "ci"])?;
    Ok(Outcome::Passed)
}

/// The binary, as a user builds it.
pub fn build(house: &House) -> Result {
    house.run("cargo", &["build", "--release", "--package", "app"])?;
    Ok(Outcome::Passed)
}
