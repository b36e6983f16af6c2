//! What things are carried in, and what keeps the rain off.

use crate::easel::Easel;
use crate::lathe::Lathe;
use crate::palette::{Colour, GLOW, INK};
use crate::pattern::{Motif, flower};
use crate::pen::{Paint, Path};
use crate::tint::named::{BRASS, KRAFT, OAK, STRAW};

/// A woven basket.
pub fn basket(easel: &mut Easel) {
    easel.table(12.0);
    let (r, top, base) = (easel.dice.between(136.0, 156.0), easel.dice.between(222.0, 246.0), 392.0);
    let foot = easel.dice.between(0.68, 0.9);
    let thrown = easel.dice.pick([STRAW, KRAFT, OAK]);
    let cane = if easel.tinted { easel.main } else { thrown };
    easel.seen = (cane, Some(easel.accent));
    easel.shadow(240.0, base + 6.0, r * foot);
    let body = Lathe::new(
        240.0,
        0.19,
        &[(top, r), (top + (base - top) * 0.5, r * f64::midpoint(1.06, foot)), (base, r * foot)],
    )
    .matte();
    let handle = easel.dice.below(3);
    if handle == 0 {
        let path = Path::at(240.0 - r + 16.0, top).curve(
            (150.0, top - 190.0),
            (330.0, top - 190.0),
            240.0 + r - 16.0,
            top,
        );
        easel.tube(&path, cane.mix(INK, 12), 17.0);
    } else if handle == 1 {
        let behind =
            Path::at(196.0, top - 16.0).curve((196.0, top - 130.0), (310.0, top - 130.0), 310.0, top - 16.0);
        easel.pen.line(&behind, easel.accent.deep(), 11.0);
    }
    body.paint(easel, cane, |easel, body| strands(easel, body, cane));
    body.mouth(easel, 12.0, cane.mix(GLOW, 20), cane.mix(INK, 30));
    easel.pen.stitch(&Path::oval(240.0, top, r - 6.0, r * 0.19 - 3.5), cane.mix(INK, 32), 11.0, 4.0);
    if handle == 1 {
        let path =
            Path::at(182.0, top + 62.0).curve((176.0, top - 100.0), (296.0, top - 100.0), 290.0, top + 62.0);
        easel.tube(&path, easel.accent, 12.0);
    } else if handle == 2 {
        for side in [-1.0, 1.0] {
            let x = 240.0 + r * side;
            easel.tube(
                &Path::at(x - 6.0 * side, top + 12.0).curve(
                    (x + 34.0 * side, top + 2.0),
                    (x + 30.0 * side, top + 62.0),
                    x - 12.0 * side,
                    top + 56.0,
                ),
                cane.mix(INK, 12),
                13.0,
            );
        }
    }
}

/// The weave: rows of short strands, each row shifted by half a strand.
fn strands(easel: &mut Easel, body: &Lathe, cane: Colour) {
    let rows = easel.dice.pick([7_u32, 8, 9]);
    let band = if easel.dice.chance(65) { easel.dice.pick([2, 3]) } else { 99 };
    for row in 0..rows {
        let part = |shift: f64| (f64::from(row) + shift) / f64::from(rows);
        let (upper, lower) = (body.level(part(0.0)), body.level(part(1.0)));
        let y = f64::midpoint(upper, lower);
        let high = (lower - upper) * 0.82;
        let painted = row == band || row == band + 2;
        let strand = if painted { easel.accent } else { cane.mix(GLOW, 14) };
        easel.pen.fill(
            &body.ring(upper, lower),
            if painted { easel.accent.mix(INK, 22) } else { cane.mix(INK, 20) },
        );
        let mut path = Path::none();
        for step in -5..=5_i32 {
            let angle = (f64::from(step) + if row % 2 == 0 { 0.0 } else { 0.5 }) * 0.3;
            let (a, b) = (body.point((angle - 0.11).sin(), y), body.point((angle + 0.11).sin(), y));
            path = path.and(a.0, a.1).to(b.0, b.1);
        }
        easel.pen.line(&path, strand, high * 0.72);
    }
}

/// A bag with handles.
pub fn bag(easel: &mut Easel) {
    easel.table(0.0);
    let (top, base) = (easel.dice.between(186.0, 206.0), 404.0);
    let (half, foot) = (easel.dice.between(124.0, 138.0), easel.dice.between(116.0, 146.0));
    let (reach, grip) = (easel.dice.between(96.0, 150.0), easel.dice.between(50.0, 64.0));
    easel.shadow(240.0, base - 6.0, foot);
    let strap = |shift: f64, y: f64| {
        let peak = top - reach * 1.3;
        Path::at(240.0 - grip + shift, y).curve(
            (240.0 - grip + shift, peak),
            (240.0 + grip + shift, peak),
            240.0 + grip + shift,
            y,
        )
    };
    easel.pen.line(&strap(14.0, top + 4.0), easel.accent.deep(), 13.0);
    let shape = Path::at(240.0 - half, top)
        .bend((240.0, top + 10.0), 240.0 + half, top)
        .to(240.0 + foot, base - 16.0)
        .bend((240.0 + foot, base), 240.0 + foot - 18.0, base)
        .to(240.0 - foot + 18.0, base)
        .bend((240.0 - foot, base), 240.0 - foot, base - 16.0)
        .close();
    easel.pen.fill(
        &Path::at(240.0 - half, top)
            .bend((240.0, top - 16.0), 240.0 + half, top)
            .bend((240.0, top + 10.0), 240.0 - half, top)
            .close(),
        easel.main.deep(),
    );
    let motif = easel.motif([
        Motif::Dots,
        Motif::Stripes,
        Motif::Flowers,
        Motif::Leaves,
        Motif::Checks,
        Motif::Waves,
        Motif::Stars,
        Motif::Diamonds,
    ]);
    let cloth = easel.weave(motif, (48.0, 66.0), 0.0);
    let panel = easel.wanted.is_none() && easel.dice.chance(45);
    easel.pen.fill(&shape, if panel { Paint::from(easel.main) } else { cloth });
    easel.pen.inside(&shape);
    if panel {
        easel.pen.slab(90.0, f64::midpoint(top, base) + 8.0, 300.0, 200.0, 0.0, cloth);
        easel.pen.slab(90.0, f64::midpoint(top, base), 300.0, 9.0, 0.0, easel.accent);
    }
    bag_light(easel, (half, foot), (top, base));
    easel.pen.close();
    easel.pen.line(
        &Path::at(240.0 - half, top).bend((240.0, top + 10.0), 240.0 + half, top),
        easel.accent,
        7.0,
    );
    easel.tube(&strap(0.0, top + 52.0), easel.accent, 14.0);
}

/// Light and shadow of a bag: half its width above and below, its top and its base.
fn bag_light(easel: &mut Easel, (half, foot): (f64, f64), (top, base): (f64, f64)) {
    easel.pen.dim(
        &Path::polygon(&[
            (240.0 + half - 34.0, top),
            (240.0 + half + 40.0, top),
            (240.0 + foot + 40.0, base),
            (240.0 + foot - 64.0, base),
        ]),
        15,
    );
    easel.pen.dim(
        &Path::at(90.0, base - 30.0)
            .bend((240.0, base - 12.0), 390.0, base - 40.0)
            .to(390.0, base + 10.0)
            .to(90.0, base + 10.0)
            .close(),
        12,
    );
    easel.pen.lit(
        &Path::polygon(&[
            (240.0 - half + 14.0, top),
            (240.0 - half + 32.0, top),
            (240.0 - foot + 30.0, base),
            (240.0 - foot + 14.0, base),
        ]),
        22,
    );
}

/// A purse with a clasp.
pub fn purse(easel: &mut Easel) {
    easel.table(32.0);
    let (half, top, base) = (easel.dice.between(138.0, 152.0), easel.dice.between(206.0, 226.0), 400.0);
    easel.shadow(240.0, base - 6.0, half * 0.84);
    let shape = Path::at(240.0 - half + 34.0, top)
        .to(240.0 + half - 34.0, top)
        .curve((240.0 + half + 26.0, top + 80.0), (240.0 + half, base), 240.0 + half - 60.0, base)
        .to(240.0 - half + 60.0, base)
        .curve((240.0 - half, base), (240.0 - half - 26.0, top + 80.0), 240.0 - half + 34.0, top)
        .close();
    let motif = easel.motif([
        Motif::Flowers,
        Motif::Dots,
        Motif::Waves,
        Motif::Tiles,
        Motif::Stars,
        Motif::Diamonds,
        Motif::Leaves,
    ]);
    let cloth = easel.weave(motif, (42.0, 58.0), 0.0);
    easel.pen.fill(&shape, cloth);
    easel.pen.inside(&shape);
    for pleat in [-0.5, -0.2, 0.2, 0.5] {
        let x = 240.0 + half * pleat;
        easel.pen.dim(&Path::polygon(&[(x - 3.0, top), (x + 5.0, top), (x + pleat * 22.0, top + 70.0)]), 26);
    }
    easel.pen.dim(
        &Path::at(330.0, top - 10.0)
            .curve((372.0, top + 90.0), (340.0, base - 30.0), 200.0, base - 8.0)
            .to(200.0, base + 10.0)
            .to(430.0, base + 10.0)
            .to(430.0, top - 10.0)
            .close(),
        16,
    );
    easel.pen.lit(
        &Path::blob(&[(122.0, top + 66.0), (150.0, top + 36.0), (144.0, top + 80.0), (122.0, top + 120.0)]),
        28,
    );
    easel.pen.close();
    let metal = if easel.ground.distance(BRASS) > 45.0 { BRASS } else { easel.accent };
    let bow = Path::at(240.0 - half + 30.0, top + 8.0).curve(
        (240.0 - half + 44.0, top - 30.0),
        (240.0 + half - 44.0, top - 30.0),
        240.0 + half - 30.0,
        top + 8.0,
    );
    easel.tube(&bow, metal, 17.0);
    for (x, turn) in [(228.0, -24.0), (252.0, 24.0)] {
        easel.pen.turned(turn, x, top - 22.0);
        easel.pen.slab(x - 5.0, top - 46.0, 10.0, 26.0, 3.0, metal.dim());
        easel.pen.close();
        easel.pen.dot(
            240.0 + (x - 240.0) * 1.7,
            top - 48.0,
            12.0,
            if x < 240.0 { metal } else { metal.dim() },
        );
    }
}

/// An open umbrella.
pub fn umbrella(easel: &mut Easel) {
    easel.wall();
    let (half, top, low) = (easel.dice.between(174.0, 188.0), easel.dice.between(70.0, 90.0), 252.0);
    easel.pen.turned(easel.dice.between(-12.0, 12.0), 240.0, 240.0);
    let hook =
        Path::at(240.0, top - 24.0).to(240.0, 400.0).curve((240.0, 440.0), (292.0, 440.0), 292.0, 402.0);
    easel.tube(&hook, OAK, 12.0);
    let (count, step) = (5, half * 2.0 / 5.0);
    let mut dome = Path::at(240.0 - half, low)
        .curve((240.0 - half + 6.0, top + 30.0), (170.0, top), 240.0, top)
        .curve((310.0, top), (240.0 + half - 6.0, top + 30.0), 240.0 + half, low);
    for arch in 0..count {
        let x = 240.0 + half - step * f64::from(arch);
        dome = dome.bend((x - step / 2.0, low - 34.0), x - step, low);
    }
    let dome = dome.close();
    easel.cast(&dome, 9.0, 14.0);
    let motif = easel.motif([Motif::Dots, Motif::Stripes, Motif::Flowers, Motif::Waves, Motif::Stars]);
    let panels = easel.wanted.is_none() && easel.dice.chance(50);
    let cloth = easel.weave(motif, (56.0, 56.0), 0.0);
    easel.pen.fill(&dome, if panels { Paint::from(easel.main) } else { cloth });
    easel.pen.inside(&dome);
    let rib = |at: f64| {
        let x = 240.0 - half + step * at;
        ((240.0 + (x - 240.0) * 0.86, top + 60.0 + (x - 240.0).abs() * 0.12), (x, low))
    };
    for arch in [1.0, 3.0] {
        let ((a, b), (c, d)) = (rib(arch), rib(arch + 1.0));
        let panel = Path::at(240.0, top).bend(a, b.0, b.1).to(d.0, d.1).bend(c, 240.0, top).close();
        if panels {
            easel.pen.fill(&panel, easel.second);
        }
        easel.pen.dim(&panel, 7);
    }
    easel.pen.dim(
        &Path::at(270.0, top - 10.0)
            .bend((350.0, 150.0), 330.0, low + 6.0)
            .to(450.0, low + 6.0)
            .to(450.0, top - 10.0)
            .close(),
        15,
    );
    for at in 1..count {
        let (towards, end) = rib(f64::from(at));
        easel.pen.line(&Path::at(240.0, top).bend(towards, end.0, end.1), easel.main.deep(), 2.5);
    }
    easel.pen.close();
    easel.pen.slab(236.0, top - 30.0, 8.0, 34.0, 4.0, easel.accent);
    easel.pen.close();
}

/// A small flower for what is plain.
pub fn blossom(easel: &mut Easel, x: f64, y: f64, r: f64) {
    let (petal, heart) = (easel.second, easel.accent);
    flower(&mut easel.pen, x, y, r, petal, heart);
}
