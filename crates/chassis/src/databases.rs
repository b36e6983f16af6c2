//! The databases of this process: whether their files are still there.

use std::sync::Arc;
use std::time::Duration;

use contract::souk::event::v1 as wire;
use kernel::{Error, Result};
use parking_lot::RwLock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use store::{Database, Operation};
use tokio::sync::Mutex;

use crate::house::House;

/// How often the files are looked at. Each commit looks as well; this is for a shop that nobody writes to.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A database of a role.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) role: &'static str,
    pub(crate) name: &'static str,
    pub(crate) database: Database,
}

/// Every database that was opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Databases {
    opened: Arc<RwLock<Vec<Opened>>>,
    /// Held while one is checked, which reads all of it.
    checking: Arc<Mutex<()>>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("role", &self.role).field("name", &self.name).finish_non_exhaustive()
    }
}

impl Databases {
    pub(crate) fn add(&self, role: &'static str, name: &'static str, database: Database) {
        self.opened.write().push(Opened { role, name, database });
    }

    /// Lets go of them, so that they close.
    pub(crate) fn clear(&self) {
        self.opened.write().clear();
    }

    /// Checks the databases of a role, one after another.
    ///
    /// # Errors
    /// `UNKNOWN_SOURCE` at `/source` for a role without a database here; when one cannot be read.
    pub(crate) async fn check(&self, role: &str) -> Result<wire::CheckStorageResponse> {
        let opened: Vec<Opened> =
            self.opened.read().iter().filter(|opened| opened.role == role).cloned().collect();
        if opened.is_empty() {
            return Err(Error::field("/source", "UNKNOWN_SOURCE", "is not a role that this process runs"));
        }
        let _one = self.checking.lock().await;
        let mut databases = Vec::with_capacity(opened.len());
        for Opened { name, database, .. } in opened {
            let problems = database.problems().await?;
            databases.push(wire::StorageCheck { name: name.to_owned(), problems });
        }
        Ok(wire::CheckStorageResponse { databases })
    }

    /// Whether the files of all of them are where they were; says which are not.
    pub(crate) fn are_present(&self) -> bool {
        let mut present = true;
        for Opened { role, name, database } in self.opened.read().iter() {
            if let Err(error) = database.check_files() {
                tracing::error!(
                    role,
                    database = name,
                    error = ?error,
                    "nothing more is written to this database; stop the process, restore its files and start again"
                );
                present = false;
            }
        }
        present
    }
}

impl Collector for Databases {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::result::Result<(), std::fmt::Error> {
        let help = "Time until a database answered, waiting included, by database and operation";
        let mut seconds =
            encoder.encode_descriptor("souk_store_seconds", help, None, MetricType::Histogram)?;
        for Opened { name, database, .. } in self.opened.read().iter() {
            for operation in Operation::ALL {
                let Some(counts) = database.timings().of(operation).counts() else { continue };
                let labels = [("database", *name), ("operation", operation.as_str())];
                let mut times = seconds.encode_family(&labels)?;
                times.encode_histogram::<NoLabelSet>(counts.sum, counts.count, &counts.buckets, None)?;
            }
        }
        Ok(())
    }
}

/// Tells that the process does not serve any more when files of its databases were deleted or replaced.
pub(crate) async fn watch(house: Arc<House>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if !house.databases.are_present() {
            house.serving.send_replace(false);
            return;
        }
    }
}
