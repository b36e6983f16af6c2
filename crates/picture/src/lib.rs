//! Drawn pictures for the shop window.
//!
//! Nobody photographs the demo shop, so it is drawn: each [`Kind`] of thing is a parametric SVG, and the seed of a
//! product chooses its proportions, its pattern and its [`Palette`]. The same picture is the same bytes everywhere:
//! no clock, no randomness, no I/O. No text from outside reaches a document.
//!
//! A kind, a seed and (of a tile) the initials are all that an address has to carry.

#![warn(missing_docs)]

mod carried;
mod clocks;
mod cloth;
mod desk;
mod dice;
mod easel;
mod figures;
mod glaze;
mod hanging;
mod home;
mod kind;
mod kitchen;
mod lathe;
mod lights;
mod palette;
mod pattern;
mod pen;
mod pots;
mod textiles;
mod tile;
mod tint;
mod vessels;
mod word;

pub use kind::Kind;
pub use palette::{Colour, Palette, palette};

use dice::Dice;
use easel::Easel;
use pen::Pen;

/// Width and height of every picture, in its own units.
pub const SIZE: u32 = 480;

/// One picture: what is drawn, and what varies it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Picture {
    /// What is drawn.
    pub kind: Kind,
    /// Varies proportions, pattern and colours. Any value will do; [`Picture::of`] puts the colour and the pattern
    /// that a name asks for into the low ten bits, and a hash of the product's id above them.
    pub seed: u64,
    /// What stands on a tile: at most two of A to Z and 0 to 9 are drawn, anything else is left out. Empty for
    /// other kinds.
    pub initials: String,
}

impl Picture {
    /// The picture of a product: kind, colour and pattern by its name, else by its category; the rest by its id.
    #[must_use]
    pub fn of(product_id: &str, name: &str, category: &str) -> Self {
        let kind = Kind::of(name, category);
        let seed = (dice::hash(product_id) << tint::HASH_SHIFT) | tint::bits(name);
        let letters =
            word::words(name).into_iter().filter_map(|word| word.chars().next()).collect::<String>();
        let initials = if kind == Kind::Tile { tile::drawable(&letters).collect() } else { String::new() };
        Self { kind, seed, initials }
    }

    /// The whole document, a square of [`SIZE`]: at most 9 KB, plain kinds at most 6.
    #[must_use]
    pub fn svg(&self) -> String {
        self.drawn().finish(SIZE)
    }

    /// Says what is seen: "Harbour bowl: a drawing of a bowl in sea blue and sand". It holds the name as it came:
    /// whoever writes it into a page escapes it.
    #[must_use]
    pub fn alt(&self, name: &str) -> String {
        let (first, second) = self.drawn().seen;
        let noun = self.kind.noun();
        let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        let second = second.filter(|second| second.word != first.word);
        let second = second.map(|second| format!(" and {}", second.word)).unwrap_or_default();
        let seen = format!("drawing of {article} {noun} in {}{second}", first.word);
        let name = name.trim();
        if name.is_empty() { format!("A {seen}") } else { format!("{name}: a {seen}") }
    }

    /// The easel with the picture on it.
    fn drawn(&self) -> Easel {
        let pen = Pen::new(format!("{}-{:x}-", self.kind.as_str(), self.seed));
        let dice = Dice::new((self.seed >> tint::HASH_SHIFT).wrapping_mul(0x2545_f491_4f6c_dd1d));
        let tinted = tint::of(self.seed).is_some();
        let mut easel = Easel::new(pen, dice, palette(self.seed), tint::motif(self.seed), tinted);
        self.draw(&mut easel);
        easel
    }

    fn draw(&self, easel: &mut Easel) {
        match self.kind {
            Kind::Bowl => vessels::bowl(easel),
            Kind::Dish => vessels::dish(easel),
            Kind::Plate => vessels::plate(easel),
            Kind::Mug => vessels::mug(easel),
            Kind::Cup => vessels::cup(easel),
            Kind::Glass => vessels::glass(easel),
            Kind::Teapot => pots::teapot(easel),
            Kind::Bottle => pots::bottle(easel),
            Kind::Jug => pots::jug(easel),
            Kind::Vase => pots::vase(easel),
            Kind::Jar => pots::jar(easel),
            Kind::Tin => pots::tin(easel),
            Kind::Can => pots::can(easel),
            Kind::Tray => kitchen::tray(easel),
            Kind::Board => kitchen::board(easel),
            Kind::Cutlery => kitchen::cutlery(easel),
            Kind::Cakestand => kitchen::cakestand(easel),
            Kind::Cake => kitchen::cake(easel),
            Kind::Cosy => cloth::cosy(easel),
            Kind::Cloth => cloth::cloth(easel),
            Kind::Apron => cloth::apron(easel),
            Kind::Warmer => cloth::warmer(easel),
            Kind::Lamp => lights::lamp(easel),
            Kind::Desklight => lights::desklight(easel),
            Kind::Globe => lights::globe(easel),
            Kind::Lantern => lights::lantern(easel),
            Kind::Candle => lights::candle(easel),
            Kind::Tealight => lights::tealight(easel),
            Kind::Rug => textiles::rug(easel),
            Kind::Cushion => textiles::cushion(easel),
            Kind::Pouf => textiles::pouf(easel),
            Kind::Blanket => textiles::blanket(easel),
            Kind::Scarf => textiles::scarf(easel),
            Kind::Square => textiles::square(easel),
            Kind::Basket => carried::basket(easel),
            Kind::Bag => carried::bag(easel),
            Kind::Purse => carried::purse(easel),
            Kind::Umbrella => carried::umbrella(easel),
            Kind::Clock => clocks::clock(easel),
            Kind::Alarm => clocks::alarm(easel),
            Kind::Mantel => clocks::mantel(easel),
            Kind::Frame => home::frame(easel),
            Kind::Mirror => home::mirror(easel),
            Kind::Sign => home::sign(easel),
            Kind::Hook => home::hook(easel),
            Kind::Box => home::chest(easel),
            Kind::Notebook => desk::notebook(easel),
            Kind::Book => desk::book(easel),
            Kind::Pen => desk::pen(easel),
            Kind::Calendar => desk::calendar(easel),
            Kind::Card => desk::card(easel),
            Kind::Packet => desk::packet(easel),
            Kind::Parcel => desk::parcel(easel),
            Kind::Heart => hanging::heart(easel),
            Kind::Star => hanging::hanging_star(easel),
            Kind::Bauble => hanging::bauble(easel),
            Kind::Tree => figures::tree(easel),
            Kind::Garland => hanging::garland(easel),
            Kind::Bird => figures::bird(easel),
            Kind::Doll => figures::doll(easel),
            Kind::Jewel => figures::jewel(easel),
            Kind::Tile => tile::tile(easel, &self.initials),
        }
    }
}

#[cfg(test)]
mod tests;
