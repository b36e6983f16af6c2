//! Where randomness comes from.

use std::sync::Arc;

use kernel::{Clock, Id, IdKind};
use parking_lot::Mutex;
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;

/// The system's randomness, or a stream from a seed.
#[derive(Clone)]
pub enum Entropy {
    /// The thread's generator, seeded by the operating system.
    System,
    /// Reproducible; for tests only.
    Seeded(Arc<Mutex<ChaCha12Rng>>),
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy")
    }
}

impl Entropy {
    /// A stream from a seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(ChaCha12Rng::seed_from_u64(seed))))
    }

    /// Random bytes, good enough for secrets.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the door to the system's randomness")]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            Self::System => rand::rng().fill_bytes(&mut bytes),
            Self::Seeded(stream) => stream.lock().fill_bytes(&mut bytes),
        }
        bytes
    }

    /// A new id.
    #[must_use]
    pub fn id<K: IdKind>(&self, clock: &dyn Clock) -> Id<K> {
        Id::from_parts(clock.now(), self.bytes())
    }
}
