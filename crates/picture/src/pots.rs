//! What stands on the table and is poured from or kept in.

use crate::easel::Easel;
use crate::glaze::glaze;
use crate::lathe::Lathe;
use crate::palette::{GLOW, INK};
use crate::pattern::{Motif, Yarn, weave};
use crate::pen::Path;
use crate::tint::named::{CHALK, KRAFT, MOSS, OAK};

/// A teapot.
pub fn teapot(easel: &mut Easel) {
    easel.table(20.0);
    let (r, top, base) = (easel.dice.between(112.0, 126.0), easel.dice.between(206.0, 226.0), 390.0);
    let (neck, foot) = (easel.dice.between(0.46, 0.58), easel.dice.between(0.56, 0.76));
    let low = easel.dice.between(0.46, 0.6);
    let cx = 240.0;
    easel.shadow(cx, base + 4.0, r * foot * 1.25);
    let middle = top + (base - top) * low;
    let (tip, root) = ((cx - r - 74.0, top + easel.dice.between(2.0, 24.0)), (cx - r * 0.8, middle + 30.0));
    let spout = Path::at(root.0, root.1 + 26.0)
        .curve((cx - r - 44.0, root.1 + 16.0), (cx - r - 34.0, tip.1 + 34.0), tip.0 - 4.0, tip.1 + 4.0)
        .bend((tip.0 + 6.0, tip.1 - 10.0), tip.0 + 22.0, tip.1 - 6.0)
        .curve((cx - r - 22.0, tip.1 + 30.0), (cx - r + 2.0, middle - 26.0), cx - r * 0.74, middle - 30.0)
        .close();
    easel.pen.fill(&spout, easel.main.mix(INK, 8));
    let bail = easel.dice.chance(35);
    if bail {
        let (left, right) = (cx - r * 0.66, cx + r * 0.66);
        let path = Path::at(left, top + 26.0).curve(
            (left - 30.0, top - 148.0),
            (right + 30.0, top - 148.0),
            right,
            top + 26.0,
        );
        easel.tube(&path, easel.accent, 15.0);
    } else {
        let x = cx + r * 0.86;
        let path = Path::at(x, top + 42.0).curve(
            (x + 104.0, top + 2.0),
            (x + 92.0, middle + 62.0),
            x - 6.0,
            middle + 36.0,
        );
        easel.tube(&path, easel.main, 21.0);
    }
    let pot = Lathe::new(
        cx,
        0.16,
        &[
            (top, r * neck),
            (top + (middle - top) * 0.34, r * 0.84),
            (middle, r),
            (base - 26.0, r * 0.84),
            (base, r * foot),
        ],
    );
    pot.paint(easel, easel.main, glaze);
    let lid = Lathe::new(
        cx,
        0.2,
        &[
            (top - 32.0, 16.0),
            (top - 22.0, r * neck * 0.7),
            (top - 6.0, r * neck + 3.0),
            (top + 1.0, r * neck + 3.0),
        ],
    );
    lid.plain(easel, easel.main.lit());
    let knob = easel.dice.between(11.0, 16.0);
    easel.pen.dot(cx, top - 36.0 - knob * 0.6, knob, easel.accent);
    easel.pen.lit(&Path::oval(cx - knob * 0.35, top - 36.0 - knob, knob * 0.3, knob * 0.3), 60);
}

/// A jug with a lip.
pub fn jug(easel: &mut Easel) {
    easel.table(12.0);
    let (r, top, base) = (easel.dice.between(92.0, 112.0), easel.dice.between(122.0, 156.0), 392.0);
    let (neck, mouth) = (easel.dice.between(0.54, 0.7), easel.dice.between(0.66, 0.86));
    let cx = 228.0;
    let at = |part: f64| top + (base - top) * part;
    easel.shadow(cx, base + 4.0, r * 0.8);
    let x = cx + r * mouth - 12.0;
    let low = at(easel.dice.between(0.58, 0.68));
    let handle =
        Path::at(x, top + 28.0).curve((x + 106.0, top + 4.0), (cx + r + 84.0, low - 6.0), cx + r - 8.0, low);
    easel.tube(&handle, easel.main, 21.0);
    let pot = Lathe::new(
        cx,
        0.17,
        &[(top, r * mouth), (at(0.26), r * neck), (at(0.62), r), (at(0.88), r * 0.84), (base, r * 0.66)],
    );
    let edge = cx - r * mouth;
    let lip = Path::at(edge + 34.0, top - 10.0)
        .bend((edge - 8.0, top - 20.0), edge - 32.0, top - 16.0)
        .bend((edge - 8.0, top + 22.0), edge + 16.0, top + 56.0)
        .to(edge + 50.0, top + 10.0)
        .close();
    easel.pen.fill(&lip, easel.main.mix(GLOW, 16));
    pot.paint(easel, easel.main, glaze);
    pot.mouth(easel, 7.0, easel.main.lit(), easel.second);
}

/// A bottle or carafe.
pub fn bottle(easel: &mut Easel) {
    easel.table(0.0);
    easel.seen = (easel.main, Some(CHALK));
    let (r, top, base) = (easel.dice.between(74.0, 94.0), easel.dice.between(96.0, 128.0), 394.0);
    let (neck, shoulder) = (easel.dice.between(20.0, 28.0), easel.dice.between(0.36, 0.52));
    let at = |part: f64| top + (base - top) * part;
    let stopper = Lathe::new(240.0, 0.2, &[(top - 30.0, neck * 0.8), (top + 6.0, neck * 0.74)]);
    easel.shadow(240.0, base + 4.0, r);
    stopper.plain(easel, OAK);
    stopper.cap(easel, OAK.lit());
    let pot = Lathe::new(
        240.0,
        0.17,
        &[
            (top, neck + 4.0),
            (top + 14.0, neck),
            (at(shoulder - 0.16), neck + 2.0),
            (at(shoulder), r * 0.86),
            (at(shoulder + 0.1), r),
            (base - 24.0, r),
            (base, r * 0.86),
        ],
    );
    let label = at(shoulder + 0.2);
    pot.paint(easel, easel.main, |easel, pot| {
        easel.pen.fill(&pot.ring(top - 6.0, top + 13.0), easel.main.dim());
        easel.pen.fill(&pot.ring(label, label + 84.0), CHALK);
        easel.pen.fill(&pot.ring(label + 9.0, label + 14.0), easel.accent);
        easel.pen.fill(&pot.ring(label + 70.0, label + 75.0), easel.accent);
    });
    sprig(easel, 240.0, label + 78.0, 44.0);
}

/// A stem with leaves, as labels carry it.
fn sprig(easel: &mut Easel, x: f64, y: f64, tall: f64) {
    let green = if easel.ground.distance(MOSS) > 40.0 { MOSS } else { easel.accent };
    easel.pen.line(&Path::at(x, y).to(x, y - tall), green, 3.0);
    for (level, side) in [(0.2, -1.0), (0.2, 1.0), (0.5, -1.0), (0.5, 1.0)] {
        let (y, reach) = (y - tall * level, tall * 0.42 * side);
        let leaf = Path::at(x, y)
            .bend((x, y - tall * 0.36), x + reach, y - tall * 0.38)
            .bend((x + reach, y), x, y)
            .close();
        easel.pen.fill(&leaf, green);
    }
    easel.pen.oval(x, y - tall - 4.0, tall * 0.1, tall * 0.16, green);
}

/// A branch for a vase: leaves on both sides, berries or blossoms at the end.
fn branch(easel: &mut Easel, from: (f64, f64), to: (f64, f64), leaves: u32) {
    let green = if easel.ground.distance(MOSS) > 40.0 { MOSS } else { easel.main.deep() };
    let middle = (from.0, f64::midpoint(from.1, to.1));
    easel.pen.line(&Path::at(from.0, from.1).bend(middle, to.0, to.1), green.deep(), 4.0);
    for step in 1..=leaves {
        let t = 0.3 + 0.66 * f64::from(step) / f64::from(leaves);
        let u = 1.0 - t;
        let x = u * u * from.0 + 2.0 * u * t * middle.0 + t * t * to.0;
        let y = u * u * from.1 + 2.0 * u * t * middle.1 + t * t * to.1;
        let side = if step % 2 == 0 { 1.0 } else { -1.0 };
        let (reach, rise) = (42.0 * side, 22.0);
        let leaf = Path::at(x, y)
            .bend((x + reach * 0.3, y - rise * 1.3), x + reach, y - rise)
            .bend((x + reach * 0.8, y + rise * 0.2), x, y)
            .close();
        easel.pen.fill(&leaf, if step % 3 == 0 { green.mix(GLOW, 22) } else { green });
    }
}

/// A vase with a sprig.
pub fn vase(easel: &mut Easel) {
    easel.table(0.0);
    let (r, top, base) = (easel.dice.between(82.0, 108.0), easel.dice.between(200.0, 236.0), 396.0);
    let (neck, mouth) = (easel.dice.between(20.0, 36.0), easel.dice.between(24.0, 44.0));
    let belly = easel.dice.between(0.5, 0.74);
    let at = |part: f64| top + (base - top) * part;
    easel.shadow(240.0, base + 4.0, r * 0.86);
    let lean = easel.dice.between(-36.0, 36.0);
    branch(easel, (240.0, top + 8.0), (240.0 + lean * 1.6, 60.0), 7);
    branch(easel, (238.0, top + 8.0), (170.0 + lean, 118.0), 5);
    if easel.dice.chance(65) {
        branch(easel, (243.0, top + 8.0), (318.0 + lean, 132.0), 4);
        for (x, y) in [(318.0 + lean, 132.0), (170.0 + lean, 118.0), (240.0 + lean * 1.6, 60.0)] {
            easel.pen.dot(x, y, 12.0, easel.accent);
            easel.pen.dot(x - 3.0, y - 3.0, 4.0, easel.accent.lit());
        }
    }
    let pot = Lathe::new(
        240.0,
        0.2,
        &[(top, mouth.max(neck)), (at(0.18), neck), (at(belly), r), (at(0.92), r * 0.72), (base, r * 0.62)],
    );
    pot.paint(easel, easel.main, glaze);
    let r = mouth.max(neck);
    easel.pen.line(&Path::at(240.0 - r, top).arc(r, r * 0.2, false, 240.0 + r, top), easel.main.lit(), 4.0);
}

/// A jar with a lid.
pub fn jar(easel: &mut Easel) {
    easel.table(22.0);
    easel.seen = (easel.main, Some(easel.accent));
    let (r, top, base) = (easel.dice.between(100.0, 116.0), easel.dice.between(168.0, 192.0), 390.0);
    easel.shadow(240.0, base + 6.0, r);
    let pot = Lathe::new(
        240.0,
        0.17,
        &[(top, r * 0.8), (top + 16.0, r * 0.84), (top + 40.0, r), (base - 24.0, r), (base, r * 0.88)],
    );
    let glass = easel.ground.mix(GLOW, 50);
    pot.paint(easel, glass, |easel, pot| {
        let full =
            Lathe::new(240.0, 0.17, &[(top + 44.0, r - 8.0), (base - 26.0, r - 8.0), (base - 6.0, r * 0.82)]);
        easel.pen.fill(&full.outline(), easel.main);
        full.cap(easel, easel.main.lit());
        let label = top + 82.0;
        easel.pen.fill(&pot.ring(label, label + 74.0), CHALK);
        easel.pen.fill(&pot.ring(label + 6.0, label + 10.0), easel.accent);
        easel.pen.fill(&pot.ring(label + 64.0, label + 68.0), easel.accent);
    });
    sprig(easel, 240.0, top + 158.0, 40.0);
    let lid =
        Lathe::new(240.0, 0.17, &[(top - 36.0, r * 0.84), (top - 2.0, r * 0.86), (top + 8.0, r * 0.86)]);
    if easel.dice.chance(50) {
        let motif = easel.motif([Motif::Checks, Motif::Dots, Motif::Stripes]);
        let yarn = Yarn { base: CHALK, figure: easel.accent, accent: easel.second };
        let cloth = weave(&mut easel.pen, motif, yarn, 24.0, 0.0);
        let skirt =
            Lathe::new(240.0, 0.17, &[(top - 30.0, r * 0.82), (top, r * 0.9), (top + 30.0, r * 1.06)]);
        skirt.plain(easel, cloth);
        easel.pen.line(&skirt.around(top + 2.0), easel.main.deep(), 5.0);
        skirt.cap(easel, cloth);
        easel.pen.lit(&Path::oval(240.0, top - 30.0, r * 0.82, r * 0.14), 25);
    } else {
        lid.plain(easel, easel.accent);
        lid.cap(easel, easel.accent.lit());
    }
}

/// A tin with a lid.
pub fn tin(easel: &mut Easel) {
    easel.table(26.0);
    let (r, base) = (easel.dice.between(94.0, 120.0), 390.0);
    let top = base - easel.dice.between(158.0, 212.0);
    easel.shadow(240.0, base + 8.0, r);
    let pot = Lathe::new(240.0, 0.19, &[(top, r), (base, r)]);
    let motif = easel.motif([
        Motif::Waves,
        Motif::Leaves,
        Motif::Dots,
        Motif::Diamonds,
        Motif::Flowers,
        Motif::Tiles,
        Motif::Stripes,
    ]);
    let cloth = easel.weave(motif, (38.0, 52.0), 0.0);
    let label = easel.dice.chance(55);
    pot.paint(easel, cloth, |easel, pot| {
        easel.pen.fill(&pot.ring(pot.level(0.93), pot.level(1.1)), easel.accent);
        easel.pen.fill(&pot.ring(top, top + 44.0), easel.main.mix(INK, 25));
    });
    if label {
        let y = pot.level(0.62) + r * 0.19;
        easel.pen.oval(232.0, y, 46.0, 38.0, CHALK);
        easel.pen.line(&Path::oval(232.0, y, 39.0, 31.0), easel.accent, 2.5);
        sprig(easel, 232.0, y + 20.0, 30.0);
    }
    let lid = Lathe::new(240.0, 0.19, &[(top - 8.0, r + 4.0), (top + 36.0, r + 4.0)]);
    lid.plain(easel, easel.accent);
    lid.cap(easel, easel.accent.lit());
    easel.pen.line(&Path::oval(240.0, top - 8.0, r * 0.8, r * 0.15), easel.accent, 3.0);
    easel.pen.oval(240.0, top - 14.0, 18.0, 8.0, easel.accent.deep());
    easel.pen.oval(240.0, top - 19.0, 18.0, 8.0, KRAFT.lit());
}

/// A watering can.
pub fn can(easel: &mut Easel) {
    easel.table(18.0);
    easel.seen = (easel.main, Some(easel.accent));
    let (r, top, base) = (easel.dice.between(84.0, 98.0), easel.dice.between(216.0, 240.0), 390.0);
    let cx = 266.0;
    easel.shadow(cx, base + 6.0, r);
    let tip = (84.0, easel.dice.between(150.0, 190.0));
    let spout = Path::polygon(&[
        (cx - r + 6.0, base - 10.0),
        (cx - r + 6.0, base - 56.0),
        (tip.0 + 10.0, tip.1),
        (tip.0 - 2.0, tip.1 + 10.0),
    ]);
    easel.pen.fill(&spout, easel.main.dim());
    easel.pen.turned(-42.0, tip.0, tip.1);
    easel.pen.fill(
        &Path::polygon(&[
            (tip.0 - 10.0, tip.1 + 14.0),
            (tip.0 + 12.0, tip.1 + 14.0),
            (tip.0 + 27.0, tip.1 - 16.0),
            (tip.0 - 25.0, tip.1 - 16.0),
        ]),
        easel.main,
    );
    easel.pen.oval(tip.0 + 1.0, tip.1 - 16.0, 26.0, 8.0, easel.main.lit());
    easel.pen.close();
    let x = cx + r * 0.7;
    let back = Path::at(x, top + 4.0).curve(
        (x + 118.0, top - 60.0),
        (x + 100.0, base - 40.0),
        cx + r - 4.0,
        base - 46.0,
    );
    easel.tube(&back, easel.accent, 14.0);
    let over = Path::at(cx - r * 0.7, top).curve(
        (cx - r * 0.6, top - 96.0),
        (cx + r * 0.6, top - 96.0),
        cx + r * 0.7,
        top,
    );
    easel.tube(&over, easel.accent, 14.0);
    let pot = Lathe::new(cx, 0.19, &[(top, r * 0.84), (base - 10.0, r), (base, r * 0.98)]);
    pot.paint(easel, easel.main, |easel, pot| {
        for level in [0.16, 0.86] {
            easel.pen.line(&pot.around(pot.level(level)), easel.main.deep(), 3.5);
        }
    });
    pot.mouth(easel, 6.0, easel.main.lit(), easel.main.deep());
}
