//! Keeping the index in step with the catalogue.
//!
//! One task owns all writing. It follows product's events from where the index stands, and commits what came together.
//! A new index is built in parts of the same task while the old one is followed and serves: product's list is read, then
//! the events since, and only an index that has caught up takes the place of the other. The writer, which holds memory,
//! is opened when there is something to write and closed after a while of quiet.

mod build;
mod convert;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chassis::{Context, Subscription};
use contract::souk::event::v1::Event;
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use kernel::{Error, ProductId, Result};
use mesh::Channel;
use store::Position;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::domain::Product;
use crate::index::{Index, Writer};
use crate::state::State;
use convert::Change;

/// How long changes wait for others to be committed with them.
const GATHER: Duration = Duration::from_millis(100);
/// The most changes in one commit.
const CHANGES_MAX: usize = 1_000;
/// How long the writer stays open without work.
const QUIET: Duration = Duration::from_secs(5);
/// Pause before something that failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a write that failed is tried again before the index is built anew.
const FAILURES_MAX: u32 = 3;
/// Memory of a writer: the least that tantivy takes.
const WRITER_BYTES: usize = 15_000_000;

/// The task that feeds the index.
pub struct Feed {
    ctx: Context,
    products: ProductServiceClient<Channel>,
    state: Arc<State>,
    /// Where indexes are kept; `None` in memory.
    directory: Option<PathBuf>,
    opened: Option<Built>,
}

/// An index that shows everything up to a position.
struct Built {
    index: Index,
    position: Position,
    started: Instant,
}

/// Why following ended.
enum Ended {
    /// Another index has caught up.
    Replaced(Built),
    /// The events cannot be followed any more from where the index stands.
    Lost(Error),
    /// The index could not be written.
    Failed(Error),
}

/// What the reader of events hands over.
enum Read {
    /// An event, and the newest position that is known.
    Event(Box<Event>, Option<Position>),
    /// Everything up to here was read.
    Head(Position),
    /// There is no going on.
    Lost(Error),
}

impl Feed {
    /// Opens the index that an earlier run left, if there is one.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn open(ctx: Context, products: ProductServiceClient<Channel>, state: Arc<State>) -> Result<Self> {
        // An earlier release made it readable for everybody.
        ctx.data_dir().map_or(Ok(()), |directory| store::tighten_path(&directory))?;
        let directory = ctx.data_dir().map(|directory| directory.join("index"));
        let started = Instant::now();
        let mut feed = Self { ctx, products, state, directory, opened: None };
        if let Some(directory) = &feed.directory
            && let Some((index, position)) = Index::open_newest(directory)?
        {
            feed.state.serve(index.clone(), position, feed.ctx.now(), started.elapsed());
            feed.opened = Some(Built { index, position, started });
        }
        Ok(feed)
    }

    /// Builds, serves and follows, for ever.
    pub async fn run(mut self) {
        let mut current = match self.opened.take() {
            Some(opened) => {
                self.read_categories_until_done().await;
                opened
            }
            None => self.build_and_serve().await,
        };
        let mut failures = 0;
        loop {
            current = match self.follow(&mut current).await {
                Ended::Replaced(built) => {
                    failures = 0;
                    self.serve(built)
                }
                Ended::Failed(error) if failures < FAILURES_MAX => {
                    tracing::warn!(error = ?error, "the search index cannot be written; trying again");
                    failures += 1;
                    self.ctx.sleep(PAUSE).await;
                    current
                }
                Ended::Failed(error) | Ended::Lost(error) => {
                    tracing::warn!(error = ?error, "the search index cannot go on; building a new one");
                    failures = 0;
                    self.build_and_serve().await
                }
            };
        }
    }

    async fn build_and_serve(&self) -> Built {
        self.state.begin_building();
        let built = loop {
            match self.build().await {
                Ok(built) => break built,
                Err(error) => {
                    tracing::warn!(error = ?error, "the search index cannot be built yet; trying again");
                    self.ctx.sleep(PAUSE).await;
                }
            }
        };
        self.serve(built)
    }

    /// Puts an index in place and removes the one before.
    fn serve(&self, built: Built) -> Built {
        let took = built.started.elapsed();
        let before = self.state.serve(built.index.clone(), built.position, self.ctx.now(), took);
        self.state.end_building();
        if let Some(before) = before {
            before.index.remove();
        }
        tracing::info!(
            documents = built.index.documents(),
            took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "a search index took its place"
        );
        built
    }

    async fn follow(&self, current: &mut Built) -> Ended {
        let subscription = match self.ctx.subscribe("product", Some(current.position)) {
            Ok(subscription) => subscription,
            Err(error) => return Ended::Lost(error),
        };
        let (sender, mut receiver) = mpsc::channel(CHANGES_MAX);
        let mut reader = std::pin::pin!(read(subscription, sender));
        let mut pending = Pending::new(&current.index, &self.state, current.position);
        let mut building: Option<BoxFuture<'_, Result<Built>>> = None;
        loop {
            let wake = until(pending.commit_at.or(pending.close_at));
            let may_build = building.is_none();
            let build = async {
                match &mut building {
                    Some(building) => building.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = &mut reader => return Ended::Lost(Error::internal("the reader of events ended")),
                read = receiver.recv() => match read {
                    Some(Read::Event(event, head)) => {
                        self.state.knows(head.unwrap_or_default());
                        self.note(&mut pending, &event);
                    }
                    Some(Read::Head(head)) => pending.reached(head),
                    Some(Read::Lost(error)) => return Ended::Lost(error),
                    None => return Ended::Lost(Error::internal("the reader of events ended")),
                },
                () = wake => match pending.settle().await {
                    Ok(()) => current.position = pending.committed,
                    Err(error) => return Ended::Failed(error),
                },
                () = self.state.rebuild.notified(), if may_build => {
                    self.state.begin_building();
                    building = Some(self.build().boxed());
                }
                built = build => {
                    building = None;
                    match built {
                        Ok(built) => return Ended::Replaced(built),
                        Err(error) => {
                            self.state.end_building();
                            tracing::warn!(error = ?error, "a new search index could not be built; the old one goes on");
                        }
                    }
                }
            }
        }
    }

    /// Takes an event in. What is not understood is passed over: a newer release of product may say more.
    fn note(&self, pending: &mut Pending<'_>, event: &Event) {
        if let Some(position) = event.position {
            pending.position = Position { epoch: position.epoch, sequence: position.sequence };
        }
        match convert::change(event) {
            Ok(Change::Product(product)) => pending.add(*product),
            Ok(Change::Category(category)) => {
                self.state.categories.rcu(|known| known.with(category.clone()));
            }
            Ok(Change::CategoryGone(id)) => {
                self.state.categories.rcu(|known| known.without(&id));
            }
            Ok(Change::Nothing) => {}
            Err(error) => {
                tracing::warn!(event = event.id, error = ?error, "an event of product is not understood; passed over")
            }
        }
        if pending.changes.is_empty() {
            pending.state.shows(pending.position);
        }
    }
}

/// Resolves at a time, or never.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Changes that are not committed yet.
struct Pending<'a> {
    index: &'a Index,
    state: &'a State,
    writer: Option<Writer>,
    changes: HashMap<ProductId, Product>,
    position: Position,
    committed: Position,
    commit_at: Option<Instant>,
    close_at: Option<Instant>,
}

impl<'a> Pending<'a> {
    fn new(index: &'a Index, state: &'a State, position: Position) -> Self {
        Self {
            index,
            state,
            writer: None,
            changes: HashMap::new(),
            position,
            committed: position,
            commit_at: None,
            close_at: None,
        }
    }

    fn add(&mut self, product: Product) {
        self.changes.insert(product.id, product);
        let now = Instant::now();
        if self.changes.len() >= CHANGES_MAX {
            self.commit_at = Some(now);
        } else if self.commit_at.is_none() {
            self.commit_at = Some(now + GATHER);
        }
    }

    fn reached(&mut self, head: Position) {
        self.state.knows(head);
        self.position = self.position.max(head);
        if self.changes.is_empty() {
            self.state.shows(self.position);
        }
    }

    /// Commits what there is; without anything, closes the writer.
    async fn settle(&mut self) -> Result<()> {
        (self.commit_at, self.close_at) = (None, None);
        let changes: Vec<Product> = std::mem::take(&mut self.changes).into_values().collect();
        let (index, position, writer) = (self.index.clone(), self.position, self.writer.take());
        if changes.is_empty() {
            if let Some(writer) = writer {
                tokio::task::spawn_blocking(move || writer.close()).await.map_err(Error::internal)??;
            }
            return Ok(());
        }
        let write = move || -> Result<Writer> {
            let mut writer = match writer {
                Some(writer) => writer,
                None => index.writer(WRITER_BYTES)?,
            };
            for product in &changes {
                writer.put(product)?;
            }
            writer.commit(Some(position))?;
            Ok(writer)
        };
        self.writer = Some(tokio::task::spawn_blocking(write).await.map_err(Error::internal)??);
        self.committed = position;
        self.state.shows(position);
        self.close_at = Some(Instant::now() + QUIET);
        Ok(())
    }
}

/// Reads events into a queue, so that nothing waits in the middle of a connection while an index is written.
async fn read(mut subscription: Subscription, sender: mpsc::Sender<Read>) {
    loop {
        let message = match subscription.next_or_head().await {
            Ok(Some(event)) => Read::Event(Box::new(event), subscription.head()),
            Ok(None) => Read::Head(subscription.position().unwrap_or_default()),
            Err(error) => Read::Lost(error),
        };
        let is_lost = matches!(message, Read::Lost(_));
        if sender.send(message).await.is_err() {
            return;
        }
        if is_lost {
            std::future::pending::<()>().await;
        }
    }
}
