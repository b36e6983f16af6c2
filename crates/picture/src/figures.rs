//! Small figures and jewels: a tree, a bird, a doll, beads.

use crate::easel::Easel;
use crate::hanging::heart_path;
use crate::palette::{Colour, GLOW, INK};
use crate::pattern::{Motif, Yarn, flower, star, weave};
use crate::pen::Path;
use crate::tint::named::{BRASS, BRICK, MOSS, OAK};

/// A small wooden tree.
pub fn tree(easel: &mut Easel) {
    easel.table(0.0);
    easel.shadow(240.0, 398.0, 74.0);
    let tiers = easel.dice.pick([3_u32, 4, 5]);
    let (top, low) = (82.0, 352.0);
    easel.pen.slab(226.0, 340.0, 28.0, 52.0, 0.0, OAK.dim());
    easel.pen.slab(176.0, 384.0, 128.0, 20.0, 6.0, OAK);
    easel.pen.slab(176.0, 395.0, 128.0, 9.0, 4.0, OAK.dim());
    let high = (low - top) / f64::from(tiers) * 1.3;
    for tier in (0..tiers).rev() {
        let y = top + (low - top - high) * f64::from(tier) / f64::from(tiers - 1);
        let half = 58.0 + 84.0 * f64::from(tier) / f64::from(tiers - 1);
        let cone = Path::at(240.0, y)
            .to(240.0 + half, y + high - 12.0)
            .bend((240.0, y + high + 18.0), 240.0 - half, y + high - 12.0)
            .close();
        easel.pen.fill(&cone, easel.main);
        easel.pen.inside(&cone);
        easel
            .pen
            .dim(&Path::polygon(&[(240.0, y), (420.0, y), (420.0, 420.0), (258.0, y + high + 20.0)]), 18);
        easel.pen.lit(
            &Path::polygon(&[(236.0, y), (240.0 - half, y + high), (240.0 - half + 24.0, y + high)]),
            22,
        );
        let bottom = Path::at(240.0 - half, y + high - 24.0).bend(
            (240.0, y + high + 6.0),
            240.0 + half,
            y + high - 24.0,
        );
        easel.pen.line(&bottom, easel.second, 4.0);
        easel.pen.close();
        for step in [-0.55, 0.1, 0.6] {
            let colour = easel.dice.pick([easel.accent, easel.second]);
            easel.pen.dot(240.0 + half * step, y + high * 0.72 + 6.0 * (1.0 - step * step), 9.0, colour);
        }
    }
    easel.pen.fill(&star(240.0, top - 8.0, 27.0, 5, 0.45), easel.accent);
}

/// A small wooden bird.
pub fn bird(easel: &mut Easel) {
    easel.table(0.0);
    easel.shadow(236.0, 398.0, 82.0);
    for x in [226.0, 262.0] {
        easel.pen.line(
            &Path::at(x, 352.0).to(x - 2.0, 394.0).and(x - 14.0, 397.0).to(x + 10.0, 397.0),
            BRICK.deep(),
            5.0,
        );
    }
    let plump = easel.dice.between(0.0, 22.0);
    let shape = Path::at(96.0, 206.0)
        .curve((104.0, 142.0), (184.0, 118.0), 222.0, 172.0)
        .curve((256.0, 214.0), (320.0, 214.0), 420.0, 176.0 - plump)
        .curve((400.0, 236.0), (384.0, 270.0), 346.0, 308.0)
        .curve((300.0, 366.0 + plump), (190.0, 372.0 + plump), 142.0, 308.0)
        .curve((116.0, 274.0), (104.0, 252.0), 96.0, 206.0)
        .close();
    easel.pen.fill(&Path::polygon(&[(104.0, 190.0), (56.0, 214.0), (104.0, 222.0)]), easel.accent);
    easel.pen.fill(&shape, easel.main);
    easel.pen.inside(&shape);
    let breast =
        Path::at(96.0, 230.0).curve((150.0, 236.0), (190.0, 300.0), 260.0, 380.0).to(90.0, 400.0).close();
    easel.pen.fill(&breast, easel.second);
    easel.pen.dim(
        &Path::at(440.0, 150.0)
            .curve((360.0, 300.0), (280.0, 350.0), 150.0, 326.0)
            .to(150.0, 420.0)
            .to(440.0, 420.0)
            .close(),
        15,
    );
    easel.pen.lit(
        &Path::blob(&[(126.0, 184.0), (150.0, 156.0), (190.0, 158.0), (164.0, 172.0), (140.0, 204.0)]),
        34,
    );
    easel.pen.close();
    let wing = Path::at(206.0, 236.0)
        .curve((262.0, 206.0), (336.0, 232.0), 392.0, 218.0)
        .curve((372.0, 300.0), (262.0, 326.0), 206.0, 236.0)
        .close();
    easel.cast(&wing, 3.0, 8.0);
    let motif = easel.motif([Motif::Waves, Motif::Leaves, Motif::Dots, Motif::Flowers, Motif::Triangles]);
    let yarn = Yarn { base: easel.accent, figure: easel.second, accent: easel.main };
    let print = weave(&mut easel.pen, motif, yarn, 40.0, 10.0);
    easel.pen.fill(&wing, print);
    easel.pen.line(&wing, easel.accent.deep(), 3.0);
    easel.pen.dot(150.0, 194.0, 12.0, GLOW);
    easel.pen.dot(149.0, 195.0, 7.5, INK);
}

/// A painted nesting doll.
pub fn doll(easel: &mut Easel) {
    easel.table(0.0);
    let base = 398.0;
    let wide = easel.dice.between(92.0, 108.0);
    easel.shadow(240.0, base - 2.0, wide * 0.9);
    let shape = Path::at(240.0, 66.0)
        .curve((312.0, 66.0), (326.0, 140.0), 300.0, 186.0)
        .curve((340.0 + wide * 0.1, 220.0), (240.0 + wide * 1.3, 330.0), 240.0 + wide * 0.8, base)
        .bend((240.0, base + 16.0), 240.0 - wide * 0.8, base)
        .curve((240.0 - wide * 1.3, 330.0), (140.0 - wide * 0.1, 220.0), 180.0, 186.0)
        .curve((154.0, 140.0), (168.0, 66.0), 240.0, 66.0)
        .close();
    easel.pen.fill(&shape, easel.main);
    easel.pen.inside(&shape);
    let shawl = Path::at(80.0, 176.0)
        .bend((240.0, 240.0), 400.0, 176.0)
        .to(400.0, 268.0)
        .bend((240.0, 300.0), 80.0, 268.0)
        .close();
    easel.pen.fill(&shawl, easel.accent);
    let apron = Path::oval(240.0, 330.0, wide * 0.68, 82.0);
    easel.pen.fill(&apron, easel.second);
    let motif = easel.motif([Motif::Flowers, Motif::Dots, Motif::Leaves, Motif::Waves]);
    if easel.dice.chance(50) {
        let yarn = Yarn { base: easel.second, figure: easel.accent, accent: easel.main };
        let print = weave(&mut easel.pen, motif, yarn, 38.0, 0.0);
        easel.pen.fill(&apron, print);
    } else {
        easel.pen.line(&Path::at(240.0, 386.0).to(240.0, 320.0), MOSS, 5.0);
        let (petal, heart) = (easel.accent, easel.main);
        flower(&mut easel.pen, 240.0, 318.0, 40.0, petal, heart);
    }
    face(easel);
    easel.pen.dim(
        &Path::at(296.0, 60.0)
            .curve((330.0, 200.0), (330.0, 330.0), 290.0, 430.0)
            .to(400.0, 430.0)
            .to(400.0, 60.0)
            .close(),
        16,
    );
    easel.pen.lit(
        &Path::blob(&[(180.0, 116.0), (200.0, 88.0), (220.0, 84.0), (198.0, 106.0), (188.0, 140.0)]),
        34,
    );
    easel.pen.close();
}

fn face(easel: &mut Easel) {
    let skin = Colour { word: "face", rgb: 0xf6_d9bd };
    easel.pen.dot(240.0, 138.0, 47.0, skin);
    easel.pen.fill(
        &Path::at(193.0, 136.0)
            .arc(47.0, 47.0, true, 287.0, 136.0)
            .curve((272.0, 112.0), (252.0, 108.0), 240.0, 96.0)
            .curve((228.0, 108.0), (208.0, 112.0), 193.0, 136.0)
            .close(),
        BRICK.deep(),
    );
    for side in [-1.0, 1.0] {
        easel.pen.dot(240.0 + 16.0 * side, 138.0, 4.5, INK);
        easel.pen.dot(240.0 + 26.0 * side, 154.0, 8.5, Colour { word: "cheek", rgb: 0xec_a391 });
    }
    easel.pen.line(&Path::at(231.0, 160.0).bend((240.0, 168.0), 249.0, 160.0), BRICK, 4.0);
    easel.pen.dot(240.0, 196.0, 10.0, easel.second);
}

/// A string of beads with a pendant.
pub fn jewel(easel: &mut Easel) {
    easel.wall();
    let size = easel.dice.between(10.0, 13.0);
    let low = easel.dice.between(300.0, 322.0);
    let chain = Path::at(98.0, -10.0).curve((98.0, 190.0), (178.0, low), 240.0, low).curve(
        (302.0, low),
        (382.0, 190.0),
        382.0,
        -10.0,
    );
    easel.cast(&Path::oval(240.0, low + 46.0, 40.0, 48.0), 9.0, 13.0);
    easel.pen.line(&chain, BRASS.deep(), 3.5);
    let way = easel.dice.pick([0, 1, 2]);
    let (mut shadows, mut lights) = (Path::none(), Path::none());
    let mut beads = Vec::new();
    for bead in 0..9_u32 {
        // The chain is drawn faster at its ends, so the steps grow towards the middle.
        let t = (0.24 + 0.09 * f64::from(bead)).powf(1.6);
        let u = 1.0 - t;
        let x = 142.0 * u * u * (u + 3.0 * t) + 3.0 * 62.0 * u * t * t;
        let y = -10.0 * u * u * u + 3.0 * 190.0 * u * u * t + low * t * t * (3.0 * u + t);
        let big = size * (0.8 + 0.4 * t);
        let colour = match (way + bead) % 3 {
            0 => easel.second,
            1 => easel.main,
            _ => [easel.main, easel.accent][(bead % 2) as usize],
        };
        for x in [240.0 - x, 240.0 + x] {
            shadows = shadows.with(&Path::oval(x + 4.0, y + 6.0, big, big));
            lights = lights.with(&Path::oval(x - big * 0.34, y - big * 0.36, big * 0.26, big * 0.26));
            beads.push((x, y, big, colour));
        }
    }
    easel.pen.dim(&shadows, 18);
    for (x, y, big, colour) in beads {
        easel.pen.dot(x, y, big, colour.dim());
        easel.pen.dot(x - big * 0.1, y - big * 0.12, big * 0.84, colour);
    }
    easel.pen.lit(&lights, 70);
    easel.tube(&Path::oval(240.0, low + 4.0, 10.0, 11.0), BRASS, 5.0);
    let (x, y) = (240.0, low + 58.0);
    let shape = match easel.dice.below(3) {
        0 => heart_path(x, y, 46.0),
        1 => Path::at(x, y - 46.0)
            .curve((x + 8.0, y - 16.0), (x + 46.0, y), x + 40.0, y + 28.0)
            .curve((x + 32.0, y + 66.0), (x - 32.0, y + 66.0), x - 40.0, y + 28.0)
            .curve((x - 46.0, y), (x - 8.0, y - 16.0), x, y - 46.0)
            .close(),
        _ => star(x, y + 6.0, 52.0, 8, 0.8),
    };
    easel.pen.fill(&shape, easel.main);
    easel.pen.inside(&shape);
    easel.pen.dim(
        &Path::polygon(&[
            (x + 6.0, y - 60.0),
            (x + 70.0, y - 60.0),
            (x + 70.0, y + 70.0),
            (x - 30.0, y + 70.0),
        ]),
        18,
    );
    easel.pen.lit(&Path::oval(x - 20.0, y - 10.0, 9.0, 15.0), 55);
    easel.pen.close();
    easel.pen.line(&shape, BRASS, 4.5);
}
