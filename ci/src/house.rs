//! Where things are, and running a tool.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;

/// The directories that steps work in.
pub struct House {
    /// The workspace.
    pub root: PathBuf,
    /// cargo's target directory.
    pub target: PathBuf,
    /// Where missing tools are installed.
    pub tools: PathBuf,
}

impl House {
    /// Asks cargo where the workspace is.
    pub fn find() -> Result<Self> {
        let output = Command::new("cargo")
            .args(["metadata", "--format-version=1", "--no-deps"])
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("cargo does not start: {error}"))?;
        if !output.status.success() {
            return Err("cargo metadata failed; its message is above".into());
        }
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("cargo metadata is no JSON: {error}"))?;
        let path = |key: &str| {
            metadata[key].as_str().map(PathBuf::from).ok_or(format!("cargo metadata has no {key}"))
        };
        let target = path("target_directory")?;
        Ok(Self { root: path("workspace_root")?, tools: target.join("tools"), target })
    }

    /// The release binary; another where `SOUK_BIN` says so.
    pub fn souk(&self) -> PathBuf {
        let named = std::env::var_os("SOUK_BIN").map(PathBuf::from);
        named.unwrap_or_else(|| self.target.join("release").join("souk"))
    }

    /// A command that runs in the workspace, with the installed tools found first.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let bins =
            ["bin", "python/bin", "schemathesis/bin", "node_modules/.bin"].map(|bin| self.tools.join(bin));
        if let Ok(path) = std::env::join_paths(bins.into_iter().chain(std::env::split_paths(&path))) {
            command.env("PATH", path);
        }
        command.current_dir(&self.root).stdin(Stdio::null());
        command
    }

    /// Runs a tool to its end, with its output shown.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        self.run_with(program, arguments, &[])
    }

    /// Runs a tool with variables set.
    pub fn run_with(&self, program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<()> {
        println!("$ {program} {}", arguments.join(" "));
        let mut command = self.command(program);
        let status = command.args(arguments).envs(variables.iter().copied()).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{program} {} ended with {status}", arguments.first().unwrap_or(&""))),
            Err(error) => Err(format!("{program} does not start: {error}")),
        }
    }

    /// What a tool prints when it succeeds; what it complains of is shown.
    pub fn output(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let failed = |why: &dyn std::fmt::Display| format!("{program} {}: {why}", arguments.join(" "));
        let mut command = self.command(program);
        let output =
            command.args(arguments).stderr(Stdio::inherit()).output().map_err(|error| failed(&error))?;
        if !output.status.success() {
            return Err(failed(&output.status));
        }
        String::from_utf8(output.stdout).map_err(|error| failed(&error))
    }

    /// What a tool prints, without its last line break; `None` when it fails or does not start.
    pub fn ask(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let output = self.command(program).args(arguments).stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim_end().to_owned())
    }

    /// Whether a tool starts and answers.
    pub fn has(&self, program: &str, arguments: &[&str]) -> bool {
        self.ask(program, arguments).is_some()
    }

    /// A path as text for an argument.
    pub fn text(path: &Path) -> Result<&str> {
        path.to_str().ok_or(format!("{} is not UTF-8", path.display()))
    }
}
