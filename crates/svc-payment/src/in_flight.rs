//! Which steps this process is working on, so that a repeated call waits for the first instead of asking the provider
//! too. Only an optimisation: what guards the books is in the store, and the provider knows our keys.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

/// The steps that run.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<HashMap<String, watch::Receiver<()>>>>);

/// Held while a step runs; when it is dropped, whoever waits goes on.
pub struct Working {
    steps: InFlight,
    id: String,
    _done: watch::Sender<()>,
}

/// Somebody else works on it.
pub struct Waiting(watch::Receiver<()>);

impl InFlight {
    /// Enters a step, or says who to wait for.
    pub fn enter(&self, id: &str) -> Result<Working, Waiting> {
        let mut steps = self.0.lock();
        if let Some(running) = steps.get(id) {
            return Err(Waiting(running.clone()));
        }
        let (done, running) = watch::channel(());
        steps.insert(id.to_owned(), running);
        Ok(Working { steps: self.clone(), id: id.to_owned(), _done: done })
    }
}

impl Waiting {
    /// Until the step has ended, however it did.
    pub async fn done(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.steps.0.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_waits_for_the_first() {
        let steps = InFlight::default();
        let working = steps.enter("a").ok().expect("free");
        let waiting = steps.enter("a").err().expect("taken");
        assert!(steps.enter("b").is_ok());
        drop(working);
        waiting.done().await;
        assert!(steps.enter("a").is_ok());
    }
}
