//! Sizes, names and words of the sources.

use std::path::Path;

use crate::{crates, files, hold, root, told};

/// Lines of a source file: nobody has to scroll through more.
const LINES_MAX: usize = 600;
/// Names of modules without an entry rule.
const NAMELESS: &[&str] = &["common", "util", "utils", "helper", "helpers", "misc"];

/// What is read as text.
fn is_source(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
    ["rs", "proto", "toml", "md", "sql", "ts", "js", "css", "html", "json", "yaml", "yml", "sh"]
        .contains(&extension.as_str())
}

fn is_code(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| ["rs", "ts", "js", "css"].iter().any(|known| extension == *known))
}

#[test]
fn files_are_short() {
    let mut violations = Vec::new();
    for path in files(&root()).into_iter().filter(|path| is_code(path)) {
        let lines = std::fs::read_to_string(&path).expect("source is text").lines().count();
        if lines > LINES_MAX {
            violations.push(format!("{} has {lines} lines", told(&path)));
        }
    }
    hold("a source file has at most 600 lines; split it by noun", &violations);
}

#[test]
fn modules_are_named_after_what_they_hold() {
    let nameless = files(&root()).into_iter().filter(|path| {
        is_code(path) && path.file_stem().is_some_and(|stem| NAMELESS.iter().any(|name| stem == *name))
    });
    let violations: Vec<String> = nameless.map(|path| told(&path)).collect();
    hold("a module is named after what it holds", &violations);
}

/// The product runs anywhere: no path of one machine in it. `ci/` may look for input beside the clone.
#[test]
fn no_path_of_one_machine() {
    let mut violations = Vec::new();
    for path in
        files(&root()).into_iter().filter(|path| is_source(path) && !path.starts_with(root().join("ci")))
    {
        let text = std::fs::read_to_string(&path).expect("source is text");
        for (index, line) in text.lines().enumerate() {
            if ["/work/", "/root/", "/home/", "/Users/", "../shared"].iter().any(|place| line.contains(place))
            {
                violations.push(format!("{}:{} {}", told(&path), index + 1, line.trim()));
            }
        }
    }
    hold("sources name no path of one machine", &violations);
}

/// A test that does not run, and code that is not there, are worse than none.
#[test]
fn nothing_is_left_for_later() {
    let mut violations = Vec::new();
    for path in
        files(&root()).into_iter().filter(|path| is_code(path) && !path.starts_with(root().join("ci")))
    {
        let text = std::fs::read_to_string(&path).expect("source is text");
        for (index, line) in text.lines().enumerate() {
            if ["TODO", "FIXME", "todo!(", "unimplemented!(", "#[ignore"]
                .iter()
                .any(|word| line.contains(word))
            {
                violations.push(format!("{}:{} {}", told(&path), index + 1, line.trim()));
            }
        }
    }
    hold("nothing is left for later", &violations);
}

#[test]
fn every_service_is_on_the_map() {
    let map = std::fs::read_to_string(root().join("README.md")).unwrap_or_default();
    let mut violations = Vec::new();
    for package in crates()
        .into_iter()
        .filter(|package| package.name.starts_with("svc-") || package.name.starts_with("bff-"))
    {
        let role = package.name.trim_start_matches("svc-");
        let ways = [package.name.to_string(), format!("| {role} |"), format!("`{role}`")];
        if !ways.iter().any(|way| map.contains(way)) {
            violations.push(package.name.to_string());
        }
    }
    hold("README.md's map names every role", &violations);
}

#[test]
fn every_service_has_its_contract() {
    let services = crates().into_iter().filter(|package| package.name.starts_with("svc-"));
    let violations: Vec<String> = services
        .map(|package| package.name.trim_start_matches("svc-").to_owned())
        .filter(|role| !root().join(format!("proto/souk/{role}/v1/{role}.proto")).is_file())
        .collect();
    hold("service NAME has proto/souk/NAME/v1/NAME.proto", &violations);
}
