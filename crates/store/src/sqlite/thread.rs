//! The writer thread of a `dir:` database and the queue before it.
//!
//! The thread takes all that waits and commits it together: while one group is being synced the next one gathers, so
//! the sync, which costs most, is shared by as many batches as there are callers, and nobody ever waits for a timer.

use std::sync::Arc;
use std::thread::JoinHandle;

use kernel::{Error, Result};
use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::oneshot;

use super::log::Log;
use super::writer::Writer;
use crate::batch::{Batch, Committed};
use crate::error::CommitError;

/// The most batches that wait; one more is refused with `OVERLOADED`.
pub(super) const QUEUE_MAX: usize = 4_096;
/// The most bytes that wait.
const QUEUE_BYTES_MAX: usize = 128 << 20;
/// The most batches in one transaction, so that the first of a group does not wait long for the last.
const GROUP_MAX: usize = 256;

type Outcome = Result<Committed, CommitError>;

struct Job {
    batch: Batch,
    bytes: usize,
    answer: oneshot::Sender<Outcome>,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    bytes: usize,
    closed: bool,
}

/// The queue between the callers and the thread.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    ready: Condvar,
}

impl Queue {
    /// Lets a batch be written and waits for the outcome.
    pub(super) async fn commit(&self, batch: Batch) -> Outcome {
        let bytes = batch.check()?;
        let (answer, outcome) = oneshot::channel();
        self.push(Job { batch, bytes, answer })?;
        match outcome.await {
            Ok(outcome) => outcome,
            Err(_) => Err(CommitError::Failed(closed())),
        }
    }

    fn push(&self, job: Job) -> Result<()> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(closed());
        }
        if waiting.jobs.len() >= QUEUE_MAX || waiting.bytes + job.bytes > QUEUE_BYTES_MAX {
            return Err(overloaded());
        }
        waiting.bytes += job.bytes;
        waiting.jobs.push(job);
        drop(waiting);
        self.ready.notify_one();
        Ok(())
    }

    /// All that waits, up to a group; `None` when the queue is closed and empty.
    fn take(&self) -> Option<Vec<Job>> {
        let mut waiting = self.waiting.lock();
        while waiting.jobs.is_empty() {
            if waiting.closed {
                return None;
            }
            self.ready.wait(&mut waiting);
        }
        // Where the cores are busy, those who are about to bring more come first, and share the sync. Where one is idle, this
        // returns at once.
        MutexGuard::unlocked(&mut waiting, std::thread::yield_now);
        let taken = if waiting.jobs.len() <= GROUP_MAX {
            std::mem::take(&mut waiting.jobs)
        } else {
            waiting.jobs.drain(..GROUP_MAX).collect()
        };
        waiting.bytes -= taken.iter().map(|job| job.bytes).sum::<usize>();
        Some(taken)
    }

    /// Refuses what comes from now on; the thread ends when it has written what waits.
    pub(super) fn close(&self) {
        self.waiting.lock().closed = true;
        self.ready.notify_one();
    }
}

fn overloaded() -> Error {
    Error::unavailable("OVERLOADED", "too many writes are waiting; try again").retry_after_ms(100)
}

fn closed() -> Error {
    Error::unavailable(
        "STORE_CLOSED",
        "the store was closed before the write was done; whether it was is not known",
    )
}

/// Starts the thread: `open` makes the writer on it, `Ok` or the error of that comes through the receiver.
pub(super) fn start<T: Send + 'static>(
    name: &str,
    queue: Arc<Queue>,
    open: impl FnOnce() -> Result<(Writer, T)> + Send + 'static,
) -> Result<(JoinHandle<()>, oneshot::Receiver<Result<T>>)> {
    let (opened, receiver) = oneshot::channel();
    let thread = std::thread::Builder::new().name(format!("store-{name}")).spawn(move || {
        // Whatever ends the thread, nobody is left waiting.
        let _guard = CloseOnDrop(Arc::clone(&queue));
        match open() {
            Ok((writer, rest)) => {
                if opened.send(Ok(rest)).is_ok() {
                    serve(writer, &queue);
                }
            }
            Err(error) => {
                // Nobody waits for it when the one who opens has gone.
                let _ = opened.send(Err(error));
            }
        }
    });
    let thread = thread.map_err(|error| {
        Error::unavailable("NO_THREAD", "no thread for the store can be started").because(error)
    })?;
    Ok((thread, receiver))
}

struct CloseOnDrop(Arc<Queue>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting.lock();
        waiting.closed = true;
        waiting.jobs.clear();
    }
}

fn serve(mut writer: Writer, queue: &Queue) {
    let mut log = Log::of(writer.conn());
    while let Some(mut jobs) = queue.take() {
        // Who has gone away does not need the write, and has not been told that it was done.
        jobs.retain(|job| !job.answer.is_closed());
        if jobs.is_empty() {
            continue;
        }
        let group: Vec<&Batch> = jobs.iter().map(|job| &job.batch).collect();
        let outcomes = writer.commit(&group);
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            // The caller may have left in the meantime.
            let _ = job.answer.send(outcome);
        }
        log.tend(writer.conn());
    }
    log.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(bytes: usize) -> Job {
        Job { batch: Batch::new(), bytes, answer: oneshot::channel().0 }
    }

    #[test]
    fn a_full_queue_refuses_and_recovers() {
        let queue = Queue::default();
        for _ in 0..QUEUE_MAX {
            queue.push(job(1)).expect("room");
        }
        let error = queue.push(job(1)).expect_err("full");
        assert!(
            error.reason() == "OVERLOADED" && error.retryable() && error.retry_delay_ms().is_some(),
            "{error:?}"
        );
        assert_eq!(queue.take().map(|group| group.len()), Some(GROUP_MAX));
        queue.push(job(QUEUE_BYTES_MAX)).expect_err("too many bytes");
        queue.push(job(1)).expect("room again");
    }

    #[test]
    fn a_closed_queue_is_emptied_and_then_ends() {
        let queue = Queue::default();
        queue.push(job(1)).expect("room");
        queue.close();
        assert_eq!(queue.push(job(1)).expect_err("closed").reason(), "STORE_CLOSED");
        assert_eq!(queue.take().map(|group| group.len()), Some(1));
        assert!(queue.take().is_none());
    }
}
