//! Who may import whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::{crates, dependencies, files, hold, root, told};

/// What a crate of the house may depend on, of the house. `svc-` and `bff-` stand for all that begin so.
const MAY: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("picture", &[]),
    ("contract", &["kernel"]),
    ("store", &["kernel"]),
    ("mesh", &["kernel", "contract"]),
    ("chassis", &["kernel", "contract", "store", "mesh"]),
    ("edge", &["kernel", "contract", "mesh", "chassis"]),
    ("svc-", &["kernel", "contract", "store", "mesh", "chassis"]),
    ("bff-", &["kernel", "contract", "mesh", "chassis", "edge", "picture"]),
    ("app", &["kernel", "contract", "store", "mesh", "chassis", "edge", "svc-", "bff-"]),
    ("tests", &["kernel", "contract", "store", "mesh", "chassis", "edge", "svc-", "bff-", "app"]),
    ("browser", &[]),
    ("ci", &[]),
];

/// What the crates at the bottom must not know: async runtimes, transports, databases.
const NOT_BELOW: &[(&str, &[&str])] = &[
    (
        "kernel",
        &[
            "tokio",
            "futures-util",
            "async-trait",
            "tonic",
            "prost",
            "hyper",
            "http",
            "tower",
            "rusqlite",
            "tantivy",
            "tracing",
        ],
    ),
    ("contract", &["tokio", "hyper", "tower", "rusqlite", "tantivy"]),
    ("store", &["tonic", "tonic-types", "prost", "prost-types", "hyper", "http", "tower"]),
    ("mesh", &["rusqlite", "tantivy"]),
];

/// Drivers and SDKs: each in one manifest, at the edge that needs it.
const DRIVERS: &[&str] =
    &["rusqlite", "libsqlite3-sys", "sqlx", "mongodb", "redis", "tantivy", "stripe", "lettre"];

fn stands_for(pattern: &str, name: &str) -> bool {
    if pattern.ends_with('-') { name.starts_with(pattern) } else { name == pattern }
}

#[test]
fn crates_import_only_what_lies_below_them() {
    let packages = crates();
    let house: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut violations = Vec::new();
    for package in &packages {
        let Some((_, may)) = MAY.iter().find(|(pattern, _)| stands_for(pattern, &package.name)) else {
            violations.push(format!(
                "{} has no place in the order; add it to MAY in ci/tests/it/imports.rs",
                package.name
            ));
            continue;
        };
        for (dependency, kind) in dependencies(package).filter(|(name, _)| house.contains(name)) {
            // Its own tests may ask for its own features.
            let own = dependency == package.name.as_str();
            if !own && !may.iter().any(|pattern| stands_for(pattern, dependency)) {
                violations.push(format!("{} depends on {dependency} ({kind:?})", package.name));
            }
        }
    }
    hold("a crate imports only what lies below it", &violations);
}

#[test]
fn the_lower_crates_know_no_runtime_transport_or_database() {
    let mut violations = Vec::new();
    for package in crates() {
        let Some((_, forbidden)) = NOT_BELOW.iter().find(|(name, _)| *name == package.name.as_str()) else {
            continue;
        };
        for (dependency, kind) in dependencies(&package).filter(|(name, _)| forbidden.contains(name)) {
            if kind == cargo_metadata::DependencyKind::Normal {
                violations.push(format!("{} depends on {dependency}", package.name));
            }
        }
    }
    hold("kernel, contract, store and mesh stay what they are", &violations);
}

#[test]
fn a_driver_appears_in_one_manifest() {
    let mut holders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in crates() {
        let names: BTreeSet<&str> = dependencies(&package).map(|(name, _)| name).collect();
        for name in names.into_iter().filter(|name| DRIVERS.contains(name) || name.starts_with("aws-")) {
            holders.entry(name.to_owned()).or_default().push(package.name.to_string());
        }
    }
    let violations: Vec<String> = holders
        .iter()
        .filter(|(_, packages)| packages.len() > 1)
        .map(|(driver, packages)| format!("{driver} in {}", packages.join(", ")))
        .collect();
    hold("a driver appears in one manifest", &violations);
}

/// The code of a service's `domain` or `store`, without its tests: path and numbered lines.
fn layer(name: &str) -> Vec<(PathBuf, Vec<(usize, String)>)> {
    let services = std::fs::read_dir(root().join("crates")).expect("the crates").filter_map(Result::ok);
    let services = services.map(|entry| entry.path().join("src")).filter(|path| {
        path.parent().and_then(Path::file_name).is_some_and(|name| name.to_string_lossy().starts_with("svc-"))
    });
    let mut found = Vec::new();
    for source in services {
        for path in files(&source) {
            let inside = path.strip_prefix(&source).unwrap_or(&path);
            let first =
                inside.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
            let in_layer = first.is_some_and(|first| first == name || first == format!("{name}.rs"));
            if in_layer && path.extension().is_some_and(|extension| extension == "rs") && !is_test(&path) {
                let text = std::fs::read_to_string(&path).expect("source is text");
                found.push((path, code(&text)));
            }
        }
    }
    found
}

fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests") || stem == "testing")
}

/// Numbered lines before the tests, without comments.
fn code(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]").enumerate();
    lines.map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default().to_owned())).collect()
}

/// The crate that a line of code names, in a `use` or in a path: `tonic::Status`.
fn names_crate(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    line.match_indices(&path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let rooted = !line[..at].ends_with("::") || line[..at].ends_with(" ::");
        rooted && before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

fn layer_names_none_of(layer_name: &str, forbidden: &[&str]) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, lines) in layer(layer_name) {
        for (number, line) in lines {
            for name in forbidden.iter().filter(|name| names_crate(&line, name)) {
                violations.push(format!("{}:{number} names {name}: {}", told(&path), line.trim()));
            }
        }
    }
    violations
}

#[test]
fn a_domain_is_pure() {
    let forbidden = [
        "store",
        "mesh",
        "chassis",
        "contract",
        "tonic",
        "prost",
        "prost_types",
        "tokio",
        "futures_util",
        "async_trait",
        "rusqlite",
        "tantivy",
        "tracing",
        "rand",
        "crate::store",
        "crate::api",
        "crate::saga",
        "crate::jobs",
        "std::fs",
        "std::net",
        "std::env",
        "std::thread",
        "std::process",
    ];
    hold("domain.rs imports kernel only", &layer_names_none_of("domain", &forbidden));
}

#[test]
fn a_repository_knows_domain_and_store_only() {
    let forbidden = [
        "mesh",
        "contract",
        "tonic",
        "prost",
        "prost_types",
        "rusqlite",
        "crate::api",
        "crate::saga",
        "crate::jobs",
    ];
    hold("store.rs imports domain and store", &layer_names_none_of("store", &forbidden));
}

#[test]
fn a_scan_of_code_finds_what_it_should() {
    for line in [
        "use tonic::Status;",
        "    x: tonic::Status,",
        "use ::tonic::Status;",
        "fn f() -> Result<T, tonic::Status>",
        "use {tonic::Status}",
    ] {
        assert!(names_crate(line, "tonic"), "{line}");
    }
    for line in ["use subtonic::Status;", "use crate::tonic::Status;", "use my_tonic::X;", "let tonic = 1;"] {
        assert!(!names_crate(line, "tonic"), "{line}");
    }
    assert_eq!(code("a // tonic::b\n#[cfg(test)]\nuse tonic::X;"), [(1, "a ".to_owned())]);
}
