//! What hangs or stands in a room: clocks, frames, signs, hooks, boxes.

use crate::desk::landscape;
use crate::easel::Easel;
use crate::palette::{GLOW, INK};
use crate::pattern::Motif;
use crate::pen::Path;
use crate::tint::named::{BRASS, CHALK, GLASS, KRAFT};

/// A framed picture.
pub fn frame(easel: &mut Easel) {
    easel.wall();
    let tall = easel.dice.chance(60);
    let (w, h) = if tall { (276.0, 344.0) } else { (352.0, 284.0) };
    let (x, y) = (240.0 - w / 2.0, 240.0 - h / 2.0);
    let thrown = easel.wood();
    let wood = if easel.tinted || easel.dice.chance(40) { easel.main } else { thrown };
    easel.seen = (wood, None);
    let edge = easel.dice.between(16.0, 32.0);
    easel.cast(&Path::rounded(x, y, w, h, 2.0), 13.0, 18.0);
    easel.pen.slab(x, y, w, h, 2.0, wood);
    easel.pen.fill(
        &Path::polygon(&[
            (x + w, y),
            (x + w, y + h),
            (x, y + h),
            (x + edge, y + h - edge),
            (x + w - edge, y + h - edge),
            (x + w - edge, y + edge),
        ]),
        wood.dim(),
    );
    easel.pen.fill(
        &Path::polygon(&[(x, y), (x + w, y), (x + w - edge, y + edge), (x + edge, y + edge)]),
        wood.lit(),
    );
    let (x, y, w, h) = (x + edge, y + edge, w - edge * 2.0, h - edge * 2.0);
    easel.pen.slab(x, y, w, h, 0.0, CHALK);
    easel.pen.dim(
        &Path::polygon(&[
            (x, y),
            (x + w, y),
            (x + w, y + 7.0),
            (x + 6.0, y + 7.0),
            (x + 6.0, y + h),
            (x, y + h),
        ]),
        20,
    );
    let mount = easel.dice.between(24.0, 38.0);
    if easel.tinted {
        // The frame took the colour that the name asked for; the picture in it takes another.
        let (main, accent) = (easel.main, easel.accent);
        (easel.main, easel.accent) = (accent, accent.mix(GLOW, 45));
        landscape(easel, (x + mount, y + mount), (w - mount * 2.0, h - mount * 2.0));
        (easel.main, easel.accent) = (main, accent);
    } else {
        landscape(easel, (x + mount, y + mount), (w - mount * 2.0, h - mount * 2.0));
    }
    easel.pen.lit(
        &Path::polygon(&[(x + w * 0.52, y), (x + w * 0.8, y), (x + w * 0.3, y + h), (x + w * 0.02, y + h)]),
        16,
    );
}

/// A round mirror.
pub fn mirror(easel: &mut Easel) {
    easel.wall();
    let (rx, ry) = (easel.dice.between(136.0, 160.0), easel.dice.between(156.0, 170.0));
    let edge = easel.dice.between(14.0, 34.0);
    let cy = 256.0;
    easel.pen.dot(240.0, 36.0, 8.0, BRASS.dim());
    easel.pen.line(
        &Path::at(240.0 - rx * 0.62, cy - ry * 0.74).to(240.0, 36.0).to(240.0 + rx * 0.62, cy - ry * 0.74),
        KRAFT.dim(),
        6.0,
    );
    easel.cast(&Path::oval(240.0, cy, rx, ry), 12.0, 17.0);
    easel.pen.oval(240.0, cy, rx, ry, easel.main);
    let beads = easel.dice.chance(55);
    easel.seen = (easel.main, beads.then_some(easel.second));
    if beads {
        for bead in 0..28_u32 {
            let angle = f64::from(bead) * std::f64::consts::TAU / 28.0;
            let (x, y) = (240.0 + (rx - edge / 2.0) * angle.sin(), cy - (ry - edge / 2.0) * angle.cos());
            easel.pen.dot(x, y, edge * 0.26, easel.second);
        }
    }
    easel.pen.sheer(70);
    easel.pen.line(
        &Path::at(240.0 - rx * 0.97, cy - 20.0).arc(rx * 0.98, ry * 0.98, true, 226.0, cy - ry * 0.97),
        easel.main.lit(),
        4.0,
    );
    easel.pen.close();
    let (rx, ry) = (rx - edge, ry - edge);
    easel.pen.oval(240.0, cy, rx + 3.0, ry + 3.0, easel.main.deep());
    let glass = Path::oval(240.0, cy, rx, ry);
    easel.pen.fill(&glass, GLASS.mix(easel.ground, 30));
    easel.pen.inside(&glass);
    easel.pen.lit(&Path::polygon(&[(60.0, 330.0), (300.0, 60.0), (360.0, 60.0), (60.0, 400.0)]), 55);
    easel.pen.lit(&Path::polygon(&[(60.0, 430.0), (390.0, 60.0), (410.0, 60.0), (60.0, 456.0)]), 45);
    easel.pen.close();
}

/// A line of handwriting that says nothing: loops of uneven height.
fn writing(easel: &mut Easel, y: f64, half: f64, high: f64) {
    let (loops, mut x) = (9_u32, 240.0 - half);
    let step = half * 2.0 / f64::from(loops);
    let mut path = Path::at(x - 6.0, y + high * 0.5);
    for place in 0..loops {
        let tall = if place == 0 { 1.3 } else { easel.dice.pick([0.5, 0.6, 1.2]) };
        let top = y + high * 0.5 - high * tall;
        path = path
            .curve((x + step * 0.5, y + high * 0.5), (x + step * 1.2, top), x + step * 0.66, top)
            .curve((x + step * 0.2, top), (x + step * 0.3, y + high * 0.6), x + step, y + high * 0.5);
        x += step;
    }
    easel.pen.line(&path, easel.second, 6.0);
}

/// A sign on a string.
pub fn sign(easel: &mut Easel) {
    easel.wall();
    let (w, h, y) = (easel.dice.between(332.0, 368.0), easel.dice.between(176.0, 212.0), 190.0);
    let (x, corner) = (240.0 - w / 2.0, easel.dice.between(4.0, 40.0));
    let lean = easel.dice.between(-2.5, 2.5);
    easel.pen.line(
        &Path::at(x + 54.0, y + 22.0).to(240.0, 64.0).to(x + w - 54.0, y + 22.0),
        KRAFT.deep(),
        5.0,
    );
    easel.pen.dot(240.0, 62.0, 9.0, BRASS.dim());
    easel.pen.turned(lean, 240.0, 64.0);
    easel.cast(&Path::rounded(x, y, w, h, corner), 11.0, 16.0);
    easel.pen.slab(x, y, w, h, corner, easel.main);
    easel.pen.line(
        &Path::rounded(x + 14.0, y + 14.0, w - 28.0, h - 28.0, (corner - 10.0).max(2.0)),
        easel.second,
        5.0,
    );
    let cy = y + h / 2.0;
    let heart = easel.dice.chance(50);
    let at = if heart { cy - 34.0 } else { cy };
    writing(easel, at, w * 0.33, if heart { 20.0 } else { 30.0 });
    if heart {
        easel.pen.fill(&crate::hanging::heart_path(240.0, cy + 36.0, 26.0), easel.accent);
        for side in [-1.0, 1.0] {
            let (from, to) = (240.0 + 44.0 * side, 240.0 + 118.0 * side);
            let rule = Path::at(from, cy + 36.0).bend((240.0 + 80.0 * side, cy + 22.0), to, cy + 36.0);
            easel.pen.line(&rule, easel.second, 4.0);
            easel.pen.dot(to, cy + 36.0, 6.0, easel.accent);
        }
    } else {
        for line in [cy - 58.0, cy + 58.0] {
            easel.pen.line(&Path::at(240.0 - w * 0.22, line).to(240.0 + w * 0.22, line), easel.accent, 5.0);
        }
    }
    for hx in [x + 54.0, x + w - 54.0] {
        easel.pen.dot(hx, y + 22.0, 7.0, easel.main.deep());
    }
    easel
        .pen
        .lit(&Path::polygon(&[(x, y + corner), (x + corner, y), (x + w * 0.7, y), (x, y + h * 0.8)]), 12);
    easel.pen.close();
}

/// Hooks on a board.
pub fn hook(easel: &mut Easel) {
    easel.wall();
    let thrown = easel.wood();
    let wood = if easel.tinted { easel.main } else { thrown };
    let metal = if easel.tinted { easel.accent } else { easel.main };
    easel.seen = (metal, Some(wood));
    let (y, h) = (easel.dice.between(150.0, 172.0), easel.dice.between(78.0, 96.0));
    let corner = easel.dice.between(4.0, 40.0);
    easel.cast(&Path::rounded(46.0, y, 388.0, h, corner), 10.0, 15.0);
    easel.pen.slab(46.0, y, 388.0, h, corner, wood);
    easel.pen.inside(&Path::rounded(46.0, y, 388.0, h, corner));
    for line in 0..4_u32 {
        let at = y + 10.0 + f64::from(line) * h / 4.0;
        let sway = easel.dice.between(-9.0, 9.0);
        easel.pen.line(
            &Path::at(40.0, at).curve((180.0, at + sway), (300.0, at - sway), 440.0, at + sway),
            wood.mix(INK, 12),
            3.0,
        );
    }
    easel.pen.dim(&Path::rounded(46.0, y + h - 9.0, 388.0, 9.0, 0.0), 16);
    easel.pen.close();
    let count = easel.dice.pick([3_u32, 4]);
    for hook in 0..count {
        let x = 46.0 + 388.0 * (f64::from(hook) + 0.5) / f64::from(count) - 10.0;
        let cy = y + h / 2.0;
        let low = Path::at(x, cy).to(x, cy + 76.0).curve(
            (x, cy + 128.0),
            (x + 58.0, cy + 124.0),
            x + 54.0,
            cy + 78.0,
        );
        easel.cast(&Path::oval(x + 22.0, cy + 96.0, 36.0, 30.0), 12.0, 18.0);
        easel.tube(&low, metal, 17.0);
        easel.tube(
            &Path::at(x, cy).curve((x + 4.0, cy - 8.0), (x + 40.0, cy - 4.0), x + 38.0, cy - 34.0),
            metal,
            15.0,
        );
        easel.pen.slab(x - 17.0, cy - 28.0, 34.0, 58.0, 16.0, metal.mix(GLOW, 12));
        easel.pen.dot(x, cy - 14.0, 4.5, metal.deep());
        easel.pen.dot(x, cy + 16.0, 4.5, metal.deep());
        for (bx, by) in [(x + 54.0, cy + 76.0), (x + 38.0, cy - 36.0)] {
            easel.pen.dot(bx, by, 13.0, easel.second);
            easel.pen.lit(&Path::oval(bx - 4.0, by - 4.0, 4.0, 4.0), 60);
        }
    }
}

/// A box with a lid.
pub fn chest(easel: &mut Easel) {
    easel.table(32.0);
    let (half, top, base) = (easel.dice.between(128.0, 152.0), easel.dice.between(236.0, 268.0), 400.0);
    let (l, r, deep, lid) = (240.0 - half, 240.0 + half, 50.0, easel.dice.between(40.0, 58.0));
    easel.shadow(240.0, base - 4.0, half);
    let motif = easel.motif([
        Motif::Flowers,
        Motif::Stripes,
        Motif::Dots,
        Motif::Leaves,
        Motif::Tiles,
        Motif::Waves,
        Motif::Stars,
    ]);
    let paper = easel.weave(motif, (40.0, 56.0), 0.0);
    easel.pen.slab(l, top, half * 2.0, base - top, 3.0, paper);
    easel.pen.dim(&Path::rounded(l, top, half * 2.0, lid * 0.34, 0.0), 28);
    easel.pen.dim(&Path::polygon(&[(r - half * 0.42, top), (r, top), (r, base), (r - half * 0.3, base)]), 13);
    let y = top - lid + 6.0;
    let tone = if easel.dice.chance(50) { easel.accent } else { easel.main };
    easel.pen.fill(
        &Path::polygon(&[(l - 9.0, y), (l + 30.0, y - deep), (r - 30.0, y - deep), (r + 9.0, y)]),
        tone.lit(),
    );
    easel.pen.slab(l - 9.0, y, half * 2.0 + 18.0, lid, 3.0, tone);
    easel.pen.dim(
        &Path::polygon(&[(r - half * 0.48, y), (r + 9.0, y), (r + 9.0, y + lid), (r - half * 0.42, y + lid)]),
        13,
    );
    easel.pen.line(&Path::at(l - 4.0, y + 3.0).to(r - 40.0, y + 3.0), tone.mix(GLOW, 50), 3.0);
    match easel.dice.below(3) {
        0 => {
            easel.pen.slab(214.0, y + lid * 0.34, 52.0, 46.0, 8.0, BRASS);
            easel.pen.slab(214.0, y + lid * 0.34 + 32.0, 52.0, 14.0, 7.0, BRASS.dim());
            easel.pen.dot(240.0, y + lid * 0.34 + 20.0, 7.0, BRASS.deep());
        }
        1 => {
            easel.pen.oval(240.0, y - deep * 0.5 - 2.0, 22.0, 9.0, tone.deep());
            easel.pen.dot(240.0, y - deep * 0.5 - 18.0, 19.0, easel.second);
            easel.pen.lit(&Path::oval(234.0, y - deep * 0.5 - 24.0, 6.0, 6.0), 55);
        }
        _ => {
            let (cy, card) = (top + (base - top) * 0.56, 104.0);
            easel.pen.slab(240.0 - card / 2.0, cy - 28.0, card, 56.0, 4.0, BRASS);
            easel.pen.slab(240.0 - card / 2.0 + 8.0, cy - 20.0, card - 16.0, 40.0, 2.0, CHALK);
            easel.pen.line(&Path::at(216.0, cy).to(264.0, cy), INK.mix(CHALK, 30), 5.0);
        }
    }
}
