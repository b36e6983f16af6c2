//! Woven and printed patterns: each a small tile that repeats without a seam.

use crate::palette::Colour;
use crate::pen::{Paint, Path, Pen};

/// A pattern of cloth, paper or glaze.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motif {
    /// Broad stripes of two widths.
    Stripes,
    /// Fine lines in pairs.
    Ticking,
    /// Gingham.
    Checks,
    /// Crossing bands and fine lines.
    Plaid,
    /// Slanted strokes that turn about.
    Herringbone,
    /// Diamonds in diamonds.
    Diamonds,
    /// Leaves, each column half a step lower.
    Leaves,
    /// Dots in half-drop.
    Dots,
    /// Scales.
    Waves,
    /// Triangles in rows.
    Triangles,
    /// Quarter circles, turned about.
    Tiles,
    /// Flowers of five petals.
    Flowers,
    /// Small stars.
    Stars,
    /// Stepped crosses.
    Crosses,
}

impl Motif {
    /// Every motif. New ones go to the end, because addresses carry the numbers; at most fifteen.
    pub const ALL: [Self; 14] = [
        Self::Stripes,
        Self::Ticking,
        Self::Checks,
        Self::Plaid,
        Self::Herringbone,
        Self::Diamonds,
        Self::Leaves,
        Self::Dots,
        Self::Waves,
        Self::Triangles,
        Self::Tiles,
        Self::Flowers,
        Self::Stars,
        Self::Crosses,
    ];

    /// The motif that the words of a name ask for.
    pub fn of(words: &[String]) -> Option<Self> {
        words.iter().find_map(|word| match word.as_str() {
            "stripe" | "striped" | "stripey" | "rag" => Some(Self::Stripes),
            "line" | "ticking" | "pinstripe" => Some(Self::Ticking),
            "check" | "checker" | "checked" | "gingham" => Some(Self::Checks),
            "tartan" | "plaid" => Some(Self::Plaid),
            "herringbone" => Some(Self::Herringbone),
            "diamond" | "argyle" | "harlequin" | "quilted" => Some(Self::Diamonds),
            "leaf" | "botanical" | "woodland" | "meadow" | "garden" | "reed" => Some(Self::Leaves),
            "retrospot" | "polkadot" | "spot" | "spotty" | "dot" | "dotcomgiftshop" => Some(Self::Dots),
            "wave" | "scallop" | "shore" => Some(Self::Waves),
            "kilim" | "aztec" | "triangle" => Some(Self::Triangles),
            "tile" | "silk" | "moroccan" | "baroque" => Some(Self::Tiles),
            "flower" | "floral" | "daisy" | "rose" | "paisley" | "blossom" | "folkart" => Some(Self::Flowers),
            "star" | "starry" => Some(Self::Stars),
            "scandinavian" | "nordic" | "jack" => Some(Self::Crosses),
            _ => None,
        })
    }
}

/// The three yarns of a cloth.
#[derive(Clone, Copy)]
pub struct Yarn {
    /// What most of it is.
    pub base: Colour,
    /// The figure.
    pub figure: Colour,
    /// A little of a third.
    pub accent: Colour,
}

/// Weaves a motif; `step` is about the width of a repeat.
pub fn weave(pen: &mut Pen, motif: Motif, yarn: Yarn, step: f64, degrees: f64) -> Paint {
    let s = step.round();
    let tile = match motif {
        Motif::Waves => (s, s / 2.0),
        Motif::Dots | Motif::Leaves => (s, (s * 1.2).round()),
        _ => (s, s),
    };
    let wide = if motif == Motif::Herringbone { (s, s) } else { tile };
    pen.woven(wide, degrees, |pen| {
        pen.slab(0.0, 0.0, wide.0, wide.1, 0.0, yarn.base);
        match motif {
            Motif::Stripes | Motif::Ticking => stripes(pen, motif, yarn, s),
            Motif::Checks | Motif::Plaid => crossed(pen, motif, yarn, s),
            Motif::Herringbone => herringbone(pen, yarn, s),
            Motif::Diamonds => diamonds(pen, yarn, s),
            Motif::Leaves => leaves(pen, yarn, wide),
            Motif::Dots => dots(pen, yarn, wide),
            Motif::Waves => waves(pen, yarn, s),
            Motif::Triangles => triangles(pen, yarn, s),
            Motif::Tiles => tiles(pen, yarn, s),
            Motif::Flowers => flowers(pen, yarn, s),
            Motif::Stars => stars(pen, yarn, s),
            Motif::Crosses => crosses(pen, yarn, s),
        }
    })
}

fn stripes(pen: &mut Pen, motif: Motif, yarn: Yarn, s: f64) {
    if motif == Motif::Stripes {
        pen.slab(0.0, s * 0.08, s, s * 0.34, 0.0, yarn.figure);
        pen.slab(0.0, s * 0.62, s, s * 0.12, 0.0, yarn.accent);
    } else {
        pen.slab(0.0, s * 0.2, s, s * 0.08, 0.0, yarn.figure);
        pen.slab(0.0, s * 0.36, s, s * 0.08, 0.0, yarn.figure);
        pen.slab(0.0, s * 0.8, s, s * 0.05, 0.0, yarn.accent);
    }
}

fn crossed(pen: &mut Pen, motif: Motif, yarn: Yarn, s: f64) {
    let half = s / 2.0;
    if motif == Motif::Checks {
        let between = yarn.figure.mix(yarn.base, 50);
        pen.slab(0.0, 0.0, half, s, 0.0, between);
        pen.slab(0.0, 0.0, s, half, 0.0, between);
        pen.slab(0.0, 0.0, half, half, 0.0, yarn.figure);
        return;
    }
    let between = yarn.figure.mix(yarn.base, 45);
    pen.slab(s * 0.1, 0.0, s * 0.36, s, 0.0, between);
    pen.slab(0.0, s * 0.1, s, s * 0.36, 0.0, between);
    pen.slab(s * 0.1, s * 0.1, s * 0.36, s * 0.36, 0.0, yarn.figure);
    pen.slab(s * 0.72, 0.0, s * 0.06, s, 0.0, yarn.accent);
    pen.slab(0.0, s * 0.72, s, s * 0.06, 0.0, yarn.accent);
}

fn herringbone(pen: &mut Pen, yarn: Yarn, s: f64) {
    let (half, rise) = (s / 2.0, s / 2.0);
    let mut strokes: Option<Path> = None;
    for row in 0..3 {
        let y = f64::from(row) * s / 2.0 - s / 4.0;
        let stroke = Path::polygon(&[
            (0.0, y + rise),
            (half, y),
            (s, y + rise),
            (s, y + rise - s / 4.0),
            (half, y - s / 4.0),
            (0.0, y + rise - s / 4.0),
        ]);
        strokes = Some(match strokes {
            Some(before) => before.with(&stroke),
            None => stroke,
        });
    }
    if let Some(strokes) = strokes {
        pen.fill(&strokes, yarn.figure);
    }
}

fn diamonds(pen: &mut Pen, yarn: Yarn, s: f64) {
    let half = s / 2.0;
    let diamond =
        |r: f64| Path::polygon(&[(half, half - r), (half + r, half), (half, half + r), (half - r, half)]);
    pen.fill(&diamond(half), yarn.figure);
    pen.fill(&diamond(half * 0.62), yarn.base);
    pen.fill(&diamond(half * 0.34), yarn.accent);
}

fn leaf(x: f64, y: f64, length: f64, lean: f64) -> Path {
    let tip = (x + lean * length, y - length * 0.8);
    Path::at(x, y)
        .bend((x + lean * length * 0.05, y - length * 0.7), tip.0, tip.1)
        .bend((x + lean * length * 0.95, y - length * 0.1), x, y)
        .close()
}

fn leaves(pen: &mut Pen, yarn: Yarn, tile: (f64, f64)) {
    let (w, h) = tile;
    // The second sprig stands half a tile lower and reaches over the edge, so it is drawn on both sides.
    for (x, y) in [(w * 0.25, h * 0.86), (w * 0.75, h * 0.36), (w * 0.75, h * 1.36)] {
        pen.line(&Path::at(x, y).to(x, y - h * 0.62), yarn.figure, w * 0.035);
        let pairs = leaf(x, y - h * 0.08, w * 0.24, 0.8)
            .with(&leaf(x, y - h * 0.08, w * 0.24, -0.8))
            .with(&leaf(x, y - h * 0.34, w * 0.2, 0.75))
            .with(&leaf(x, y - h * 0.34, w * 0.2, -0.75));
        pen.fill(&pairs, yarn.figure);
        pen.dot(x, y - h * 0.66, w * 0.05, yarn.accent);
    }
}

fn dots(pen: &mut Pen, yarn: Yarn, tile: (f64, f64)) {
    let (w, h) = tile;
    let r = w * 0.17;
    pen.dot(w * 0.25, h * 0.25, r, yarn.figure);
    pen.dot(w * 0.75, h * 0.75, r, yarn.figure);
}

fn waves(pen: &mut Pen, yarn: Yarn, s: f64) {
    let r = s / 2.0;
    // Two rows of scales to a tile; each row covers the feet of the row above it.
    for (x, y) in [(0.0, 0.0), (s, 0.0), (r, r / 2.0), (0.0, r), (s, r), (r, r * 1.5)] {
        pen.dot(x, y, r, yarn.figure);
        pen.dot(x, y, r * 0.8, yarn.base);
        pen.dot(x, y, r * 0.46, yarn.accent);
        pen.dot(x, y, r * 0.28, yarn.base);
    }
}

fn triangles(pen: &mut Pen, yarn: Yarn, s: f64) {
    let half = s / 2.0;
    let up =
        |x: f64, y: f64, w: f64, h: f64| Path::polygon(&[(x - w / 2.0, y), (x, y - h), (x + w / 2.0, y)]);
    pen.fill(&up(half, half, s * 0.86, s * 0.42), yarn.figure);
    pen.fill(&up(half, half, s * 0.34, s * 0.17), yarn.base);
    pen.fill(&up(0.0, s, s * 0.86, s * 0.42).with(&up(s, s, s * 0.86, s * 0.42)), yarn.accent);
}

fn tiles(pen: &mut Pen, yarn: Yarn, s: f64) {
    let half = s / 2.0;
    for (x, y) in [(0.0, 0.0), (s, s)] {
        pen.dot(x, y, half, yarn.figure);
        pen.dot(x, y, half * 0.62, yarn.base);
        pen.dot(x, y, half * 0.34, yarn.accent);
    }
    for (x, y) in [(s, 0.0), (0.0, s)] {
        pen.dot(x, y, half, yarn.accent);
        pen.dot(x, y, half * 0.62, yarn.base);
        pen.dot(x, y, half * 0.34, yarn.figure);
    }
}

/// A flower of five petals.
pub fn flower(pen: &mut Pen, x: f64, y: f64, r: f64, petal: Colour, heart: Colour) {
    for turn in 0..5 {
        let angle = f64::from(turn) * std::f64::consts::TAU / 5.0;
        pen.dot(x + r * 0.6 * angle.sin(), y - r * 0.6 * angle.cos(), r * 0.44, petal);
    }
    pen.dot(x, y, r * 0.34, heart);
}

fn flowers(pen: &mut Pen, yarn: Yarn, s: f64) {
    flower(pen, s * 0.26, s * 0.26, s * 0.22, yarn.figure, yarn.accent);
    flower(pen, s * 0.76, s * 0.76, s * 0.22, yarn.figure, yarn.accent);
    pen.dot(s * 0.76, s * 0.26, s * 0.06, yarn.accent);
    pen.dot(s * 0.26, s * 0.76, s * 0.06, yarn.accent);
}

/// A star; `waist` is how deep it is cut, in parts of the radius.
pub fn star(x: f64, y: f64, r: f64, points: u32, waist: f64) -> Path {
    let corners: Vec<(f64, f64)> = (0..points * 2)
        .map(|corner| {
            let angle = f64::from(corner) * std::f64::consts::PI / f64::from(points);
            let reach = if corner % 2 == 0 { r } else { r * waist };
            (x + reach * angle.sin(), y - reach * angle.cos())
        })
        .collect();
    Path::polygon(&corners)
}

fn stars(pen: &mut Pen, yarn: Yarn, s: f64) {
    pen.fill(&star(s * 0.27, s * 0.27, s * 0.2, 5, 0.42), yarn.figure);
    pen.fill(&star(s * 0.77, s * 0.77, s * 0.2, 5, 0.42), yarn.accent);
}

fn crosses(pen: &mut Pen, yarn: Yarn, s: f64) {
    let u = s / 8.0;
    for (x, y, colour) in [(2.0, 2.0, yarn.figure), (6.0, 6.0, yarn.accent)] {
        let (x, y) = (x * u, y * u);
        pen.slab(x - u * 1.5, y - u * 0.5, u * 3.0, u, 0.0, colour);
        pen.slab(x - u * 0.5, y - u * 1.5, u, u * 3.0, 0.0, colour);
    }
    pen.slab(5.5 * u, 1.5 * u, u, u, 0.0, yarn.figure);
    pen.slab(1.5 * u, 5.5 * u, u, u, 0.0, yarn.figure);
}
