//! Lamps and candles.

use crate::easel::Easel;
use crate::glaze::glaze;
use crate::lathe::Lathe;
use crate::palette::{Colour, GLOW, INK};
use crate::pen::Path;
use crate::tint::named::{BRASS, CHALK, CREAM};

/// Light around a lamp.
fn halo(easel: &mut Easel, cx: f64, cy: f64, r: f64) {
    easel.pen.sheer(30);
    easel.pen.dot(cx, cy, r, GLOW);
    easel.pen.close();
}

/// A shade: a cone of cloth, lit from inside.
fn shade(easel: &mut Easel, cx: f64, top: f64, low: f64, radii: (f64, f64), cloth: Colour) {
    let cone = Lathe::new(cx, 0.15, &[(top, radii.0), (low, radii.1)]).matte();
    let pleats = easel.dice.chance(50);
    cone.paint(easel, cloth, |easel, cone| {
        if pleats {
            let pleats = (-5..=5_i32).map(|step| cone.seam((f64::from(step) * 0.29).sin()));
            let pleats = pleats.fold(Path::none(), |all, pleat| all.with(&pleat));
            easel.pen.line(&pleats, cloth.mix(INK, 12), 2.5);
        }
        easel.pen.fill(&cone.ring(low - 9.0, low + 3.0), cloth.mix(INK, 22));
        easel.pen.fill(&cone.ring(top - 3.0, top + 7.0), cloth.mix(INK, 22));
    });
    cone.cap(easel, cloth.mix(GLOW, 70));
}

/// A table lamp.
pub fn lamp(easel: &mut Easel) {
    easel.table(0.0);
    let base = 396.0;
    let (r, top) = (easel.dice.between(70.0, 94.0), easel.dice.between(236.0, 250.0));
    let at = |part: f64| top + (base - top) * part;
    halo(easel, 240.0, 170.0, 196.0);
    easel.shadow(240.0, base + 4.0, r * 0.9);
    easel.pen.slab(235.0, top - 30.0, 10.0, 40.0, 0.0, BRASS.dim());
    let body = match easel.dice.below(3) {
        0 => vec![(top, 14.0), (at(0.16), 26.0), (at(0.58), r), (at(0.9), r * 0.74), (base, r * 0.66)],
        1 => vec![
            (top, 16.0),
            (at(0.14), r * 0.5),
            (at(0.34), r * 0.54),
            (at(0.52), r * 0.74),
            (at(0.74), r),
            (at(0.93), r * 0.84),
            (base, r * 0.68),
        ],
        _ => {
            vec![(top, 16.0), (at(0.1), r * 0.58), (at(0.22), r * 0.8), (at(0.6), r * 0.86), (base, r * 0.84)]
        }
    };
    Lathe::new(240.0, 0.18, &body).paint(easel, easel.main, glaze);
    let (narrow, wide) = (easel.dice.between(64.0, 108.0), easel.dice.between(136.0, 158.0));
    let low = easel.dice.between(222.0, 236.0);
    let cloth = if easel.second.distance(easel.ground) > 50.0 { easel.second } else { CHALK };
    easel.seen = (easel.main, Some(cloth));
    let high = easel.dice.between(70.0, 96.0);
    shade(easel, 240.0, high, low, (narrow, wide), cloth);
}

/// A lamp with an arm.
pub fn desklight(easel: &mut Easel) {
    easel.table(0.0);
    let foot = Lathe::new(196.0, 0.24, &[(382.0, 76.0), (396.0, 78.0)]);
    easel.shadow(196.0, 398.0, 82.0);
    foot.plain(easel, easel.main);
    foot.cap(easel, easel.main.lit());
    let elbow = (easel.dice.between(106.0, 136.0), easel.dice.between(210.0, 244.0));
    let head = (easel.dice.between(286.0, 312.0), easel.dice.between(104.0, 126.0));
    let light = Path::polygon(&[
        (head.0 - 26.0, head.1 + 80.0),
        (head.0 + 90.0, head.1 + 36.0),
        (460.0, 396.0),
        (236.0, 396.0),
    ]);
    easel.pen.lit(&light, 34);
    let arm = if easel.dice.chance(50) {
        Path::at(196.0, 382.0).to(elbow.0, elbow.1).to(head.0, head.1)
    } else {
        Path::at(196.0, 382.0).curve((180.0, 160.0), (200.0, 40.0), head.0, head.1)
    };
    easel.tube(&arm, easel.main.mix(INK, 10), 11.0);
    if easel.dice.chance(60) {
        easel.pen.dot(196.0, 380.0, 12.0, easel.accent);
    }
    easel.pen.turned(-28.0, head.0, head.1);
    let cone = Lathe::new(
        head.0,
        0.22,
        &[(head.1 - 22.0, 22.0), (head.1 - 6.0, 30.0), (head.1 + 24.0, 54.0), (head.1 + 70.0, 84.0)],
    );
    easel.pen.oval(head.0, head.1 + 76.0, 30.0, 20.0, Colour { word: "light", rgb: 0xfb_e3a0 });
    cone.plain(easel, easel.main);
    easel.pen.line(&cone.around(head.1 + 66.0), easel.second, 6.0);
    cone.cap(easel, easel.main.lit());
    easel.pen.close();
}

/// A paper lantern.
pub fn globe(easel: &mut Easel) {
    easel.wall();
    let (r, cy) = (easel.dice.between(140.0, 160.0), easel.dice.between(248.0, 266.0));
    let squash = easel.dice.between(0.82, 1.04);
    let paper = if easel.tinted { easel.main } else { CREAM };
    easel.seen = (paper, Some(easel.accent));
    halo(easel, 240.0, cy, r * 1.32);
    easel.pen.line(&Path::at(240.0, 0.0).to(240.0, cy - r * squash), INK, 4.0);
    let ball = Path::oval(240.0, cy, r, r * squash);
    easel.pen.fill(&ball, paper);
    easel.pen.inside(&ball);
    easel.pen.lit(&Path::oval(220.0, cy - 14.0, r * 0.66, r * squash * 0.66), 45);
    let ribs = easel.dice.pick([9, 11, 13]);
    for rib in 1..ribs {
        let level = f64::from(rib) / f64::from(ribs) * 2.0 - 1.0;
        let (half, y) = ((1.0 - level * level).sqrt() * r, cy + level * r * squash);
        let line = Path::at(240.0 - half, y).bend((240.0, y + half * 0.26), 240.0 + half, y);
        easel.pen.line(&line, paper.mix(INK, 17), 2.5);
    }
    let side = Path::at(240.0 + r * 0.3, cy - r * 1.1)
        .bend((240.0 + r * 0.96, cy), 240.0 + r * 0.16, cy + r * 1.1)
        .to(420.0, cy + r * 1.1)
        .to(420.0, cy - r * 1.1)
        .close();
    easel.pen.dim(&side, 12);
    easel.pen.close();
    easel.pen.oval(240.0, cy - r * squash + 4.0, 34.0, 9.0, easel.accent);
    easel.pen.oval(240.0, cy + r * squash - 3.0, 34.0, 9.0, easel.accent.deep());
}

/// A lantern with a candle.
pub fn lantern(easel: &mut Easel) {
    easel.table(0.0);
    easel.seen = (easel.main, None);
    let (half, top, base) = (easel.dice.between(84.0, 98.0), easel.dice.between(184.0, 200.0), 392.0);
    easel.shadow(240.0, base + 4.0, half + 10.0);
    let (left, right) = (240.0 - half, 240.0 + half);
    let roof = easel.dice.between(62.0, 84.0);
    easel.tube(&Path::oval(240.0, top - roof - 46.0, 32.0, 32.0), easel.main, 9.0);
    easel.pen.slab(left, top, half * 2.0, base - top, 0.0, easel.ground.mix(GLOW, 45));
    halo(easel, 240.0, 290.0, 84.0);
    let wax = Lathe::new(240.0, 0.2, &[(306.0, 30.0), (378.0, 30.0)]);
    wax.plain(easel, CREAM);
    wax.cap(easel, CREAM.lit());
    easel.flame(240.0, 302.0, 46.0);
    easel.pen.sheer(40);
    easel.pen.fill(
        &Path::polygon(&[
            (left + 18.0, base),
            (left + 18.0, top + 90.0),
            (left + 84.0, top),
            (left + 112.0, top),
        ]),
        GLOW,
    );
    easel.pen.close();
    let bars = easel.dice.pick([0, 1, 2]);
    for bar in 1..=bars {
        let x = left + half * 2.0 * f64::from(bar) / f64::from(bars + 1);
        easel.pen.slab(x - 3.0, top, 6.0, base - top, 0.0, easel.main.dim());
    }
    easel.pen.slab(left - 4.0, top - 4.0, 16.0, base - top + 4.0, 0.0, easel.main);
    easel.pen.slab(right - 12.0, top - 4.0, 16.0, base - top + 4.0, 0.0, easel.main.dim());
    easel.pen.slab(left - 14.0, base - 18.0, half * 2.0 + 28.0, 26.0, 4.0, easel.main);
    easel.pen.slab(left - 14.0, base - 2.0, half * 2.0 + 28.0, 10.0, 4.0, easel.main.deep());
    let hat = Path::at(left - 20.0, top)
        .to(232.0 - 16.0, top - roof)
        .to(264.0, top - roof)
        .to(right + 20.0, top)
        .close();
    easel.pen.fill(&hat, easel.main);
    easel.pen.dim(
        &Path::polygon(&[(246.0, top - roof), (264.0, top - roof), (right + 20.0, top), (286.0, top)]),
        18,
    );
    easel.pen.slab(left - 24.0, top - 4.0, half * 2.0 + 48.0, 14.0, 5.0, easel.main.lit());
    easel.pen.slab(218.0, top - roof - 14.0, 44.0, 18.0, 4.0, easel.main.dim());
}

/// Candles in their sticks.
pub fn candle(easel: &mut Easel) {
    easel.table(0.0);
    let thrown = easel.dice.pick([BRASS, easel.main]);
    let clear = easel.ground.distance(BRASS) > 45.0 && !easel.tinted;
    let holder = if clear { thrown } else { easel.main };
    let wax = if easel.second.distance(easel.ground) > 60.0 { easel.second } else { CHALK };
    easel.seen = (wax, Some(holder));
    let tall = easel.dice.between(0.0, 40.0);
    for (cx, base, top) in [(318.0, 376.0, 216.0 - tall * 0.4), (178.0, 394.0, 246.0 - tall)] {
        let at = |part: f64| top + (base - top) * part;
        easel.shadow(cx, base + 4.0, 56.0);
        let long = easel.dice.between(118.0, 150.0);
        let taper = Lathe::new(cx, 0.18, &[(top - long, 10.0), (top + 12.0, 15.0)]);
        taper.plain(easel, wax);
        taper.cap(easel, wax.lit());
        easel.flame(cx, top - long - 2.0, 44.0);
        let knop = at(easel.dice.between(0.42, 0.6));
        let stick = Lathe::new(
            cx,
            0.22,
            &[
                (top, 26.0),
                (top + 10.0, 22.0),
                (top + 26.0, 11.0),
                (knop - 12.0, 11.0),
                (knop, 21.0),
                (knop + 12.0, 11.0),
                (base - 26.0, 13.0),
                (base - 8.0, 50.0),
                (base, 58.0),
            ],
        );
        stick.plain(easel, holder);
        easel.pen.line(&Path::at(cx - 26.0, top).arc(26.0, 5.7, false, cx + 26.0, top), holder.lit(), 4.0);
    }
}

/// A light in a small glass.
pub fn tealight(easel: &mut Easel) {
    easel.table(30.0);
    let (r, top, base) = (easel.dice.between(112.0, 132.0), easel.dice.between(208.0, 236.0), 392.0);
    let (round, foot) = (easel.dice.between(0.94, 1.1), easel.dice.between(0.62, 0.86));
    halo(easel, 240.0, top + 30.0, 190.0);
    easel.shadow(240.0, base + 6.0, r * foot);
    let pot = Lathe::new(240.0, 0.2, &[(top, r), (top + (base - top) * 0.55, r * round), (base, r * foot)]);
    let back = easel.main.mix(GLOW, 30);
    easel.pen.oval(240.0, top, r, r * 0.2, back);
    easel.flame(240.0, top + 34.0, 62.0);
    let front = Path::at(240.0 - r, top).arc(r, r * 0.2, false, 240.0 + r, top);
    easel.pen.sheer(86);
    pot.paint(easel, easel.main, |easel, pot| {
        // The light shines through below the rim.
        glaze(easel, pot);
        easel.pen.lit(&pot.ring(top - 4.0, top + 58.0), 22);
        easel.pen.lit(&pot.ring(top - 4.0, top + 28.0), 22);
    });
    easel.pen.close();
    easel.pen.oval(240.0, top, r, r * 0.2, easel.main.mix(INK, 20));
    easel.pen.oval(240.0, top + 2.0, r - 8.0, r * 0.2 - 5.0, Colour { word: "wax", rgb: 0xf7_dfae });
    easel.flame(240.0, top + 6.0, 66.0);
    easel.pen.line(&front, easel.main.lit(), 5.0);
}
