//! Versions stand in one place, with a word on what each is for.

use std::path::PathBuf;

use crate::{crates, hold, root, told};

/// Names that have no entry rule, and so grow for ever.
const NAMELESS: &[&str] = &[
    "common", "commons", "util", "utils", "helper", "helpers", "types", "shared", "misc", "lib", "core",
    "base",
];

fn read(path: &PathBuf) -> String {
    std::fs::read_to_string(path).expect("a manifest is text")
}

fn manifests() -> Vec<PathBuf> {
    crates().iter().map(|package| package.manifest_path.clone().into_std_path_buf()).collect()
}

/// The lines of the sections whose header holds `word`, with their numbers.
fn sections<'a>(text: &'a str, word: &str) -> Vec<(usize, &'a str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            inside = line.contains(word);
        } else if inside && !line.trim().is_empty() && !line.starts_with('#') {
            found.push((index + 1, line));
        }
    }
    found
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let text = read(&root().join("Cargo.toml"));
    let lines = sections(&text, "workspace.dependencies");
    assert!(lines.len() > 20, "the scan found {} dependencies", lines.len());
    let silent = |line: &str| !line.contains("path = ") && !line.contains(" # ");
    let violations: Vec<String> = lines
        .iter()
        .filter(|(_, line)| silent(line))
        .map(|(number, line)| format!("Cargo.toml:{number} {line}"))
        .collect();
    hold("a line of [workspace.dependencies] ends with what it is for", &violations);
}

#[test]
fn versions_stand_in_the_workspace() {
    let mut violations = Vec::new();
    for path in manifests() {
        for (number, line) in sections(&read(&path), "dependencies") {
            if !line.contains("workspace = true") && !line.contains("path = \".\"") {
                violations.push(format!("{}:{number} {line}", told(&path)));
            }
        }
    }
    hold("crates take versions from the workspace: NAME.workspace = true", &violations);
}

#[test]
fn every_crate_keeps_the_lints_and_the_licence() {
    let mut violations = Vec::new();
    for path in manifests() {
        let text = read(&path);
        for wanted in [
            "[lints]\nworkspace = true",
            "license.workspace = true",
            "rust-version.workspace = true",
            "publish.workspace = true",
        ] {
            if !text.contains(wanted) {
                violations.push(format!("{} lacks {wanted:?}", told(&path)));
            }
        }
    }
    hold("every crate takes lints, licence and Rust version from the workspace", &violations);
}

#[test]
fn no_crate_has_a_name_without_an_entry_rule() {
    let packages = crates();
    let nameless =
        packages.iter().filter(|package| package.name.split('-').any(|part| NAMELESS.contains(&part)));
    let violations: Vec<String> = nameless.map(|package| package.name.to_string()).collect();
    hold("a crate is named after what it holds", &violations);
}

#[test]
fn a_crate_has_one_test_binary() {
    let mut violations = Vec::new();
    for package in crates() {
        let tests = package.targets.iter().filter(|target| target.is_test()).count();
        if tests > 1 {
            violations.push(format!("{} has {tests}", package.name));
        }
    }
    hold("one test binary a crate: each one more is linked again", &violations);
}
