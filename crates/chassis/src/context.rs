//! The one door to everything outside a role.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Error, Id, IdKind, Result, Timestamp};
use mesh::{Channel, Killed, Principal, Verified};
use prometheus_client::registry::Registry;
use store::{Database, Kv, Migration, OpenOptions, Position};

use crate::audit::{DescribeEvent, Examine};
use crate::consume::Consumer;
use crate::house::House;
use crate::{Consume, Cursors, LogSettings, Secret, Service, Settings, Subscription};

/// What a role has: time, ids, randomness, storage, secrets, calls, events, tasks. Nothing else, and no globals. Cheap to
/// clone.
#[derive(Clone)]
pub struct Context {
    house: Arc<House>,
    service: Service,
    kv: Kv,
}

impl Context {
    pub(crate) fn new(house: Arc<House>, service: Service) -> Self {
        let kv = Kv::memory(house.clock.clone());
        Self { house, service, kv }
    }

    /// The role's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.service.name
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.house.clock.now()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.house.clock
    }

    /// A new id.
    #[must_use]
    pub fn id<K: IdKind>(&self) -> Id<K> {
        self.house.entropy.id(&*self.house.clock)
    }

    /// Random bytes, good enough for secrets.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        self.house.entropy.bytes()
    }

    /// The role's own database; its outbox is served as the role's events.
    ///
    /// # Errors
    /// What opening it says: in use, damaged, newer than this binary, unwritable.
    pub async fn database(&self, migrations: &'static [Migration]) -> Result<Database> {
        let database = self.database_named(self.service.name, migrations).await?;
        self.house.events.add_outbox(self.service.name, database.clone());
        self.house.audit.add_database(self.service.name, database.clone());
        Ok(database)
    }

    /// Adds a table to what an audit of this role checks.
    pub fn examine(&self, table: Arc<dyn Examine>) {
        self.house.audit.add_table(self.service.name, table);
    }

    /// Says how this role's events describe their aggregates, so that an audit compares them with the rows.
    pub fn describe_events(&self, describe: DescribeEvent) {
        self.house.audit.describe(self.service.name, describe);
    }

    /// Another database of this role, apart from its own.
    ///
    /// # Errors
    /// As [`Context::database`].
    pub async fn database_named(
        &self,
        name: &'static str,
        migrations: &'static [Migration],
    ) -> Result<Database> {
        let key = self.secret(EVENT_CHAIN).await?;
        let begun = format!("{EVENT_CHAIN}-{name}");
        let options = OpenOptions::new(self.house.clock.clone())
            .with_chain_key(key.bytes())
            .with_chain_begun(self.has_secret(&begun).await?);
        let database = store::open(&self.house.data.url(), name, migrations, options).await?;
        self.secret(&begun).await?;
        self.house.databases.add(self.service.name, name, database.clone());
        let sweep = database.clone();
        self.every("sweep request keys", SWEEP_EVERY, move || {
            let database = sweep.clone();
            async move {
                if let Err(error) = database.sweep(SWEEP_ROWS).await {
                    tracing::warn!(error = ?error, "expired request keys could not be swept");
                }
            }
        });
        Ok(database)
    }

    /// Whether the process is ready for calls: all its roles have started, it does not leave, and its data is there.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self.house.serving.borrow()
    }

    /// The role's cache; only what may be lost.
    #[must_use]
    pub fn kv(&self) -> Kv {
        self.kv.clone()
    }

    /// Where this role may keep files that are not a database: `DIR/ROLE`; `None` with `mem:`.
    #[must_use]
    pub fn data_dir(&self) -> Option<PathBuf> {
        self.house.data.path().map(|path| path.join(self.service.name))
    }

    /// A client of another role, wherever it runs.
    ///
    /// # Errors
    /// INTERNAL for a role that `SERVICE.calls` does not name.
    pub fn call<C>(&self, role: &'static str, new: impl FnOnce(Channel) -> C) -> Result<C> {
        if !self.service.calls.contains(&role) {
            return Err(Error::internal(format!(
                "{} does not declare that it calls {role}",
                self.service.name
            )));
        }
        Ok(new(self.channel(role)))
    }

    fn channel(&self, role: &str) -> Channel {
        Channel::new(&self.house.routes, self.service.name, role)
    }

    /// The role's settings: its section of `souk.toml`.
    ///
    /// # Errors
    /// `INVALID_CONFIG` naming the key.
    pub fn config<T: Settings>(&self) -> Result<T> {
        self.house.config.settings(self.service.name)
    }

    /// The process's settings of its log.
    ///
    /// # Errors
    /// `INVALID_CONFIG` naming the key.
    pub fn log_settings(&self) -> Result<LogSettings> {
        self.house.config.settings(LogSettings::SECTION)
    }

    /// A secret of the house by name, the same for every instance.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub async fn secret(&self, name: &str) -> Result<Secret> {
        self.house.secrets.get(name)
    }

    /// Whether a secret of the house has been made before: a mark that no database holds.
    ///
    /// # Errors
    /// When the data directory cannot be read.
    pub async fn has_secret(&self, name: &str) -> Result<bool> {
        self.house.secrets.exists(name)
    }

    /// Seals and opens cursors.
    #[must_use]
    pub fn cursors(&self) -> &Cursors {
        &self.house.cursors
    }

    /// Who a token is of.
    ///
    /// # Errors
    /// UNAUTHENTICATED when it is not good.
    pub fn verify_token(&self, token: &str) -> Result<Principal> {
        Ok(self.house.guards.verifier.verify(token)?.principal.clone())
    }

    /// Who a token is of, as calls carry it on.
    ///
    /// # Errors
    /// UNAUTHENTICATED when it is not good.
    pub fn verified(&self, token: &str) -> Result<Arc<Verified>> {
        self.house.guards.verifier.verify(token)
    }

    /// Who a token that identity gave just now is of: its key may still be on its way here.
    ///
    /// # Errors
    /// UNAUTHENTICATED when it is not good.
    pub async fn verified_fresh(&self, token: &str) -> Result<Arc<Verified>> {
        self.house.guards.verifier.verify_fresh(token).await
    }

    /// Whether a session was signed out lately, or all sessions of its subject were: its tokens issued before count no more.
    #[must_use]
    pub fn is_revoked(&self, verified: &Verified) -> bool {
        self.house.guards.verifier.is_revoked(verified)
    }

    /// Waits until this process knows that a session was signed out, for at most two seconds.
    pub async fn revocation_arrives(&self, verified: &Verified) {
        self.house.guards.verifier.revocation_arrives(verified).await;
    }

    /// Tells each time that identity has told its keys and revocations anew.
    #[must_use]
    pub fn revocations(&self) -> tokio::sync::watch::Receiver<u64> {
        self.house.guards.verifier.updates()
    }

    /// Runs a loop beside the calls. It begins when every role of the process has started, and is stopped where it waits
    /// when the process leaves: what it does must be able to stop anywhere.
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        tracing::debug!(role = self.service.name, task = name, "task registered");
        self.house.drain.spawn_loop(future);
    }

    /// Runs work that is let finish, within the grace, when the process leaves.
    pub fn spawn_work(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.house.drain.spawn_work(future);
    }

    /// Does something again and again, `period` after it last ended.
    pub fn every<F, R>(&self, name: &'static str, period: Duration, mut work: F)
    where
        F: FnMut() -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let ctx = self.clone();
        self.spawn(name, async move {
            loop {
                ctx.sleep(period).await;
                work().await;
            }
        });
    }

    /// Waits on the context's clock.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// Resolves when the process leaves.
    pub async fn draining(&self) {
        self.house.drain.draining().await;
    }

    /// Reads a source's events durably: each is applied once, under the name `consumer`.
    ///
    /// # Errors
    /// INTERNAL for a source that `SERVICE.consumes` does not name.
    pub fn consume(
        &self,
        source: &'static str,
        consumer: &'static str,
        database: &Database,
        handler: Arc<dyn Consume>,
    ) -> Result<()> {
        self.subscribe(source, None)?;
        self.house.events.add_consumer(self.service.name, source, consumer, database.clone());
        self.house.audit.add_consumer(self.service.name, source, consumer);
        let progress = self.house.consumers.add(self.service.name, source, consumer);
        let database = database.clone();
        let consumer = Consumer { ctx: self.clone(), source, name: consumer, database, handler, progress };
        self.spawn("consumer", consumer.run());
        Ok(())
    }

    /// Reads a source's events for this instance alone; nothing is kept.
    ///
    /// # Errors
    /// INTERNAL for a source that `SERVICE.consumes` does not name.
    pub fn subscribe(&self, source: &'static str, after: Option<Position>) -> Result<Subscription> {
        if !self.service.consumes.contains(&source) {
            return Err(Error::internal(format!(
                "{} does not declare that it consumes {source}",
                self.service.name
            )));
        }
        Ok(Subscription::new(self.channel(source), source, after))
    }

    /// A place at which tests kill: whatever gets [`Killed`] must stop at once and record nothing, as if the process had
    /// died here.
    ///
    /// # Errors
    /// [`Killed`] when a test asked for it.
    pub fn fault_point(&self, point: &str) -> std::result::Result<(), Killed> {
        self.house.faults.point(point)
    }

    /// Adds metrics of the role.
    pub fn register_metrics(&self, register: impl FnOnce(&mut Registry)) {
        register(&mut self.house.registry.lock());
    }
}

/// The secret under which the events of every database are chained; with a database's name behind it, the mark that its events are.
const EVENT_CHAIN: &str = "event-chain";
/// How often expired request keys are swept.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Rows that one sweep deletes at most.
const SWEEP_ROWS: u32 = 5_000;
