//! What is painted on round pots.

use crate::easel::Easel;
use crate::lathe::Lathe;
use crate::palette::INK;
use crate::pattern::Motif;
use crate::pen::Path;
use crate::tint::named::CLAY;

/// A way to glaze a pot.
#[derive(Clone, Copy)]
enum Glaze {
    Plain,
    Dip,
    Lines,
    Dots,
    Flutes,
    Speckle,
    Sprigs,
    Zigzag,
    Foot,
    Checks,
}

/// Glazes a pot; to be drawn inside its outline.
pub fn glaze(easel: &mut Easel, pot: &Lathe) {
    let thrown = easel.dice.pick([
        Glaze::Plain,
        Glaze::Dip,
        Glaze::Dip,
        Glaze::Lines,
        Glaze::Dots,
        Glaze::Flutes,
        Glaze::Speckle,
        Glaze::Sprigs,
        Glaze::Zigzag,
        Glaze::Foot,
    ]);
    let chosen = match easel.wanted {
        None => thrown,
        Some(Motif::Stripes | Motif::Ticking) => Glaze::Lines,
        Some(Motif::Dots | Motif::Stars) => Glaze::Dots,
        Some(Motif::Leaves | Motif::Flowers) => Glaze::Sprigs,
        Some(Motif::Checks | Motif::Plaid | Motif::Tiles) => Glaze::Checks,
        Some(_) => Glaze::Zigzag,
    };
    match chosen {
        Glaze::Plain => {
            easel.pen.line(&pot.around(pot.level(0.06)), easel.second, 5.0);
        }
        Glaze::Dip => dip(easel, pot),
        Glaze::Lines => lines(easel, pot),
        Glaze::Dots => dots(easel, pot),
        Glaze::Flutes => flutes(easel, pot),
        Glaze::Speckle => speckle(easel, pot),
        Glaze::Sprigs => sprigs(easel, pot),
        Glaze::Zigzag => zigzag(easel, pot),
        Glaze::Foot => {
            let raw = CLAY.mix(easel.second, 45);
            easel.seen = (easel.main, Some(raw));
            easel.pen.fill(&pot.ring(pot.level(0.76), pot.level(1.2)), raw);
        }
        Glaze::Checks => checks(easel, pot),
    }
}

/// The upper part in the second colour, with the edge that a dipped glaze has.
fn dip(easel: &mut Easel, pot: &Lathe) {
    let level = pot.level(easel.dice.between(0.34, 0.56));
    let swing = easel.dice.between(2.0, 9.0);
    let edge: Vec<(f64, f64)> = (0..=6)
        .map(|step| {
            let across = f64::from(step) / 3.0 - 1.0;
            let (x, y) = pot.point(across * 1.04, level);
            (x, y + easel.dice.between(-swing, swing))
        })
        .collect();
    let (first, last) = (edge[0], edge[edge.len() - 1]);
    let path = Path::at(first.0 - 8.0, first.1).to(first.0, first.1).soft(&edge).to(last.0 + 60.0, last.1);
    let above = pot.top() - 60.0;
    let path = path.to(last.0 + 60.0, above).to(first.0 - 60.0, above).to(first.0 - 60.0, first.1).close();
    easel.pen.fill(&path, easel.second);
}

fn lines(easel: &mut Easel, pot: &Lathe) {
    let (mut at, count) = (easel.dice.between(0.14, 0.4), easel.dice.pick([2, 2, 3]));
    for line in 0..count {
        let colour = if line == 1 { easel.accent } else { easel.second };
        easel.pen.line(&pot.around(pot.level(at)), colour, if line == 0 { 12.0 } else { 5.0 });
        at += 0.11;
    }
}

fn dots(easel: &mut Easel, pot: &Lathe) {
    let size = easel.dice.between(8.0, 13.0) * (pot.widest() / 100.0).clamp(0.5, 1.1);
    for (row, level) in [0.22, 0.42, 0.62].into_iter().enumerate() {
        let y = pot.level(level);
        for step in -4..=4_i32 {
            let shift = if row % 2 == 0 { 0.0 } else { 0.5 };
            let angle = (f64::from(step) + shift) * 0.36;
            let (x, y) = pot.point(angle.sin(), y);
            easel.pen.oval(x, y, size * angle.cos().abs(), size, easel.second);
        }
    }
}

fn flutes(easel: &mut Easel, pot: &Lathe) {
    let colour = easel.main.mix(INK, 20);
    let seams = (-4..=4_i32).map(|step| pot.seam((f64::from(step) * 0.36).sin()));
    easel.pen.line(&seams.fold(Path::none(), |all, seam| all.with(&seam)), colour, 3.0);
    easel.pen.fill(&pot.ring(pot.top() - 4.0, pot.level(0.12)), easel.second);
}

fn speckle(easel: &mut Easel, pot: &Lathe) {
    easel.seen = (easel.main, Some(easel.accent));
    for _ in 0..26 {
        let (across, level) = (easel.dice.between(-0.95, 0.95), easel.dice.between(0.04, 0.98));
        let (x, y) = pot.point(across, pot.level(level));
        let size = easel.dice.between(1.2, 3.0);
        easel.pen.dot(x, y, size, easel.main.deep());
    }
    easel.pen.fill(&pot.ring(pot.top() - 4.0, pot.level(0.07)), easel.accent);
}

/// A row of stems with leaves, each a little different.
fn sprigs(easel: &mut Easel, pot: &Lathe) {
    let foot = pot.level(0.7);
    let tall = ((pot.bottom() - pot.top()) * 0.46).min(pot.radius(foot) * 0.95);
    let size = pot.radius(foot) / 110.0;
    for step in -2..=2_i32 {
        let angle = f64::from(step) * 0.52;
        let (x, y) = pot.point(angle.sin(), foot);
        let wide = angle.cos();
        let lean = easel.dice.between(-7.0, 7.0);
        let tall = tall * easel.dice.between(0.85, 1.05);
        easel.pen.line(&Path::at(x, y).bend((x, y - tall * 0.5), x + lean, y - tall), easel.second, 3.5);
        for (level, side) in [(0.3, -1.0), (0.45, 1.0), (0.6, -1.0), (0.75, 1.0)] {
            let (from, reach) = (y - tall * level, 19.0 * side * wide * size);
            let leaf = Path::at(x + lean * level * 0.6, from)
                .bend((x + reach * 0.2, from - 15.0 * size), x + reach, from - 15.0 * size)
                .bend((x + reach, from), x + lean * level * 0.6, from)
                .close();
            easel.pen.fill(&leaf, easel.second);
        }
        easel.pen.oval(x + lean, y - tall - 3.0, 5.0 * wide, 6.0, easel.accent);
    }
}

fn zigzag(easel: &mut Easel, pot: &Lathe) {
    let (upper, lower) = (pot.level(0.22), pot.level(0.46));
    let points: Vec<(f64, f64)> = (-8..=8_i32)
        .map(|step| {
            let angle = f64::from(step) * 0.196;
            pot.point(angle.sin(), if step % 2 == 0 { upper + 10.0 } else { lower - 10.0 })
        })
        .collect();
    easel.pen.line(&Path::along(&points), easel.second, 8.0);
    easel.pen.line(&pot.around(upper - 2.0), easel.second, 4.0);
    easel.pen.line(&pot.around(lower + 2.0), easel.accent, 4.0);
}

fn checks(easel: &mut Easel, pot: &Lathe) {
    for row in 0..3_i32 {
        let (upper, lower) =
            (pot.level(0.2 + f64::from(row) * 0.13), pot.level(0.33 + f64::from(row) * 0.13));
        for step in -5..=4_i32 {
            if (step + row).rem_euclid(2) == 0 {
                continue;
            }
            let (a, b) = ((f64::from(step) * 0.32).sin(), (f64::from(step + 1) * 0.32).sin());
            let corners =
                [pot.point(a, upper), pot.point(b, upper), pot.point(b, lower), pot.point(a, lower)];
            easel.pen.fill(&Path::polygon(&corners), easel.second);
        }
    }
}
