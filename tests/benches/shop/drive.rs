//! Load in a closed loop: so many workers, each of which begins its next piece when it has done one.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::report::{Figures, Meter};

/// Somebody who does one piece of work after the other.
pub trait Worker: Send + 'static {
    /// Does the piece of this number; each is given once.
    fn does(&mut self, at: usize) -> impl Future<Output = ()> + Send;
}

/// Lets the workers do so many pieces between them.
pub async fn drive<W: Worker>(workers: impl IntoIterator<Item = W>, pieces: usize) -> Figures {
    let counter = Arc::new(AtomicUsize::new(0));
    let meter = Meter::start();
    let mut running = JoinSet::new();
    for mut worker in workers {
        let counter = counter.clone();
        running.spawn(async move {
            let mut latency = histogram();
            loop {
                let at = counter.fetch_add(1, Ordering::Relaxed);
                if at >= pieces {
                    return latency;
                }
                let began = Instant::now();
                worker.does(at).await;
                latency.saturating_record(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
        });
    }
    let mut all = histogram();
    for latency in running.join_all().await {
        all.add(latency).expect("histograms of one kind");
    }
    meter.stop(all)
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds up to a minute are allowed")
}
