//! Chance that is no chance: the same seed throws the same numbers everywhere.

/// A small generator (SplitMix64). It varies drawings and guards nothing.
pub struct Dice(u64);

impl Dice {
    /// Dice that begin at a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A whole number below `sides`; 0 when there are none.
    pub fn below(&mut self, sides: usize) -> usize {
        let sides = u64::try_from(sides).unwrap_or(1).max(1);
        usize::try_from(self.next() % sides).unwrap_or(0)
    }

    /// One of some values.
    pub fn pick<T: Copy, const N: usize>(&mut self, values: [T; N]) -> T {
        values[self.below(N)]
    }

    /// A length from `low` to `high`, in steps of a thousandth of the way.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        let step = u32::try_from(self.next() % 1001).unwrap_or(0);
        low + (high - low) * f64::from(step) / 1000.0
    }

    /// True so many times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Spreads the bytes of an id over 64 bits (FNV-1a, then mixed once more).
pub fn hash(id: &str) -> u64 {
    let folded = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Dice::new(folded).next()
}
