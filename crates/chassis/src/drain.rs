//! Leaving in order: first everything is told, then what is in flight finishes, then the rest is stopped.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The drain of one process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Drain(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stage: watch::Sender<Stage>,
    work: Mutex<JoinSet<()>>,
    loops: Mutex<JoinSet<()>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Starting,
    Running,
    Draining,
}

impl Default for Drain {
    fn default() -> Self {
        let (stage, _) = watch::channel(Stage::Starting);
        Self(Arc::new(Inner { stage, work: Mutex::default(), loops: Mutex::default() }))
    }
}

impl Drain {
    async fn reached(&self, wanted: Stage) {
        let mut stage = self.0.stage.subscribe();
        // The sender lives as long as this handle, so waiting cannot fail.
        let _ = stage.wait_for(|stage| *stage >= wanted).await;
    }

    /// Every role has started: what waited for that begins.
    pub(crate) fn started(&self) {
        self.0.stage.send_if_modified(|stage| {
            *stage == Stage::Starting && {
                *stage = Stage::Running;
                true
            }
        });
    }

    /// Resolves when leaving begins.
    pub async fn draining(&self) {
        self.reached(Stage::Draining).await;
    }

    /// Whether leaving has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        *self.0.stage.borrow() == Stage::Draining
    }

    /// Runs a loop that is stopped, wherever it waits, when leaving begins. It starts when every role has started.
    pub(crate) fn spawn_loop(&self, future: impl Future<Output = ()> + Send + 'static) {
        let drain = self.clone();
        let mut loops = self.0.loops.lock();
        while loops.try_join_next().is_some() {}
        loops.spawn(async move {
            drain.reached(Stage::Running).await;
            tokio::select! {
                () = drain.draining() => {}
                () = future => {}
            }
        });
    }

    /// Runs work that is let finish, within the grace, when leaving begins.
    pub(crate) fn spawn_work(&self, future: impl Future<Output = ()> + Send + 'static) {
        let mut work = self.0.work.lock();
        while work.try_join_next().is_some() {}
        // A task moves its future several times; in a box it moves a pointer.
        work.spawn(Box::pin(future));
    }

    /// Begins to leave: nothing new is let in.
    pub fn begin(&self) {
        self.0.stage.send_replace(Stage::Draining);
    }

    /// Stops everything where it is.
    pub(crate) fn abort(&self) {
        self.begin();
        drop(std::mem::take(&mut *self.0.loops.lock()));
        drop(std::mem::take(&mut *self.0.work.lock()));
    }

    /// Waits until work and loops have ended, at most `grace`; then stops what is left. Returns whether all ended by itself.
    pub async fn finish(&self, grace: Duration) -> bool {
        self.begin();
        let mut loops = std::mem::take(&mut *self.0.loops.lock());
        let mut work = std::mem::take(&mut *self.0.work.lock());
        let all = async {
            while work.join_next().await.is_some() {}
            while loops.join_next().await.is_some() {}
        };
        let ended = tokio::time::timeout(grace, all).await.is_ok();
        work.shutdown().await;
        loops.shutdown().await;
        ended
    }
}
