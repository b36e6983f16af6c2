//! What the operating system knows of this process, under the names that every Prometheus client uses, and which build it is.

use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use tokio::time::Instant;

/// Which build a process runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Build {
    /// Version of the release.
    pub version: &'static str,
    /// Commit that it was built from.
    pub commit: &'static str,
}

impl Collector for Build {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let help = "Always 1; the labels say which build this is";
        let mut info = encoder.encode_descriptor("souk_build_info", help, None, MetricType::Gauge)?;
        let labels = [("version", self.version), ("commit", self.commit)];
        ConstGauge::new(1_i64).encode(info.encode_family(&labels)?)
    }
}

/// For how long what was read of `/proc` is told again, so that asking often costs little.
const FACTS_KEPT: Duration = Duration::from_secs(1);

/// The process of this binary.
#[derive(Debug, Default)]
pub(crate) struct Process {
    #[cfg(target_os = "linux")]
    facts: Mutex<Option<(Instant, linux::Facts)>>,
}

#[cfg(target_os = "linux")]
impl Process {
    fn facts(&self) -> Option<linux::Facts> {
        let mut kept = self.facts.lock();
        if let Some((at, facts)) = *kept
            && at.elapsed() < FACTS_KEPT
        {
            return Some(facts);
        }
        let facts = linux::facts()?;
        *kept = Some((Instant::now(), facts));
        Some(facts)
    }
}

#[cfg(target_os = "linux")]
impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        use prometheus_client::metrics::counter::ConstCounter;
        // Without /proc nothing is known, and nothing is told.
        let Some(facts) = self.facts() else { return Ok(()) };
        let help = "User and system processor time spent, in seconds";
        let cpu = encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?;
        ConstCounter::new(facts.cpu_seconds).encode(cpu)?;
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Resident memory, in bytes", facts.resident_bytes),
            ("process_virtual_memory_bytes", "Virtual memory, in bytes", facts.virtual_bytes),
            ("process_threads", "Threads", facts.threads),
            ("process_open_fds", "Open file descriptors", facts.open_fds),
            ("process_max_fds", "Most file descriptors that may be open", facts.max_fds),
        ] {
            let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(gauge)?;
        }
        let help = "When the process started, in seconds since 1970";
        let start = encoder.encode_descriptor("process_start_time_seconds", help, None, MetricType::Gauge)?;
        ConstGauge::new(facts.start_seconds).encode(start)
    }
}

#[cfg(not(target_os = "linux"))]
impl Collector for Process {
    fn encode(&self, _: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use procfs::process::{LimitValue, Process};
    use procfs::{CurrentSI as _, KernelStats, WithCurrentSystemInfo as _};

    #[derive(Clone, Copy, Debug)]
    pub(super) struct Facts {
        pub(super) cpu_seconds: f64,
        pub(super) start_seconds: f64,
        pub(super) resident_bytes: u64,
        pub(super) virtual_bytes: u64,
        pub(super) threads: u64,
        pub(super) open_fds: u64,
        pub(super) max_fds: u64,
    }

    #[expect(clippy::cast_precision_loss, reason = "clock ticks and seconds are far below 2^53")]
    pub(super) fn facts() -> Option<Facts> {
        let process = Process::myself().ok()?;
        let stat = process.stat().ok()?;
        let ticks = procfs::ticks_per_second() as f64;
        let boot = KernelStats::current().ok()?.btime as f64;
        let max_fds = match process.limits().ok()?.max_open_files.soft_limit {
            LimitValue::Unlimited => u64::MAX,
            LimitValue::Value(limit) => limit,
        };
        Some(Facts {
            cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
            start_seconds: boot + stat.starttime as f64 / ticks,
            resident_bytes: stat.rss_bytes().get(),
            virtual_bytes: stat.vsize,
            threads: u64::try_from(stat.num_threads).unwrap_or(0),
            open_fds: process.fd_count().ok()? as u64,
            max_fds,
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_described() {
        let facts = linux::facts().expect("there is a /proc");
        assert!(facts.resident_bytes > 1 << 20 && facts.virtual_bytes >= facts.resident_bytes);
        assert!(facts.threads >= 1 && facts.open_fds >= 3 && facts.max_fds >= facts.open_fds);
        assert!(facts.start_seconds > 1.7e9 && facts.cpu_seconds >= 0.0);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_looked_at_once_a_second() {
        let process = Process::default();
        let open = |process: &Process| process.facts().expect("there is a /proc").open_fds;
        let before = open(&process);
        let files: Vec<_> =
            (0..50).map(|_| std::fs::File::open("/proc/self/stat").expect("opened")).collect();
        assert_eq!(open(&process), before);
        tokio::time::advance(FACTS_KEPT).await;
        assert!(open(&process) >= 50, "{} files are open", files.len());
    }
}
