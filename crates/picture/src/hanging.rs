//! What hangs on a string or is put up for a feast: hearts, stars, baubles, flags, birds, beads.

use crate::carried::blossom;
use crate::easel::Easel;
use crate::pattern::{Motif, Yarn, star, weave};
use crate::pen::{Paint, Path};
use crate::tint::named::{BRASS, KRAFT};

/// A heart; `r` is about half its width.
pub fn heart_path(x: f64, y: f64, r: f64) -> Path {
    Path::at(x, y - r * 0.5)
        .curve((x + r * 0.3, y - r * 1.15), (x + r * 1.25, y - r * 1.05), x + r * 1.04, y - r * 0.2)
        .curve((x + r * 0.9, y + r * 0.36), (x + r * 0.3, y + r * 0.7), x, y + r)
        .curve((x - r * 0.3, y + r * 0.7), (x - r * 0.9, y + r * 0.36), x - r * 1.04, y - r * 0.2)
        .curve((x - r * 1.25, y - r * 1.05), (x - r * 0.3, y - r * 1.15), x, y - r * 0.5)
        .close()
}

/// A string from the top of the picture, with a bow where it ends.
fn string(easel: &mut Easel, y: f64) {
    easel.pen.line(&Path::at(240.0, 0.0).to(240.0, y), KRAFT.deep(), 4.5);
}

fn bow(easel: &mut Easel, x: f64, y: f64) {
    for side in [-1.0, 1.0] {
        easel.pen.line(&Path::at(x, y).to(x + 22.0 * side, y + 40.0), easel.accent.dim(), 8.0);
        let wing = Path::at(x, y)
            .curve((x + 16.0 * side, y - 40.0), (x + 66.0 * side, y - 32.0), x + 50.0 * side, y + 4.0)
            .bend((x + 34.0 * side, y + 16.0), x, y)
            .close();
        easel.pen.fill(&wing, if side < 0.0 { easel.accent } else { easel.accent.dim() });
    }
    easel.pen.dot(x, y, 10.0, easel.accent.lit());
}

/// A heart on a string.
pub fn heart(easel: &mut Easel) {
    easel.wall();
    let (r, cy) = (easel.dice.between(138.0, 150.0), 272.0);
    let shape = heart_path(240.0, cy, r);
    string(easel, cy - r * 0.5);
    easel.cast(&shape, 12.0, 17.0);
    let motif = easel.motif([
        Motif::Dots,
        Motif::Flowers,
        Motif::Checks,
        Motif::Stripes,
        Motif::Leaves,
        Motif::Plaid,
        Motif::Crosses,
    ]);
    let plain = easel.wanted.is_none() && easel.dice.chance(30);
    let degrees = if easel.dice.chance(40) { 45.0 } else { 0.0 };
    let cloth = easel.weave(motif, (42.0, 58.0), degrees);
    easel.pen.fill(&shape, if plain { Paint::from(easel.main) } else { cloth });
    easel.pen.inside(&shape);
    if plain {
        blossom(easel, 240.0, cy, 60.0);
    }
    let shadow = Path::at(300.0, cy - r * 1.1)
        .curve((360.0, cy - 30.0), (300.0, cy + 60.0), 180.0, cy + r)
        .to(260.0, cy + r + 20.0)
        .to(430.0, cy + 60.0)
        .to(430.0, cy - r * 1.1)
        .close();
    easel.pen.dim(&shadow, 14);
    easel.pen.close();
    easel.pen.stitch(&heart_path(240.0, cy - 1.0, r - 13.0), easel.accent, 3.5, 10.0);
    bow(easel, 240.0, cy - r * 0.56);
}

/// A star on a string.
pub fn hanging_star(easel: &mut Easel) {
    easel.wall();
    easel.seen = (easel.main, None);
    let (r, cy) = (easel.dice.between(158.0, 172.0), 268.0);
    let points = easel.dice.pick([5_u32, 5, 6, 8]);
    let waist = if points == 5 { 0.46 } else { easel.dice.between(0.44, 0.56) };
    string(easel, cy - r + 6.0);
    let shape = star(240.0, cy, r, points, waist);
    easel.cast(&shape, 12.0, 17.0);
    easel.pen.fill(&shape, easel.main);
    // Each ray is folded: one side in the light, one in shadow.
    for ray in 0..points {
        let step = std::f64::consts::PI / f64::from(points);
        let angle = f64::from(ray) * step * 2.0;
        let at = |angle: f64, reach: f64| (240.0 + reach * angle.sin(), cy - reach * angle.cos());
        let fold = Path::polygon(&[(240.0, cy), at(angle, r), at(angle + step, r * waist)]);
        easel.pen.dim(&fold, if angle.sin() + 0.4 > 0.0 { 20 } else { 12 });
        let light = Path::polygon(&[(240.0, cy), at(angle, r), at(angle - step, r * waist)]);
        easel.pen.lit(&light, if angle.cos() - angle.sin() > 0.2 { 26 } else { 8 });
    }
    let ring = easel.dice.below(3);
    if ring == 0 {
        easel.pen.line(&star(240.0, cy, r * 0.52, points, waist), easel.accent, 5.0);
    }
    if ring == 1 {
        easel.pen.fill(&star(240.0, cy, r * 0.36, points, waist), easel.second);
    }
    easel.pen.dot(240.0, cy - r + 12.0, 6.0, BRASS);
}

/// A bauble on a thread.
pub fn bauble(easel: &mut Easel) {
    easel.wall();
    let (rx, cy) = (easel.dice.between(124.0, 140.0), 276.0);
    let ry = rx * easel.dice.between(0.94, 1.14);
    string(easel, cy - ry - 30.0);
    easel.tube(&Path::oval(240.0, cy - ry - 30.0, 13.0, 13.0), BRASS, 6.0);
    let ball = Path::oval(240.0, cy, rx, ry);
    easel.cast(&ball, 14.0, 20.0);
    easel.pen.slab(214.0, cy - ry - 20.0, 52.0, 34.0, 5.0, BRASS);
    easel.pen.slab(244.0, cy - ry - 20.0, 22.0, 34.0, 5.0, BRASS.dim());
    easel.pen.fill(&ball, easel.main);
    easel.pen.inside(&ball);
    let motif = easel.motif([
        Motif::Diamonds,
        Motif::Stars,
        Motif::Dots,
        Motif::Crosses,
        Motif::Triangles,
        Motif::Flowers,
    ]);
    let yarn = Yarn { base: easel.second, figure: easel.main, accent: easel.accent };
    let print = weave(&mut easel.pen, motif, yarn, 50.0, 0.0);
    let band = easel.dice.between(52.0, 70.0);
    let around = |a: f64, b: f64| {
        Path::at(80.0, cy + a)
            .bend((240.0, cy + a + 44.0), 400.0, cy + a)
            .to(400.0, cy + b)
            .bend((240.0, cy + b + 44.0), 80.0, cy + b)
            .close()
    };
    easel.pen.fill(&around(-band - 24.0, -band - 12.0), easel.accent);
    easel.pen.fill(&around(-band, band - 16.0), print);
    easel.pen.fill(&around(band - 4.0, band + 8.0), easel.accent);
    easel.pen.dim(
        &Path::at(288.0, 100.0)
            .curve((330.0, 220.0), (310.0, 340.0), 180.0, cy + ry - 8.0)
            .to(240.0, 460.0)
            .to(420.0, 460.0)
            .to(420.0, 100.0)
            .close(),
        15,
    );
    easel.pen.dim(
        &Path::at(340.0, 140.0)
            .curve((366.0, 250.0), (340.0, 350.0), 240.0, cy + ry)
            .to(420.0, 460.0)
            .to(420.0, 140.0)
            .close(),
        14,
    );
    easel.pen.lit(
        &Path::blob(&[
            (152.0, cy - 20.0),
            (164.0, cy - 72.0),
            (204.0, cy - 96.0),
            (186.0, cy - 62.0),
            (168.0, cy - 18.0),
        ]),
        45,
    );
    easel.pen.close();
}

/// Flags on a string.
pub fn garland(easel: &mut Easel) {
    easel.wall();
    easel.seen = (easel.main, Some(easel.accent));
    let some = [Motif::Dots, Motif::Stripes, Motif::Checks, Motif::Flowers, Motif::Stars, Motif::Ticking];
    let (first, second) = (easel.motif(some), easel.dice.pick(some));
    let one = easel.weave(first, (36.0, 36.0), 0.0);
    let yarn = Yarn { base: easel.second, figure: easel.accent, accent: easel.main };
    let two = weave(&mut easel.pen, second, yarn, 36.0, 0.0);
    let paints = [one, Paint::from(easel.accent), two, Paint::from(easel.main)];
    let (size, round) = (easel.dice.between(96.0, 110.0), easel.dice.chance(25));
    for (row, (start, sag)) in [(70.0, 66.0), (256.0, 58.0)].into_iter().enumerate() {
        let level = |x: f64| start + sag * (1.0 - ((x - 240.0) / 260.0).powi(2));
        let mut x = -42.0 - if row == 0 { 0.0 } else { 50.0 };
        let mut flag = row * 2;
        while x < 480.0 {
            let (a, b) = ((x, level(x)), (x + 84.0, level(x + 84.0)));
            let (mx, my) = (f64::midpoint(a.0, b.0), f64::midpoint(a.1, b.1));
            let tip = (mx - (b.1 - a.1) * 0.7, my + size);
            let shape = if round {
                Path::at(a.0, a.1)
                    .curve((a.0 + 2.0, tip.1 + 20.0), (b.0 - 2.0, tip.1 + 20.0), b.0, b.1)
                    .close()
            } else {
                Path::polygon(&[a, b, tip])
            };
            easel.cast(&shape, 6.0, 10.0);
            easel.pen.fill(&shape, paints[flag % 4]);
            easel.pen.dim(&Path::polygon(&[(mx + 10.0, my), b, tip]), 12);
            flag += 1;
            x += 92.0;
        }
        let line = Path::at(-10.0, level(-10.0)).bend((240.0, start + sag * 2.0 + 2.0), 490.0, level(490.0));
        easel.pen.line(&line, KRAFT.deep(), 7.0);
    }
}
