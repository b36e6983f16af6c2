//! What every drawing needs: the pen, the dice, the colours, the room behind the thing.

use crate::dice::Dice;
use crate::palette::{Colour, GLOW, INK, Palette};
use crate::pattern::{Motif, Yarn, weave};
use crate::pen::{Paint, Path, Pen};
use crate::tint::named::{BIRCH, OAK};

/// Where one picture is drawn.
pub struct Easel {
    /// Writes.
    pub pen: Pen,
    /// Varies.
    pub dice: Dice,
    /// The paper behind.
    pub ground: Colour,
    /// The thing.
    pub main: Colour,
    /// Its second colour.
    pub second: Colour,
    /// A little of a third.
    pub accent: Colour,
    /// The pattern that the name asked for.
    pub wanted: Option<Motif>,
    /// Whether the name asked for the main colour.
    pub tinted: bool,
    /// The colours that strike the eye, for the alt text: at first the main and the second one.
    pub seen: (Colour, Option<Colour>),
    /// Whether the table began a part that has to be closed.
    lifted: bool,
}

impl Easel {
    /// An empty sheet.
    pub fn new(pen: Pen, dice: Dice, palette: Palette, wanted: Option<Motif>, tinted: bool) -> Self {
        let Palette { ground, main, second, accent } = palette;
        Self {
            pen,
            dice,
            ground,
            main,
            second,
            accent,
            wanted,
            tinted,
            seen: (main, Some(second)),
            lifted: false,
        }
    }

    /// The whole document.
    pub fn finish(mut self, size: u32) -> String {
        if self.lifted {
            self.pen.close();
        }
        self.pen.finish(size)
    }

    /// A wall, with light from a window on the left.
    pub fn wall(&mut self) {
        self.pen.slab(0.0, 0.0, 480.0, 480.0, 0.0, self.ground);
        let light = Path::polygon(&[(0.0, 60.0), (0.0, 400.0), (330.0, 0.0), (92.0, 0.0)]);
        self.pen.lit(&light, 16);
    }

    /// A wall and a table before it. What follows is lifted by a length, so that low things stand in the middle.
    pub fn table(&mut self, lift: f64) {
        self.wall();
        self.pen.slab(0.0, 330.0, 480.0, 150.0, 0.0, self.ground.mix(GLOW, 30));
        self.pen.slab(0.0, 330.0, 480.0, 3.0, 0.0, self.ground.mix(INK, 14));
        if lift > 0.0 {
            self.pen.placed(0.0, -lift, 1.0);
            self.lifted = true;
        }
    }

    /// The shadow of what stands on the table: the axis, the height of its foot, its radius there.
    pub fn shadow(&mut self, cx: f64, y: f64, r: f64) {
        let (far, near) = (self.ground.mix(INK, 13), self.ground.mix(INK, 30));
        self.pen.oval(cx + r * 0.24 + 14.0, y + 5.0, r * 1.12 + 16.0, r * 0.17 + 9.0, far);
        self.pen.oval(cx + r * 0.06 + 3.0, y + 3.0, r * 1.03 + 3.0, r * 0.15 + 4.0, near);
    }

    /// The shadow of what lies flat or hangs before the wall.
    pub fn cast(&mut self, path: &Path, x: f64, y: f64) {
        self.pen.placed(x, y, 1.0);
        self.pen.dim(path, 16);
        self.pen.close();
    }

    /// The pattern that the name asked for, else one of some.
    pub fn motif<const N: usize>(&mut self, some: [Motif; N]) -> Motif {
        let thrown = self.dice.pick(some);
        self.wanted.unwrap_or(thrown)
    }

    /// The yarns: the main colour is most of it.
    pub fn yarn(&self) -> Yarn {
        Yarn { base: self.main, figure: self.second, accent: self.accent }
    }

    /// Weaves a pattern of the picture's colours; how wide a repeat is, is thrown between two lengths.
    pub fn weave(&mut self, motif: Motif, step: (f64, f64), degrees: f64) -> Paint {
        let (yarn, step) = (self.yarn(), self.dice.between(step.0, step.1));
        weave(&mut self.pen, motif, yarn, step, degrees)
    }

    /// The colour of wood here: the tint that the name asked for, else birch or oak.
    pub fn wood(&mut self) -> Colour {
        let thrown = self.dice.pick([BIRCH, OAK]);
        if self.tinted { self.main } else { thrown }
    }

    /// A tube, as a handle is: a line in two tones.
    pub fn tube(&mut self, path: &Path, colour: Colour, width: f64) {
        self.pen.line(path, colour.mix(INK, 24), width);
        self.pen.placed(-width * 0.13, -width * 0.13, 1.0);
        self.pen.line(path, colour, width * 0.62);
        self.pen.close();
    }

    /// A flame on its wick.
    pub fn flame(&mut self, x: f64, y: f64, height: f64) {
        let drop = |y: f64, h: f64| {
            let w = h * 0.34;
            Path::at(x, y - h)
                .curve((x + w * 0.4, y - h * 0.66), (x + w, y - h * 0.42), x + w * 0.78, y - h * 0.16)
                .curve((x + w * 0.5, y + h * 0.06), (x - w * 0.5, y + h * 0.06), x - w * 0.78, y - h * 0.16)
                .curve((x - w, y - h * 0.42), (x - w * 0.3, y - h * 0.6), x, y - h)
                .close()
        };
        self.pen.sheer(28);
        self.pen.dot(x, y - height * 0.45, height * 1.1, GLOW);
        self.pen.close();
        self.pen.line(&Path::at(x, y + 5.0).to(x, y - height * 0.2), INK, 2.4);
        self.pen.fill(&drop(y, height), Colour { word: "flame", rgb: 0xe8_9a3c });
        self.pen.fill(&drop(y, height * 0.62), Colour { word: "flame", rgb: 0xfb_e3a0 });
    }
}
