//! What is woven and lies: rugs, cushions, blankets, scarves.

use crate::easel::Easel;
use crate::lathe::Lathe;
use crate::palette::{Colour, GLOW, INK};
use crate::pattern::{Motif, Yarn, weave};
use crate::pen::{Paint, Path};
use crate::tint::named::{KRAFT, OAK};

/// The patterns that suit a large cloth.
const BOLD: [Motif; 10] = [
    Motif::Stripes,
    Motif::Checks,
    Motif::Diamonds,
    Motif::Triangles,
    Motif::Tiles,
    Motif::Waves,
    Motif::Herringbone,
    Motif::Crosses,
    Motif::Leaves,
    Motif::Dots,
];

/// A fringe along a level line; down or up by its length.
fn fringe(easel: &mut Easel, from: f64, to: f64, y: f64, length: f64, colour: Colour) {
    let mut path = Path::at(from, y).to(from, y + length);
    let mut x = from + 9.0;
    while x <= to {
        let lean = easel.dice.between(-2.5, 2.5);
        path = path.and(x, y).to(x + lean, y + length);
        x += 9.0;
    }
    easel.pen.line(&path, colour, 3.6);
}

/// A rug with a fringe, from above.
pub fn rug(easel: &mut Easel) {
    easel.wall();
    let (half, top, base) = (easel.dice.between(128.0, 144.0), 62.0, 418.0);
    let (left, wide, tall) = (240.0 - half, half * 2.0, base - top);
    let long = easel.dice.between(16.0, 26.0);
    easel.cast(&Path::rounded(left, top - long * 0.6, wide, tall + long * 1.2, 2.0), 9.0, 12.0);
    let bare = easel.main == KRAFT;
    let thread = if easel.ground.distance(easel.second) > 45.0 { easel.second } else { easel.main.lit() };
    if !bare {
        fringe(easel, left + 4.0, 240.0 + half - 4.0, top + 4.0, -long - 4.0, thread);
        fringe(easel, left + 4.0, 240.0 + half - 4.0, base - 4.0, long + 4.0, thread);
    }
    let motif = easel.motif(BOLD);
    if bare {
        // Coir is plain, with a border.
        let yarn = Yarn { base: easel.main, figure: easel.main.dim(), accent: easel.main.dim() };
        let coir = weave(&mut easel.pen, Motif::Ticking, yarn, 12.0, 0.0);
        easel.pen.slab(left, top, wide, tall, 4.0, easel.main.deep());
        easel.pen.slab(left + 16.0, top + 16.0, wide - 32.0, tall - 32.0, 0.0, coir);
        easel.pen.slab(left + 40.0, top + 40.0, wide - 80.0, tall - 80.0, 0.0, easel.main.deep());
        easel.pen.slab(left + 48.0, top + 48.0, wide - 96.0, tall - 96.0, 0.0, coir);
        easel.seen = (easel.main, None);
    } else {
        rug_field(easel, motif, (left, top), (wide, tall));
    }
    weft(easel, (left, top), (wide, tall));
}

/// The field of a rug: one of three ways to lay a pattern out.
fn rug_field(easel: &mut Easel, motif: Motif, (left, top): (f64, f64), (wide, tall): (f64, f64)) {
    let base = top + tall;
    match easel.dice.below(3) {
        // Field and border.
        0 => {
            easel.pen.slab(left, top, wide, tall, 0.0, easel.accent);
            easel.pen.slab(left + 12.0, top + 12.0, wide - 24.0, tall - 24.0, 0.0, easel.second);
            let step = (wide - 48.0) / easel.dice.pick([4.0, 5.0, 6.0]);
            let cloth = easel.weave(motif, (step, step), 0.0);
            easel.pen.slab(left + 24.0, top + 24.0, wide - 48.0, tall - 48.0, 0.0, cloth);
        }
        // Bands of plain and pattern.
        1 => {
            easel.pen.slab(left, top, wide, tall, 0.0, easel.main);
            let step = wide / easel.dice.pick([5.0, 6.0, 7.0]);
            let cloth = easel.weave(motif, (step, step), 0.0);
            let band = easel.dice.between(52.0, 84.0);
            for y in [top + 22.0, base - 22.0 - band] {
                easel.pen.slab(left, y - 10.0, wide, band + 20.0, 0.0, easel.accent);
                easel.pen.slab(left, y, wide, band, 0.0, cloth);
            }
            let count = easel.dice.pick([3_u32, 5, 7]);
            let (from, room) = (top + 46.0 + band, tall - 92.0 - band * 2.0);
            for line in 0..count {
                let y = from + room * (f64::from(line) + 0.5) / f64::from(count);
                let colour = if line == count / 2 { easel.accent } else { easel.second };
                easel.pen.slab(left, y - 4.0, wide, 8.0, 0.0, colour);
            }
        }
        // The pattern from edge to edge.
        _ => {
            let step = wide / easel.dice.pick([4.0, 5.0]);
            let cloth = easel.weave(motif, (step, step), 0.0);
            easel.pen.slab(left, top, wide, tall, 0.0, cloth);
            easel.pen.slab(left, top, wide, 9.0, 0.0, easel.main.dim());
            easel.pen.slab(left, base - 9.0, wide, 9.0, 0.0, easel.main.dim());
        }
    }
}

/// The light and shadow of a cloth that lies.
fn weft(easel: &mut Easel, at: (f64, f64), size: (f64, f64)) {
    let (x, y, w, h) = (at.0, at.1, size.0, size.1);
    easel.pen.dim(
        &Path::polygon(&[
            (x + w, y),
            (x + w, y + h),
            (x, y + h),
            (x + 6.0, y + h - 6.0),
            (x + w - 6.0, y + h - 6.0),
            (x + w - 6.0, y),
        ]),
        14,
    );
    easel.pen.lit(&Path::polygon(&[(x, y), (x + w * 0.7, y), (x, y + h * 0.62)]), 12);
}

/// A square cushion.
pub fn cushion(easel: &mut Easel) {
    easel.table(0.0);
    let (half, cy) = (easel.dice.between(148.0, 160.0), 242.0);
    let (l, r, t, b) = (240.0 - half, 240.0 + half, cy - half, cy + half);
    let (pull, ear) = (easel.dice.between(16.0, 26.0), 6.0);
    let shape = Path::at(l - ear, t - ear)
        .curve((l + 60.0, t + pull), (r - 60.0, t + pull), r + ear, t - ear)
        .curve((r - pull, t + 60.0), (r - pull, b - 60.0), r + ear, b + ear)
        .curve((r - 60.0, b - pull * 0.5), (l + 60.0, b - pull * 0.5), l - ear, b + ear)
        .curve((l + pull, b - 60.0), (l + pull, t + 60.0), l - ear, t - ear)
        .close();
    easel.shadow(240.0, b - 4.0, half * 0.98);
    let motif = easel.motif([
        Motif::Stripes,
        Motif::Ticking,
        Motif::Checks,
        Motif::Plaid,
        Motif::Diamonds,
        Motif::Leaves,
        Motif::Dots,
        Motif::Waves,
        Motif::Triangles,
        Motif::Tiles,
        Motif::Flowers,
        Motif::Crosses,
    ]);
    let degrees = if easel.dice.chance(35) { 45.0 } else { 0.0 };
    let cloth = easel.weave(motif, (46.0, 68.0), degrees);
    let panel = easel.dice.chance(30);
    easel.pen.fill(&shape, if panel { Paint::from(easel.main) } else { cloth });
    easel.pen.inside(&shape);
    if panel {
        easel.pen.slab(l + 62.0, t - 20.0, half * 2.0 - 124.0, half * 2.0 + 40.0, 0.0, cloth);
    }
    let shadow = Path::at(r - 40.0, t - 20.0)
        .curve((r - 74.0, cy), (r - 110.0, b - 70.0), l - 20.0, b - 34.0)
        .to(l - 20.0, b + 30.0)
        .to(r + 30.0, b + 30.0)
        .to(r + 30.0, t - 20.0)
        .close();
    easel.pen.dim(&shadow, 15);
    easel.pen.dim(
        &Path::at(r - 4.0, t)
            .curve((r - 30.0, cy), (r - 60.0, b - 26.0), l, b - 6.0)
            .to(l, b + 30.0)
            .to(r + 30.0, b + 30.0)
            .to(r + 30.0, t)
            .close(),
        13,
    );
    // Creases run in from the corners.
    let crease = Path::at(l + 4.0, t + 6.0)
        .to(l + 40.0, t + 46.0)
        .and(r - 4.0, t + 6.0)
        .to(r - 34.0, t + 42.0)
        .and(r - 4.0, b - 4.0)
        .to(r - 44.0, b - 40.0)
        .and(l + 4.0, b - 4.0)
        .to(l + 36.0, b - 36.0);
    easel.pen.sheer(24);
    easel.pen.line(&crease, INK, 4.0);
    easel.pen.close();
    easel.pen.close();
    easel.pen.line(&shape, easel.accent, 4.5);
}

/// A round cushion for the floor.
pub fn pouf(easel: &mut Easel) {
    easel.table(36.0);
    let (r, top, base) = (easel.dice.between(158.0, 176.0), easel.dice.between(230.0, 262.0), 388.0);
    easel.shadow(240.0, base + 8.0, r * 0.94);
    let middle = f64::midpoint(top, base);
    let body = Lathe::new(
        240.0,
        0.26,
        &[
            (top - 6.0, r * 0.72),
            (top + 12.0, r * 0.94),
            (middle, r),
            (base - 14.0, r * 0.94),
            (base, r * 0.84),
        ],
    )
    .matte();
    let pleats = easel.dice.pick([7, 9, 11]);
    let bright = easel.dice.chance(45);
    easel.seen = (easel.main, bright.then_some(easel.second));
    body.paint(easel, easel.main, |easel, body| {
        let (mut seams, mut panels) = (Path::none(), Path::none());
        let step = 1.5 / f64::from(pleats);
        for pleat in -pleats..=pleats {
            let angle = f64::from(pleat) * step;
            seams = seams.with(&body.seam(angle.sin()));
            if bright && pleat % 2 == 0 {
                let mut panel = body.meridian(angle.sin());
                panel.extend(body.meridian((angle + step).min(1.5).sin()).into_iter().rev());
                panels = panels.with(&Path::polygon(&panel));
            }
        }
        easel.pen.fill(&panels, easel.second);
        easel.pen.line(&seams, easel.main.mix(INK, 26), 3.0);
    });
    let (rx, ry) = (r * 0.94, r * 0.25);
    let top = top + 2.0;
    easel.pen.oval(240.0, top, rx, ry, easel.main.lit());
    let mut spokes = Path::none();
    for step in 0..24_u32 {
        let angle = f64::from(step) * std::f64::consts::TAU / 24.0;
        let (x, y) = (rx * angle.sin(), ry * angle.cos());
        spokes = spokes.and(240.0 + 0.16 * x, top + 0.16 * y).to(240.0 + 0.94 * x, top + 0.94 * y);
    }
    easel.pen.line(&spokes, easel.main.mix(GLOW, 8), 2.5);
    easel.pen.oval(240.0, top, 17.0, 8.0, easel.accent);
}

/// A folded blanket, from above.
pub fn blanket(easel: &mut Easel) {
    easel.wall();
    let motif = easel.motif([
        Motif::Plaid,
        Motif::Herringbone,
        Motif::Checks,
        Motif::Stripes,
        Motif::Ticking,
        Motif::Diamonds,
        Motif::Crosses,
    ]);
    let cloth = easel.weave(motif, (38.0, 58.0), 0.0);
    let (l, wide, top) = (84.0, 312.0, easel.dice.between(84.0, 100.0));
    let (low, layers) = (easel.dice.between(296.0, 316.0), easel.dice.pick([3, 4]));
    let high = 27.0;
    let base = low + high * f64::from(layers);
    easel.cast(&Path::rounded(l, top, wide, base - top, 26.0), 12.0, 15.0);
    // The folds below, the lowest first.
    for layer in (0..layers).rev() {
        let shift = easel.dice.between(-3.0, 3.0);
        let fold =
            Path::rounded(l + shift, top + 40.0, wide, low + high * f64::from(layer + 1) - top - 40.0, 22.0);
        easel.pen.fill(&fold, cloth);
        easel.pen.inside(&fold);
        let edge = low + high * f64::from(layer);
        easel.pen.dim(&Path::rounded(l - 20.0, edge - 8.0, wide + 40.0, 17.0, 0.0), 32);
        easel.pen.dim(&Path::rounded(l - 20.0, edge + 20.0, wide + 40.0, 12.0, 0.0), 14);
        easel.pen.close();
    }
    fringe(easel, l + 8.0, l + wide - 8.0, low - 3.0, 30.0, easel.main.lit());
    let sheet = Path::rounded(l, top, wide, low - top, 0.0);
    easel.pen.fill(&sheet, cloth);
    easel.pen.slab(l, low - 7.0, wide, 7.0, 0.0, easel.accent);
    // One part is folded back over the rest.
    let fold = l + wide * easel.dice.between(0.5, 0.66);
    easel.pen.dim(&Path::rounded(fold, top, 13.0, low - top, 0.0), 24);
    easel.pen.lit(&Path::rounded(fold - 26.0, top, 26.0, low - top, 0.0), 20);
    easel.pen.dim(
        &Path::polygon(&[(l + wide - 22.0, top), (l + wide, top), (l + wide, low), (l + wide - 14.0, low)]),
        14,
    );
    easel.pen.lit(&Path::rounded(l, top, wide, 10.0, 0.0), 22);
}

/// A scarf with a fringe, on a peg.
pub fn scarf(easel: &mut Easel) {
    easel.wall();
    let motif = easel.motif([
        Motif::Stripes,
        Motif::Plaid,
        Motif::Checks,
        Motif::Herringbone,
        Motif::Ticking,
        Motif::Diamonds,
        Motif::Dots,
    ]);
    let step = easel.dice.between(36.0, 52.0);
    let lean = easel.dice.between(7.0, 10.0);
    let front = easel.weave(motif, (step, step), lean);
    let back = easel.weave(motif, (step, step), -lean * 1.4);
    let (long, short) = (easel.dice.between(388.0, 410.0), easel.dice.between(318.0, 356.0));
    let behind = Path::at(222.0, 84.0)
        .curve((246.0, 180.0), (258.0, 250.0), 270.0, short + 12.0)
        .to(366.0, short - 10.0)
        .curve((344.0, 210.0), (310.0, 120.0), 272.0, 76.0)
        .close();
    easel.cast(&behind, 9.0, 13.0);
    end(easel, (272.0, short + 8.0), (364.0, short - 13.0), 0.3);
    easel.pen.fill(&behind, back);
    easel.pen.inside(&behind);
    easel.pen.line(&Path::at(268.0, short - 18.0).to(368.0, short - 40.0), easel.accent, 7.0);
    easel.pen.close();
    easel.pen.dim(&behind, 15);
    let before = Path::at(214.0, 82.0)
        .curve((204.0, 150.0), (164.0, 240.0), 140.0, long - 12.0)
        .to(250.0, long + 6.0)
        .curve((268.0, 270.0), (286.0, 150.0), 276.0, 78.0)
        .bend((244.0, 44.0), 214.0, 82.0)
        .close();
    easel.cast(&before, 9.0, 12.0);
    end(easel, (143.0, long - 15.0), (247.0, long + 2.0), -0.2);
    easel.pen.fill(&before, front);
    easel.pen.inside(&before);
    easel.pen.line(&Path::at(130.0, long - 42.0).to(270.0, long - 19.0), easel.accent, 7.0);
    for (x, low, wide) in [(232.0, 190.0, 16.0), (250.0, 212.0, 28.0), (264.0, 250.0, 40.0)] {
        let crease = Path::at(x, 60.0).bend((x - 4.0, 200.0), low, 430.0).to(low + wide, 430.0).bend(
            (x + 16.0, 200.0),
            x + 7.0,
            60.0,
        );
        easel.pen.dim(&crease.close(), 11);
    }
    easel.pen.lit(
        &Path::at(216.0, 80.0)
            .bend((196.0, 190.0), 152.0, 400.0)
            .to(176.0, 404.0)
            .bend((216.0, 200.0), 226.0, 70.0)
            .close(),
        20,
    );
    easel.pen.close();
    easel.pen.dot(249.0, 66.0, 19.0, easel.ground.mix(INK, 22));
    easel.pen.dot(244.0, 60.0, 19.0, OAK.dim());
    easel.pen.dot(242.0, 58.0, 15.0, OAK.lit());
}

/// The fringe of an end that hangs askew, from its left to its right corner.
fn end(easel: &mut Easel, left: (f64, f64), right: (f64, f64), lean: f64) {
    let (mut path, count) = (Path::at(left.0, left.1), 12_u32);
    for thread in 0..=count {
        let part = f64::from(thread) / f64::from(count);
        let (x, y) = (left.0 + (right.0 - left.0) * part, left.1 + (right.1 - left.1) * part);
        let sway = easel.dice.between(-2.5, 2.5) + lean * 30.0;
        path = path.and(x, y).to(x + sway, y + 32.0);
    }
    easel.pen.line(&path, easel.main.lit(), 4.0);
}

/// A printed square.
pub fn square(easel: &mut Easel) {
    easel.wall();
    let (half, lean) = (easel.dice.between(150.0, 160.0), easel.dice.between(-9.0, 9.0));
    let (l, side) = (240.0 - half, half * 2.0);
    easel.pen.turned(lean, 240.0, 240.0);
    easel.cast(&Path::rounded(l, l, side, side, 6.0), 9.0, 13.0);
    easel.pen.slab(l, l, side, side, 5.0, easel.accent);
    easel.pen.slab(l + 8.0, l + 8.0, side - 16.0, side - 16.0, 2.0, easel.main);
    easel.pen.slab(l + 34.0, l + 34.0, side - 68.0, side - 68.0, 0.0, easel.accent);
    let motif = easel.motif([
        Motif::Tiles,
        Motif::Leaves,
        Motif::Waves,
        Motif::Flowers,
        Motif::Diamonds,
        Motif::Dots,
    ]);
    let yarn = Yarn { base: easel.second, figure: easel.main, accent: easel.accent };
    let cloth = weave(&mut easel.pen, motif, yarn, easel.dice.between(48.0, 66.0), 0.0);
    easel.pen.slab(l + 42.0, l + 42.0, side - 84.0, side - 84.0, 0.0, cloth);
    for step in 0..9_u32 {
        let at = l + 21.0 + f64::from(step) * (side - 42.0) / 8.0;
        for (x, y) in [(at, l + 21.0), (at, l + side - 21.0), (l + 21.0, at), (l + side - 21.0, at)] {
            easel.pen.dot(x, y, 5.0, easel.second);
        }
    }
    // One corner is turned over.
    let (r, fold) = (l + side, easel.dice.between(64.0, 92.0));
    easel.pen.fill(
        &Path::polygon(&[(r + 1.0, r - fold), (r + 1.0, r + 1.0), (r - fold, r + 1.0)]),
        easel.ground.mix(INK, 12),
    );
    easel.pen.dim(
        &Path::polygon(&[
            (r, r - fold),
            (r - fold + 8.0, r - fold + 2.0),
            (r - fold - 12.0, r - fold - 8.0),
            (r - fold - 10.0, r),
        ]),
        18,
    );
    easel.pen.fill(
        &Path::polygon(&[(r, r - fold), (r - fold + 6.0, r - fold + 6.0), (r - fold, r)]),
        easel.main.lit(),
    );
    easel.pen.lit(&Path::polygon(&[(l, l), (l + side * 0.8, l), (l, l + side * 0.6)]), 13);
    easel.pen.close();
}
