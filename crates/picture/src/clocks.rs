//! Clocks.

use crate::easel::Easel;
use crate::palette::{Colour, GLOW, INK};
use crate::pen::Path;
use crate::tint::named::{BRASS, CHALK};

/// The face of a clock: bars or dots, two hands, a second hand.
fn face(easel: &mut Easel, cx: f64, cy: f64, r: f64, paper: Colour) {
    easel.pen.dot(cx, cy, r, paper);
    easel.pen.inside(&Path::oval(cx, cy, r, r));
    easel.pen.dim(&Path::oval(cx, cy, r + 9.0, r + 9.0).with(&hole(cx + 6.0, cy + 7.0, r + 1.0)), 16);
    let ink = if paper.brightness() > 130.0 { INK } else { CHALK };
    let bars = easel.dice.chance(60);
    for hour in 0..12_u32 {
        let angle = f64::from(hour) * std::f64::consts::TAU / 12.0;
        let (s, c) = (angle.sin(), -angle.cos());
        let main = hour % 3 == 0;
        if bars {
            let from = if main { 0.7 } else { 0.78 };
            let bar = Path::at(cx + s * r * from, cy + c * r * from).to(cx + s * r * 0.88, cy + c * r * 0.88);
            easel.pen.line(&bar, ink, r * if main { 0.06 } else { 0.035 });
        } else {
            easel.pen.dot(cx + s * r * 0.82, cy + c * r * 0.82, r * if main { 0.055 } else { 0.032 }, ink);
        }
    }
    // The hands stand as in a shop window, near ten past ten.
    let minutes = easel.dice.between(5.0, 14.0);
    for (turn, long, wide) in [(300.0 + minutes / 2.0, 0.48, 0.075), (minutes * 6.0, 0.7, 0.055)] {
        let (s, c) = (f64::to_radians(turn).sin(), -f64::to_radians(turn).cos());
        let hand = Path::at(cx - s * r * 0.1, cy - c * r * 0.1).to(cx + s * r * long, cy + c * r * long);
        easel.pen.line(&hand, ink, r * wide);
    }
    let second = f64::to_radians(easel.dice.between(130.0, 250.0));
    easel.pen.line(
        &Path::at(cx, cy).to(cx + second.sin() * r * 0.74, cy - second.cos() * r * 0.74),
        easel.accent,
        r * 0.022,
    );
    easel.pen.dot(cx, cy, r * 0.06, easel.accent);
    easel.pen.close();
}

/// A circle that is drawn the other way round, to cut a hole into the shape before it.
fn hole(cx: f64, cy: f64, r: f64) -> Path {
    Path::at(cx - r, cy).arc(r, r, false, cx + r, cy).arc(r, r, false, cx - r, cy).close()
}

/// The paper of a face: pale, unless the case is.
fn paper(easel: &mut Easel) -> Colour {
    if easel.main.brightness() > 190.0 { easel.accent.mix(INK, 6) } else { CHALK }
}

/// A round wall clock.
pub fn clock(easel: &mut Easel) {
    easel.wall();
    let (r, ring) = (easel.dice.between(168.0, 182.0), easel.dice.between(14.0, 34.0));
    easel.cast(&Path::oval(240.0, 240.0, r, r), 13.0, 18.0);
    easel.pen.dot(240.0, 240.0, r, easel.main);
    easel.pen.inside(&Path::oval(240.0, 240.0, r, r));
    easel.pen.dim(&Path::oval(240.0, 240.0, r + 30.0, r + 30.0).with(&hole(228.0, 226.0, r)), 22);
    easel.pen.close();
    let light = Path::at(240.0 - r * 0.93, 212.0).arc(r * 0.95, r * 0.95, true, 212.0, 240.0 - r * 0.93);
    easel.pen.line(&light, easel.main.lit(), 6.0);
    let paper = if easel.main.brightness() > 190.0 { CHALK.mix(GLOW, 50) } else { paper(easel) };
    if easel.main.brightness() > 190.0 {
        easel.pen.dot(240.0, 240.0, r - ring, easel.main.deep());
    }
    easel.seen = (easel.main, Some(paper));
    face(easel, 240.0, 240.0, r - ring - 3.0, paper);
}

/// A clock with two bells.
pub fn alarm(easel: &mut Easel) {
    easel.table(0.0);
    let (r, cy) = (easel.dice.between(126.0, 136.0), 262.0);
    easel.shadow(240.0, 400.0, 104.0);
    let metal = if easel.ground.distance(BRASS) > 45.0 { BRASS } else { easel.main.lit() };
    for side in [-1.0, 1.0] {
        let leg = Path::at(240.0 + 66.0 * side, cy + 92.0).to(240.0 + 98.0 * side, 396.0);
        easel.tube(&leg, easel.main.mix(INK, 18), 19.0);
        easel.pen.turned(33.0 * side, 240.0, cy);
        easel.pen.slab(233.0, cy - r - 30.0, 14.0, 40.0, 0.0, BRASS.dim());
        let bell = Path::at(178.0, cy - r - 14.0)
            .curve((180.0, cy - r - 76.0), (300.0, cy - r - 76.0), 302.0, cy - r - 14.0)
            .bend((240.0, cy - r - 4.0), 178.0, cy - r - 14.0)
            .close();
        easel.pen.fill(&bell, metal);
        easel.pen.inside(&bell);
        easel.pen.dim(&Path::rounded(256.0, cy - r - 80.0, 60.0, 80.0, 0.0), 18);
        easel.pen.close();
        easel.pen.lit(&Path::oval(212.0, cy - r - 36.0, 8.0, 15.0), 45);
        easel.pen.dot(240.0, cy - r - 64.0, 9.0, metal.dim());
        easel.pen.close();
    }
    easel.tube(
        &Path::at(206.0, cy - r + 4.0).curve(
            (196.0, cy - r - 78.0),
            (284.0, cy - r - 78.0),
            274.0,
            cy - r + 4.0,
        ),
        easel.accent,
        10.0,
    );
    easel.pen.dot(240.0, cy, r, easel.main);
    easel.pen.inside(&Path::oval(240.0, cy, r, r));
    easel.pen.dim(&Path::oval(240.0, cy, r + 30.0, r + 30.0).with(&hole(230.0, cy - 11.0, r)), 24);
    easel.pen.close();
    let light = Path::at(240.0 - r * 0.93, cy - 20.0).arc(r * 0.94, r * 0.94, true, 220.0, cy - r * 0.93);
    easel.pen.line(&light, easel.main.lit(), 6.0);
    let paper = paper(easel);
    easel.seen = (easel.main, Some(paper));
    face(easel, 240.0, cy, r - 22.0, paper);
}

/// A clock for the shelf.
pub fn mantel(easel: &mut Easel) {
    easel.table(12.0);
    let wood = easel.wood();
    easel.seen = (wood, Some(BRASS));
    let (half, top, base) = (easel.dice.between(112.0, 142.0), easel.dice.between(142.0, 170.0), 400.0);
    let arch = easel.dice.chance(60);
    easel.shadow(240.0, base - 4.0, half);
    let (l, r) = (240.0 - half, 240.0 + half);
    let round = if arch { half } else { easel.dice.between(10.0, 40.0) };
    let block = Path::at(l, base)
        .to(l, top + round)
        .arc(round, round, true, l + round, top)
        .to(r - round, top)
        .arc(round, round, true, r, top + round)
        .to(r, base)
        .close();
    easel.pen.placed(16.0, -3.0, 1.0);
    easel.pen.fill(&block, wood.deep());
    easel.pen.close();
    easel.pen.fill(&block, wood);
    easel.pen.inside(&block);
    for line in 0..7_u32 {
        let y = top + 20.0 + f64::from(line) * 38.0;
        let sway = easel.dice.between(-12.0, 12.0);
        easel.pen.line(
            &Path::at(l, y).curve((200.0, y + sway), (280.0, y - sway), r, y + sway),
            wood.mix(INK, 13),
            3.0,
        );
    }
    easel.pen.lit(&Path::polygon(&[(l, top), (l + half, top), (l, base - 40.0)]), 16);
    easel.pen.close();
    easel.pen.slab(l - 14.0, base - 20.0, half * 2.0 + 36.0, 24.0, 4.0, wood.mix(INK, 24));
    let dial = (half - 22.0).min(94.0);
    let cy = if arch { top + half + 4.0 } else { f64::midpoint(top, base) - 8.0 };
    easel.pen.dot(243.0, cy + 4.0, dial + 10.0, wood.deep());
    easel.pen.dot(240.0, cy, dial + 10.0, BRASS);
    face(easel, 240.0, cy, dial, CHALK);
}
