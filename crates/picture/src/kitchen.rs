//! What else a kitchen has: trays, boards, cutlery, cakes.

use crate::easel::Easel;
use crate::lathe::Lathe;
use crate::palette::{Colour, GLOW, INK};
use crate::pattern::{Motif, Yarn, weave};
use crate::pen::Path;
use crate::tint::named::{BIRCH, MARBLE, OAK, STEEL};

/// A tray, from above.
pub fn tray(easel: &mut Easel) {
    easel.wall();
    let round = easel.dice.chance(28);
    let (w, h) = if round {
        (348.0, 348.0)
    } else {
        (easel.dice.between(366.0, 392.0), easel.dice.between(248.0, 276.0))
    };
    let corner = if round { 174.0 } else { easel.dice.between(18.0, 70.0) };
    let (x, y) = (240.0 - w / 2.0, 240.0 - h / 2.0);
    let wood = if easel.tinted { easel.main } else { easel.dice.pick([BIRCH, OAK]) };
    easel.seen = if easel.tinted { (wood, Some(easel.accent)) } else { easel.seen };
    let lean = if round { 0.0 } else { easel.dice.between(-8.0, 8.0) };
    easel.pen.turned(lean, 240.0, 240.0);
    easel.cast(&Path::rounded(x, y, w, h, corner), 11.0, 15.0);
    easel.pen.slab(x, y, w, h, corner, wood);
    let edge = 17.0;
    let bed = Path::rounded(x + edge, y + edge, w - edge * 2.0, h - edge * 2.0, corner - edge * 0.7);
    let motif = easel.motif([
        Motif::Waves,
        Motif::Leaves,
        Motif::Tiles,
        Motif::Diamonds,
        Motif::Dots,
        Motif::Stripes,
        Motif::Triangles,
        Motif::Flowers,
        Motif::Herringbone,
    ]);
    let yarn = if easel.tinted {
        Yarn { base: wood.lit(), figure: easel.accent, accent: easel.second }
    } else {
        easel.yarn()
    };
    let print = weave(&mut easel.pen, motif, yarn, easel.dice.between(44.0, 62.0), 0.0);
    easel.pen.fill(&bed, print);
    easel.pen.inside(&bed);
    // The raised edge throws its shadow on the left and on top.
    let far = Path::rounded(x + edge + 10.0, y + edge + 11.0, w, h, corner);
    easel.pen.dim(
        &Path::rounded(x - 20.0, y - 20.0, w + 40.0, h + 40.0, 0.0).with(&reversed(
            x + edge + 8.0,
            y + edge + 9.0,
            w + 60.0,
            h + 60.0,
        )),
        20,
    );
    easel.pen.lit(&far, 5);
    easel.pen.lit(
        &Path::polygon(&[(x + w * 0.5, y), (x + w * 0.72, y), (x + w * 0.34, y + h), (x + w * 0.12, y + h)]),
        13,
    );
    easel.pen.close();
    if !round {
        for hx in [x + edge * 0.5, x + w - edge * 0.5] {
            easel.pen.slab(hx - 5.0, 240.0 - 34.0, 10.0, 68.0, 5.0, wood.deep());
        }
    }
    easel.pen.sheer(60);
    easel.pen.line(&Path::rounded(x + 3.0, y + 3.0, w - 6.0, h - 6.0, corner - 3.0), wood.lit(), 3.0);
    easel.pen.close();
    easel.pen.close();
}

/// A box that is drawn the other way round, to cut a hole into the shape before it.
fn reversed(x: f64, y: f64, w: f64, h: f64) -> Path {
    Path::polygon(&[(x, y), (x, y + h), (x + w, y + h), (x + w, y)])
}

/// A board for bread or cheese, from above.
pub fn board(easel: &mut Easel) {
    easel.wall();
    let thrown = easel.wood();
    let wood = if easel.main == MARBLE { MARBLE } else { thrown };
    easel.seen = (wood, None);
    easel.pen.turned(easel.dice.between(-38.0, -26.0), 240.0, 240.0);
    let (half, top, base) = (easel.dice.between(100.0, 118.0), easel.dice.between(118.0, 136.0), 432.0);
    let corner = easel.dice.between(20.0, 50.0);
    let shape = Path::at(218.0, 28.0)
        .bend((240.0, 10.0), 262.0, 28.0)
        .bend((256.0, 70.0), 258.0, top - 30.0)
        .bend((259.0, top), 290.0, top)
        .to(240.0 + half - corner, top)
        .bend((240.0 + half, top), 240.0 + half, top + corner)
        .to(240.0 + half, base - corner)
        .bend((240.0 + half, base), 240.0 + half - corner, base)
        .to(240.0 - half + corner, base)
        .bend((240.0 - half, base), 240.0 - half, base - corner)
        .to(240.0 - half, top + corner)
        .bend((240.0 - half, top), 240.0 - half + corner, top)
        .to(190.0, top)
        .bend((221.0, top), 222.0, top - 30.0)
        .bend((224.0, 70.0), 218.0, 28.0)
        .close();
    easel.cast(&shape, 3.0, 18.0);
    easel.pen.fill(&shape, wood.deep());
    easel.pen.placed(-3.0, -6.0, 1.0);
    easel.pen.fill(&shape, wood);
    easel.pen.inside(&shape);
    if wood == MARBLE {
        veins(easel, half, top);
    } else if easel.dice.chance(30) || easel.main == BIRCH {
        blocks(easel, half, top, wood);
    } else {
        grain(easel, half, wood);
    }
    easel.pen.lit(&Path::polygon(&[(100.0, 40.0), (200.0, 20.0), (190.0, 460.0), (100.0, 460.0)]), 15);
    easel.pen.close();
    easel.pen.dot(240.0, 52.0, 12.0, easel.ground.mix(INK, 30));
    if easel.dice.chance(70) {
        easel.pen.line(
            &Path::at(240.0, 52.0).curve((270.0, -10.0), (300.0, 20.0), 246.0, 56.0),
            easel.accent,
            5.0,
        );
    }
    easel.pen.close();
    easel.pen.close();
}

fn grain(easel: &mut Easel, half: f64, wood: Colour) {
    for line in -4..=4_i32 {
        let x = 240.0 + f64::from(line) * half / 4.4 + easel.dice.between(-5.0, 5.0);
        let sway = easel.dice.between(-16.0, 16.0);
        let path = Path::at(x, 20.0).curve((x + sway, 150.0), (x - sway, 300.0), x + sway * 0.5, 450.0);
        easel.pen.line(&path, wood.mix(INK, 14), easel.dice.between(2.0, 5.0));
    }
    let (x, y) = (240.0 + easel.dice.between(-40.0, 40.0), easel.dice.between(220.0, 360.0));
    easel.pen.oval(x, y, 8.0, 17.0, wood.mix(INK, 26));
    easel.pen.line(&Path::oval(x, y, 16.0, 32.0), wood.mix(INK, 14), 3.0);
}

fn blocks(easel: &mut Easel, half: f64, top: f64, wood: Colour) {
    for row in 0..9_u32 {
        for column in 0..6_u32 {
            let tone = easel.dice.pick([0, 6, 12, 20]);
            let shift = if row % 2 == 0 { 0.0 } else { -20.0 };
            let (x, y) = (240.0 - half + f64::from(column) * 42.0 + shift, top + f64::from(row) * 38.0);
            easel.pen.slab(x, y, 40.0, 36.0, 0.0, wood.mix(INK, tone));
        }
    }
}

fn veins(easel: &mut Easel, half: f64, top: f64) {
    for _ in 0..6 {
        let y = easel.dice.between(top, 430.0);
        let (a, b) = (easel.dice.between(-90.0, -20.0), easel.dice.between(-40.0, 30.0));
        let path = Path::at(240.0 - half, y).curve(
            (200.0, y + a * 0.2),
            (270.0, y + a * 0.9 + b),
            240.0 + half,
            y + a,
        );
        let colour = Colour { word: "vein", rgb: 0xa9_adb2 };
        easel.pen.line(&path, colour.mix(MARBLE, 35), easel.dice.between(1.5, 6.0));
    }
}

/// A fork, a knife and a spoon, from above.
pub fn cutlery(easel: &mut Easel) {
    easel.wall();
    let metal = if easel.tinted { easel.main } else { STEEL.mix(GLOW, 25) };
    let grip = if easel.tinted { easel.second } else { easel.main };
    easel.seen = (grip, Some(metal));
    let spread = easel.dice.between(88.0, 104.0);
    let round = easel.dice.between(6.0, 15.0);
    for (index, x) in [240.0 - spread, 240.0, 240.0 + spread].into_iter().enumerate() {
        let lean = (x - 240.0) * 0.06;
        easel.pen.turned(lean, x, 420.0);
        let head = match index {
            0 => fork(x),
            1 => Path::at(x - 13.0, 262.0)
                .to(x - 13.0, 92.0)
                .curve((x - 12.0, 60.0), (x + 18.0, 70.0), x + 20.0, 120.0)
                .to(x + 20.0, 234.0)
                .bend((x + 18.0, 262.0), x + 8.0, 262.0)
                .close(),
            _ => Path::oval(x, 116.0, 35.0, 54.0).with(&Path::polygon(&[
                (x - 7.0, 150.0),
                (x + 7.0, 150.0),
                (x + 9.0, 270.0),
                (x - 9.0, 270.0),
            ])),
        };
        easel.cast(&head, 8.0, 11.0);
        easel.pen.fill(&head, metal);
        if index == 2 {
            easel.pen.dim(&Path::oval(x + 2.0, 118.0, 27.0, 45.0), 16);
            easel.pen.lit(&Path::oval(x + 8.0, 132.0, 15.0, 26.0), 40);
        }
        easel.cast(&Path::rounded(x - 15.0, 252.0, 30.0, 168.0, round), 8.0, 11.0);
        easel.pen.slab(x - 15.0, 252.0, 30.0, 168.0, round, grip);
        easel.pen.slab(x + 4.0, 256.0, 11.0, 160.0, round.min(5.0), grip.dim());
        easel.pen.slab(x - 15.0, 276.0, 30.0, 9.0, 0.0, easel.accent);
        for rivet in [318.0, 388.0] {
            easel.pen.dot(x, rivet, 4.5, metal);
        }
        easel.pen.close();
    }
}

fn fork(x: f64) -> Path {
    let mut path = Path::at(x - 8.0, 266.0).to(x - 7.0, 200.0).bend((x - 34.0, 186.0), x - 34.0, 150.0);
    for tine in 0..4_u32 {
        let left = x - 34.0 + f64::from(tine) * 19.4;
        path = path.to(left, 70.0).arc(5.0, 5.0, true, left + 10.0, 70.0);
        if tine < 3 {
            path = path.to(left + 10.0, 138.0).arc(4.7, 5.0, false, left + 19.4, 138.0);
        }
    }
    path.to(x + 34.0, 150.0).bend((x + 34.0, 186.0), x + 7.0, 200.0).to(x + 8.0, 266.0).close()
}

/// A cake stand.
pub fn cakestand(easel: &mut Easel) {
    easel.table(0.0);
    let tiers: &[(f64, f64)] = if easel.dice.chance(60) {
        &[(358.0, 152.0), (256.0, 112.0), (168.0, 76.0)]
    } else {
        &[(346.0, 158.0), (214.0, 108.0)]
    };
    let foot = Lathe::new(240.0, 0.2, &[(352.0, 16.0), (380.0, 30.0), (396.0, 74.0)]);
    easel.shadow(240.0, 400.0, 84.0);
    foot.plain(easel, easel.main.dim());
    for (index, (y, r)) in tiers.iter().enumerate() {
        let (y, r) = (*y, *r);
        let low = y + r * 0.2 + 12.0;
        let side = Path::at(240.0 - r, y).bend((240.0 - r * 0.86, low), 240.0, low);
        easel.pen.fill(&side.bend((240.0 + r * 0.86, low), 240.0 + r, y).close(), easel.main.mix(INK, 10));
        easel.pen.oval(240.0, y, r, r * 0.2, easel.main.lit());
        easel.pen.line(&Path::oval(240.0, y, r - 9.0, r * 0.2 - 4.0), easel.second, 4.0);
        let next = tiers.get(index + 1).map_or(y - 74.0, |(above, _)| above + 14.0);
        if index < 2 {
            buns(easel, &[(240.0 - r * 0.62, y + 2.0), (240.0 + r * 0.66, y + 3.0)], (r * 0.2).min(27.0));
        }
        easel.pen.slab(233.0, next, 14.0, y - next, 7.0, easel.accent);
        easel.pen.slab(240.0, next, 7.0, y - next, 3.5, easel.accent.dim());
        easel.pen.oval(240.0, f64::midpoint(next, y), 12.0, 7.0, easel.accent.lit());
        if index == 0 {
            buns(easel, &[(240.0 - r * 0.2, y + r * 0.12)], 27.0);
        }
    }
    let top = tiers.last().map_or(168.0, |(y, _)| *y) - 90.0;
    easel.tube(&Path::oval(240.0, top, 18.0, 18.0), easel.accent, 8.0);
}

/// Small cakes on a stand.
fn buns(easel: &mut Easel, places: &[(f64, f64)], r: f64) {
    let (mut cases, mut icings, mut cherries) = (Path::none(), Path::none(), Path::none());
    for (x, y) in places {
        let (x, y) = (*x, *y);
        cases = cases
            .and(x - r, y - r * 0.8)
            .to(x + r, y - r * 0.8)
            .to(x + r * 0.74, y + r * 0.3)
            .to(x - r * 0.74, y + r * 0.3);
        icings = icings
            .and(x - r * 1.1, y - r * 0.7)
            .curve((x - r * 1.1, y - r * 2.2), (x + r * 1.1, y - r * 2.2), x + r * 1.1, y - r * 0.7)
            .bend((x, y - r * 0.4), x - r * 1.1, y - r * 0.7);
        cherries = cherries.with(&Path::oval(x, y - r * 1.84, r * 0.24, r * 0.24));
    }
    let icing = easel.dice.pick([easel.second, easel.accent.lit(), easel.main.lit()]);
    easel.pen.fill(&cases, easel.accent.dim());
    easel.pen.fill(&icings, icing);
    easel.pen.fill(&cherries, easel.accent);
}

/// A small cake in its case.
pub fn cake(easel: &mut Easel) {
    easel.table(12.0);
    let (r, top, base) = (easel.dice.between(118.0, 130.0), 272.0, 394.0);
    easel.shadow(240.0, base + 4.0, r * 0.74);
    let case = Lathe::new(240.0, 0.18, &[(top, r), (base, r * 0.72)]).matte();
    let motif = easel.motif([Motif::Dots, Motif::Stripes, Motif::Checks, Motif::Flowers]);
    let paper = easel.weave(motif, (36.0, 36.0), if motif == Motif::Stripes { 90.0 } else { 0.0 });
    case.paint(easel, paper, |easel, case| {
        let pleats = (-7..=7_i32).map(|step| case.seam((f64::from(step) * 0.21).sin()));
        let pleats = pleats.fold(Path::none(), |all, pleat| all.with(&pleat));
        easel.pen.line(&pleats, easel.main.mix(INK, 22), 2.5);
    });
    let icing = if easel.second.distance(easel.ground) > 55.0 { easel.second } else { easel.accent.lit() };
    easel.seen = (easel.main, Some(icing));
    let (mut y, mut half) = (262.0, r + 12.0);
    for layer in 0..4_u32 {
        let high = 50.0 - f64::from(layer) * 4.0;
        let swirl = Path::at(240.0 - half, y)
            .curve(
                (240.0 - half - 14.0, y - high),
                (240.0 - half * 0.5, y - high - 12.0),
                240.0,
                y - high - 8.0,
            )
            .curve((240.0 + half * 0.6, y - high - 12.0), (240.0 + half + 14.0, y - high), 240.0 + half, y)
            .bend((240.0 + half * 0.4, y + 30.0), 240.0, y + 22.0)
            .bend((240.0 - half * 0.6, y + 26.0), 240.0 - half, y)
            .close();
        easel.pen.fill(&swirl, icing);
        easel.pen.inside(&swirl);
        easel.pen.dim(
            &Path::polygon(&[
                (240.0 + half * 0.3, y - 80.0),
                (420.0, y - 80.0),
                (420.0, y + 40.0),
                (240.0 - half, y + 40.0),
                (240.0 - half * 0.4, y + 12.0),
                (240.0 + half * 0.2, y + 6.0),
            ]),
            12,
        );
        easel.pen.lit(&Path::oval(240.0 - half * 0.5, y - high * 0.5, half * 0.2, 7.0), 50);
        easel.pen.close();
        y -= high - 10.0;
        half *= 0.7;
    }
    easel.pen.dot(240.0, y - 4.0, 22.0, easel.accent);
    easel.pen.dot(234.0, y - 11.0, 6.0, easel.accent.lit());
    for _ in 0..14 {
        let (x, y) = (240.0 + easel.dice.between(-100.0, 100.0), easel.dice.between(214.0, 262.0));
        let angle = easel.dice.between(0.0, 180.0);
        easel.pen.turned(angle, x, y);
        let colour = easel.dice.pick([easel.main, easel.accent]);
        easel.pen.slab(x - 7.0, y - 2.5, 14.0, 5.0, 2.5, colour);
        easel.pen.close();
    }
}
