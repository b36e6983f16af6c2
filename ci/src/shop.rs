//! A running shop, from outside: the release binary over a directory of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::Result;
use crate::house::House;

/// How long a shop may take until it serves.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take to drain.
const DRAINED_WITHIN: Duration = Duration::from_secs(30);
/// How long one command against it may take.
const COMMAND_WITHIN: Duration = Duration::from_secs(600);

/// `souk up` on free ports. Ended by its process id when dropped.
pub struct Shop<'a> {
    house: &'a House,
    data: String,
    /// Where it serves gRPC, `127.0.0.1:40123`.
    pub grpc: String,
    /// Where browsers and programs reach the shop window.
    pub web: String,
    /// Where the metrics are.
    pub metrics: String,
    process: Option<Child>,
}

impl<'a> Shop<'a> {
    /// Starts an empty one and waits until it says that it serves. Its log is `souk.log` beside the data.
    pub fn open(house: &'a House, directory: &Path) -> Result<Self> {
        Self::start(house, directory, &["--no-demo"], &[])
    }

    /// The same with the demo catalogue.
    pub fn open_demo(house: &'a House, directory: &Path) -> Result<Self> {
        Self::start(house, directory, &[], &[])
    }

    /// The same with variables of the environment.
    pub fn open_demo_with(house: &'a House, directory: &Path, variables: &[(&str, &str)]) -> Result<Self> {
        Self::start(house, directory, &[], variables)
    }

    fn start(house: &'a House, directory: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Result<Self> {
        let data = format!("dir:{}", directory.join("data").display());
        let log_path = directory.join("souk.log");
        let log = std::fs::File::options().create(true).append(true).open(&log_path);
        let log = log.map_err(|error| format!("{} cannot be written: {error}", log_path.display()))?;
        let mut arguments = vec!["up", "--data", &data, "--grpc", "127.0.0.1:0", "--json"];
        arguments.extend(flags);
        let help = house.ask(House::text(&house.souk())?, &["up", "--help"]).unwrap_or_default();
        for flag in ["--metrics", "--web"].into_iter().filter(|flag| help.contains(flag)) {
            arguments.extend([flag, "127.0.0.1:0"]);
        }
        let mut command = house.command(house.souk());
        command.envs(variables.iter().copied()).args(&arguments).stdout(Stdio::piped()).stderr(log);
        let mut process = command.spawn().map_err(|error| format!("souk does not start: {error}"))?;
        let ready = first_line(&mut process);
        let mut shop = Self {
            house,
            data,
            grpc: String::new(),
            web: String::new(),
            metrics: String::new(),
            process: Some(process),
        };
        let ready: Value = ready.and_then(|line| serde_json::from_str(&line).ok()).ok_or_else(|| {
            format!("souk up did not say that it serves; its log ends: {}", tail(&log_path))
        })?;
        let address = |door: &str| {
            let address = ready["addresses"][door].as_str().map(str::to_owned);
            address.ok_or(format!("the ready line has no addresses.{door}"))
        };
        (shop.grpc, shop.web, shop.metrics) = (address("grpc")?, address("web")?, address("metrics")?);
        println!("a shop serves at {} after {} ms", shop.grpc, ready["ready_ms"]);
        Ok(shop)
    }

    /// One command against it: its exit code and the JSON it printed.
    pub fn command(&self, arguments: &[&str]) -> Result<(Option<i32>, Value)> {
        println!("$ souk {}", arguments.join(" "));
        let mut command = self.house.command(self.house.souk());
        command.args(arguments).args([
            "--at",
            &format!("http://{}", self.grpc),
            "--data",
            &self.data,
            "--json",
        ]);
        let (code, stdout) = output_within(command, COMMAND_WITHIN)?;
        let json = serde_json::from_str(&stdout).map_err(|error| {
            format!("souk {} printed no JSON ({error}); exit {code:?}", arguments.join(" "))
        })?;
        Ok((code, json))
    }

    /// Stops it as an operator would, and requires that it ends by itself.
    pub fn close(mut self) -> Result<()> {
        let process = self.process.take().ok_or("the shop is closed already")?;
        signal(self.house, "TERM", process.id());
        match wait_within(self.house, process, DRAINED_WITHIN)? {
            Some(0) => Ok(()),
            code => Err(format!("souk up ended with {code:?} after SIGTERM")),
        }
    }
}

impl Drop for Shop<'_> {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Nothing can be done about an error here: the process has ended, or the machine is going down.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// What a process prints first; the rest is read and dropped, so that it never waits for a reader.
fn first_line(process: &mut Child) -> Option<String> {
    let stdout = process.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(std::io::Result::ok) {
            // The receiver leaves after the first line.
            let _ = sender.send(line);
        }
    });
    receiver.recv_timeout(READY_WITHIN).ok()
}

/// Runs a command to its end or for `limit`, and gives its exit code and what it printed.
fn output_within(mut command: Command, limit: Duration) -> Result<(Option<i32>, String)> {
    let child =
        command.stdout(Stdio::piped()).spawn().map_err(|error| format!("souk does not start: {error}"))?;
    let id = child.id();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(limit) {
        Ok(Ok(output)) => Ok((output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())),
        Ok(Err(error)) => Err(format!("souk could not be waited for: {error}")),
        Err(_) => {
            let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
            Err(format!("souk did not end within {} s", limit.as_secs()))
        }
    }
}

/// Waits for a process to end; kills it after `limit`, which is an error.
fn wait_within(house: &House, mut process: Child, limit: Duration) -> Result<Option<i32>> {
    let id = process.id();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(process.wait()));
    match receiver.recv_timeout(limit) {
        Ok(status) => Ok(status.ok().and_then(|status| status.code())),
        Err(_) => {
            signal(house, "KILL", id);
            Err(format!("souk up did not end within {} s of SIGTERM", limit.as_secs()))
        }
    }
}

fn signal(house: &House, name: &str, id: u32) {
    house.ask("kill", &[&format!("-{name}"), &id.to_string()]);
}

/// The end of a log.
fn tail(path: &PathBuf) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let start = text.floor_char_boundary(text.len().saturating_sub(2000));
    text[start..].trim().to_owned()
}
