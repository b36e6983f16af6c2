//! The rules of the house as tests. A rule without a test is a wish.

#[path = "it/imports.rs"]
mod imports;
#[path = "it/limits.rs"]
mod limits;
#[path = "it/manifests.rs"]
mod manifests;
#[path = "it/messages.rs"]
mod messages;
#[path = "it/tree.rs"]
mod tree;

use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("ci lies in the workspace").to_owned()
}

/// The crates of the workspace.
fn crates() -> Vec<Package> {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec();
    metadata.expect("cargo knows the workspace").packages
}

/// What a crate depends on, with the kind.
fn dependencies(package: &Package) -> impl Iterator<Item = (&str, DependencyKind)> {
    package.dependencies.iter().map(|dependency| (dependency.name.as_str(), dependency.kind))
}

/// All files below a directory but what is built, fetched or hidden.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory of the workspace") {
        let path = entry.expect("its entries are readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "node_modules", ".git", ".souk", "cdk.out"].contains(&name.as_str()) {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A path as it is told, from the workspace.
fn told(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Fails with every violation of a rule, a line each.
fn hold(rule: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{rule}:\n  {}", violations.join("\n  "));
}
