//! How far consumers are behind the events that they read.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use store::Position;

/// How far one consumer is. Written by the consumer, read by whoever asks for metrics.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<Positions>);

#[derive(Debug, Default)]
struct Positions {
    read: Option<Position>,
    head: Option<Position>,
}

impl Progress {
    /// Notes the last position that was read, and the newest that the source has told.
    pub(crate) fn note(&self, read: Option<Position>, head: Option<Position>) {
        let mut positions = self.0.lock();
        positions.read = read;
        // A source that was restored is in a later epoch, and has fewer events.
        positions.head = positions.head.max(head);
    }

    /// Events between the two, at least 0.
    fn lag(&self) -> i64 {
        let positions = self.0.lock();
        let Some(head) = positions.head else { return 0 };
        match positions.read {
            Some(read) if read.epoch > head.epoch => 0,
            // Numbers go on through epochs. What was read beyond the point that the source was restored to is not its own.
            Some(read) if read.epoch == head.epoch || read.sequence <= head.sequence => {
                (head.sequence - read.sequence).max(0)
            }
            _ => head.sequence,
        }
    }
}

#[derive(Debug)]
struct Row {
    role: &'static str,
    source: &'static str,
    name: &'static str,
    progress: Arc<Progress>,
}

/// The consumers of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consumers(Arc<RwLock<Vec<Row>>>);

impl Consumers {
    /// Adds a consumer; it notes in what is returned how far it is.
    pub(crate) fn add(&self, role: &'static str, source: &'static str, name: &'static str) -> Arc<Progress> {
        let progress = Arc::new(Progress::default());
        self.0.write().push(Row { role, source, name, progress: progress.clone() });
        progress
    }
}

impl Collector for Consumers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let help = "Events that a consumer has not read yet, by role, source and consumer";
        let mut lag = encoder.encode_descriptor("souk_event_lag", help, None, MetricType::Gauge)?;
        for Row { role, source, name, progress } in self.0.read().iter() {
            let labels = [("role", *role), ("source", *source), ("consumer", *name)];
            ConstGauge::new(progress.lag()).encode(lag.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_what_was_not_read() {
        let progress = Progress::default();
        let at = |sequence| Some(Position { epoch: 1, sequence });
        progress.note(None, None);
        assert_eq!(progress.lag(), 0);
        progress.note(at(3), at(10));
        assert_eq!(progress.lag(), 7);
        progress.note(at(12), at(10));
        assert_eq!(progress.lag(), 0, "the head was told before more events came");
    }

    #[test]
    fn a_source_that_was_restored_has_fewer_events() {
        let progress = Progress::default();
        let at = |epoch, sequence| Some(Position { epoch, sequence });
        progress.note(at(1, 90), at(1, 100));
        progress.note(at(1, 90), at(2, 40));
        assert_eq!(progress.lag(), 40, "all of it is read anew");
        progress.note(at(1, 38), at(2, 40));
        assert_eq!(progress.lag(), 2);
        progress.note(at(2, 40), at(2, 40));
        assert_eq!(progress.lag(), 0);
        progress.note(at(2, 40), at(1, 100));
        assert_eq!(progress.lag(), 0, "told late");
    }
}
