//! Colours: the tints that a name can ask for, and hand-picked palettes that a seed chooses from.

use std::fmt;

use crate::dice::Dice;
use crate::tint::{self, named};

/// A colour with the word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    /// How a person calls it: "sea blue".
    pub word: &'static str,
    /// Red, green and blue, eight bits each: `0xRRGGBB`.
    pub rgb: u32,
}

/// What shadows are made of.
pub(crate) const INK: Colour = Colour { word: "ink", rgb: 0x2b_2440 };
/// What light is made of.
pub(crate) const GLOW: Colour = Colour { word: "light", rgb: 0xff_f6e2 };

impl fmt::Display for Colour {
    /// Writes it as SVG and CSS do: `#rrggbb`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:06x}", self.rgb & 0xff_ffff)
    }
}

impl Colour {
    /// The colour as `#rrggbb`.
    #[must_use]
    pub fn hex(&self) -> String {
        self.to_string()
    }

    fn channel(self, shift: u32) -> f64 {
        f64::from((self.rgb >> shift) & 0xff)
    }

    /// Mixed with another, by hundredths of the other. It keeps its word.
    pub(crate) fn mix(self, other: Self, hundredths: u32) -> Self {
        let blend = |shift: u32| {
            let (own, theirs) = ((self.rgb >> shift) & 0xff, (other.rgb >> shift) & 0xff);
            ((own * (100 - hundredths.min(100)) + theirs * hundredths.min(100) + 50) / 100) << shift
        };
        Self { word: self.word, rgb: blend(16) | blend(8) | blend(0) }
    }

    /// In shadow.
    pub(crate) fn dim(self) -> Self {
        self.mix(INK, 18)
    }

    /// In deep shadow.
    pub(crate) fn deep(self) -> Self {
        self.mix(INK, 42)
    }

    /// In the light.
    pub(crate) fn lit(self) -> Self {
        // Brighter before paler, or dark colours turn to dust.
        let brighter = |shift: u32| (((self.rgb >> shift) & 0xff) * 116 / 100).min(0xff) << shift;
        Self { word: self.word, rgb: brighter(16) | brighter(8) | brighter(0) }.mix(GLOW, 18)
    }

    /// How bright it looks, 0 to 255.
    pub(crate) fn brightness(self) -> f64 {
        0.299 * self.channel(16) + 0.587 * self.channel(8) + 0.114 * self.channel(0)
    }

    /// How different two colours look; about 0 to 765, and brightness counts most.
    pub(crate) fn distance(self, other: Self) -> f64 {
        let apart = |shift: u32| (self.channel(shift) - other.channel(shift)).abs();
        (self.brightness() - other.brightness()).abs() * 1.6 + (apart(16) + apart(8) + apart(0)) / 3.0
    }
}

/// The colours of one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// The coloured paper behind the thing.
    pub ground: Colour,
    /// The thing.
    pub main: Colour,
    /// Its second colour: the inside of a bowl, the figure of a pattern.
    pub second: Colour,
    /// A little of a third: a line, a label, a lid.
    pub accent: Colour,
}

const fn colour(word: &'static str, rgb: u32) -> Colour {
    Colour { word, rgb }
}

const fn set(ground: Colour, main: Colour, second: Colour, accent: Colour) -> Palette {
    Palette { ground, main, second, accent }
}

/// Picked by hand, as for a print in three inks on coloured paper.
const PALETTES: [Palette; 20] = [
    set(colour("oatmeal", 0xec_dcc2), named::SEA_BLUE, named::SAND, named::RUST),
    set(colour("pale sage", 0xd8_dfc8), named::TOMATO, named::CREAM, named::BOTTLE_GREEN),
    set(colour("peach", 0xf2_cdb2), named::BRICK, named::CREAM, named::TEAL),
    set(colour("mist", 0xc9_dade), named::NAVY, named::HONEY, named::CORAL),
    set(colour("butter", 0xf2_dfa3), named::MOSS, named::CHALK, named::RUST),
    set(colour("pale lilac", 0xdc_d2de), named::PLUM, named::BLUSH, named::MUSTARD),
    set(colour("blush", 0xf1_d2ca), named::RASPBERRY, named::CREAM, named::BOTTLE_GREEN),
    set(colour("stone", 0xdf_d8c8), named::SLATE, named::BIRCH, named::RUST),
    set(colour("pale mint", 0xc8_ded3), named::ORANGE, named::CREAM, named::PETROL),
    set(colour("apricot", 0xf3_d49d), named::TEAL, named::CHALK, named::TOMATO),
    set(colour("blue grey", 0xc3_d0d6), named::MUSTARD, named::CHALK, named::BRICK),
    set(colour("biscuit", 0xe8_cba6), named::BOTTLE_GREEN, named::HONEY, named::BRICK),
    set(colour("caramel", 0xe3_bf94), named::INK, named::CHALK, named::TOMATO),
    set(colour("rose paper", 0xee_dbd6), named::SAGE, named::CREAM, named::PLUM),
    set(colour("duck egg", 0xb9_d2d0), named::CORAL, named::CREAM, named::NAVY),
    set(colour("straw", 0xef_e0b4), named::LAVENDER, named::CHALK, named::CORAL),
    set(colour("dusty teal", 0x7f_a5a6), named::CREAM, named::PETROL, named::TOMATO),
    set(colour("terracotta", 0xd3_8f6d), named::CHALK, named::PETROL, named::HONEY),
    set(colour("ochre paper", 0xe2_b45f), named::CHALK, named::SEA_BLUE, named::BRICK),
    set(colour("dusk blue", 0x8f_a8bd), named::BLUSH, named::NAVY, named::CORAL),
];

/// How far two colours have to be apart to be told apart at a glance.
const APART: f64 = 72.0;

/// The palette of a seed. Its low six bits name a tint (0 for none), which then is the main colour; the rest
/// of the seed chooses among the hand-picked sets that show this tint well.
#[must_use]
pub fn palette(seed: u64) -> Palette {
    let mut dice = Dice::new(seed >> tint::HASH_SHIFT);
    let start = dice.below(PALETTES.len());
    let Some(main) = tint::of(seed) else { return PALETTES[start] };
    let in_turn = || (0..PALETTES.len()).map(|step| PALETTES[(start + step) % PALETTES.len()]);
    let fits = |set: &Palette| {
        set.ground.distance(main) > APART
            && set.second.distance(main) > 58.0
            && set.accent.distance(main) > 30.0
    };
    let chosen = in_turn().find(fits).unwrap_or(PALETTES[start]);
    Palette { main, ..chosen }
}
