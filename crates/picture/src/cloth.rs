//! What is sewn: cloths, aprons, covers.

use crate::easel::Easel;
use crate::palette::{GLOW, INK};
use crate::pattern::{Motif, Yarn, weave};
use crate::pen::{Paint, Path};
use crate::tint::named::{CHALK, OAK};

/// A cloth over a rail.
pub fn cloth(easel: &mut Easel) {
    easel.wall();
    let (half, top) = (easel.dice.between(104.0, 122.0), 104.0);
    let (l, r) = (240.0 - half, 240.0 + half);
    let (front, back) = (easel.dice.between(384.0, 412.0), easel.dice.between(306.0, 340.0));
    let motif = easel.motif([
        Motif::Stripes,
        Motif::Ticking,
        Motif::Checks,
        Motif::Plaid,
        Motif::Dots,
        Motif::Leaves,
        Motif::Crosses,
    ]);
    let base = if easel.tinted { easel.main } else { CHALK };
    let figure = if easel.tinted { CHALK } else { easel.main };
    easel.seen = (base, Some(figure));
    let yarn = Yarn { base, figure, accent: easel.accent };
    let woven = weave(&mut easel.pen, motif, yarn, easel.dice.between(38.0, 54.0), 0.0);
    // The rail and its two holders.
    easel.cast(&Path::rounded(52.0, top - 8.0, 376.0, 16.0, 8.0), 8.0, 14.0);
    easel.pen.slab(52.0, top - 8.0, 376.0, 16.0, 8.0, OAK);
    easel.pen.slab(52.0, top + 1.0, 376.0, 7.0, 3.5, OAK.dim());
    for x in [78.0, 402.0] {
        easel.pen.dot(x, top, 14.0, OAK.deep());
        easel.pen.dot(x - 2.0, top - 3.0, 9.0, OAK);
    }
    let behind = Path::rounded(l + 26.0, top - 4.0, half * 2.0 - 4.0, back - top, 3.0);
    easel.cast(&behind, 9.0, 12.0);
    easel.pen.fill(&behind, base.dim());
    easel.pen.slab(l + 26.0, back - 32.0, half * 2.0 - 4.0, 8.0, 0.0, figure.dim());
    let sway = easel.dice.between(-6.0, 6.0);
    let sheet = Path::at(l, top + 4.0)
        .bend((l, top - 16.0), l + 14.0, top - 16.0)
        .to(r - 14.0, top - 16.0)
        .bend((r, top - 16.0), r, top + 4.0)
        .bend((r - 6.0, 240.0), r + sway, front)
        .bend((240.0, front + 12.0), l + sway, front - 4.0)
        .bend((l + 6.0, 240.0), l, top + 4.0)
        .close();
    easel.cast(&sheet, 8.0, 12.0);
    let bands = easel.dice.chance(45);
    easel.pen.fill(&sheet, if bands { Paint::from(base) } else { woven });
    easel.pen.inside(&sheet);
    if bands {
        easel.pen.slab(l - 20.0, front - 122.0, half * 2.0 + 40.0, 84.0, 0.0, woven);
        easel.pen.slab(l - 20.0, front - 134.0, half * 2.0 + 40.0, 6.0, 0.0, figure);
        easel.pen.slab(l - 20.0, front - 32.0, half * 2.0 + 40.0, 6.0, 0.0, figure);
    }
    folds(easel, l, r, top, front);
    easel.pen.lit(&Path::rounded(l - 10.0, top - 20.0, half * 2.0 + 20.0, 18.0, 0.0), 30);
    easel.pen.close();
}

/// Soft folds of what hangs, from left to right.
fn folds(easel: &mut Easel, l: f64, r: f64, top: f64, base: f64) {
    let wide = r - l;
    for (at, size) in [(0.26, 0.07), (0.58, 0.06), (0.84, 0.2)] {
        let (x, w) = (l + wide * at, wide * size);
        let fold = Path::at(x + w * 0.3, top)
            .bend((x, f64::midpoint(top, base)), x - 3.0, base + 20.0)
            .to(x + w, base + 20.0)
            .bend((x + w * 1.1, f64::midpoint(top, base)), x + w * 0.7, top)
            .close();
        easel.pen.dim(&fold, 11);
    }
    let x = l + wide * 0.1;
    easel.pen.lit(&Path::polygon(&[(x, top), (x + 12.0, top), (x + 14.0, base), (x + 2.0, base)]), 22);
}

/// An apron with pockets.
pub fn apron(easel: &mut Easel) {
    easel.wall();
    let (bib, wide) = (easel.dice.between(62.0, 74.0), easel.dice.between(128.0, 142.0));
    let (top, waist, base) = (116.0, easel.dice.between(204.0, 222.0), 424.0);
    easel.pen.dot(240.0, 40.0, 8.0, OAK.deep());
    easel.pen.line(
        &Path::at(240.0 - bib + 8.0, top + 6.0).curve(
            (190.0, 26.0),
            (290.0, 26.0),
            240.0 + bib - 8.0,
            top + 6.0,
        ),
        easel.accent,
        11.0,
    );
    let ties = Path::at(240.0 - wide + 4.0, waist + 8.0)
        .curve((70.0, waist + 30.0), (88.0, waist + 90.0), 62.0, waist + 128.0)
        .and(240.0 + wide - 4.0, waist + 8.0)
        .curve((408.0, waist + 30.0), (392.0, waist + 84.0), 418.0, waist + 116.0);
    easel.pen.line(&ties, easel.accent, 9.0);
    let shape = Path::at(240.0 - bib, top)
        .bend((240.0, top + 9.0), 240.0 + bib, top)
        .curve((240.0 + bib + 2.0, waist - 30.0), (240.0 + wide - 30.0, waist - 8.0), 240.0 + wide, waist)
        .to(240.0 + wide + 6.0, base - 12.0)
        .bend((240.0 + wide + 6.0, base), 240.0 + wide - 8.0, base)
        .to(240.0 - wide + 8.0, base)
        .bend((240.0 - wide - 6.0, base), 240.0 - wide - 6.0, base - 12.0)
        .to(240.0 - wide, waist)
        .curve((240.0 - wide + 30.0, waist - 8.0), (240.0 - bib - 2.0, waist - 30.0), 240.0 - bib, top)
        .close();
    easel.cast(&shape, 9.0, 13.0);
    let motif = easel.motif([Motif::Ticking, Motif::Stripes, Motif::Checks, Motif::Flowers, Motif::Dots]);
    let plain = easel.wanted.is_none() && easel.dice.chance(60);
    let woven = easel.weave(motif, (44.0, 44.0), 0.0);
    easel.pen.fill(&shape, if plain { Paint::from(easel.main) } else { woven });
    easel.pen.inside(&shape);
    folds(easel, 240.0 - wide, 240.0 + wide, top, base);
    easel.pen.close();
    let pocket = Path::at(166.0, 286.0)
        .to(314.0, 286.0)
        .to(314.0, 358.0)
        .bend((314.0, 376.0), 296.0, 376.0)
        .to(184.0, 376.0)
        .bend((166.0, 376.0), 166.0, 358.0)
        .close();
    easel.cast(&pocket, 3.0, 5.0);
    easel.pen.fill(&pocket, if plain { woven } else { Paint::from(easel.main) });
    easel.pen.line(&Path::at(240.0, 288.0).to(240.0, 375.0), easel.main.deep(), 2.5);
    easel.pen.stitch(&Path::at(166.0, 297.0).to(314.0, 297.0), easel.second, 3.0, 7.0);
    easel.pen.stitch(
        &Path::at(240.0 - bib + 4.0, top + 15.0).bend((240.0, top + 23.0), 240.0 + bib - 4.0, top + 15.0),
        easel.second,
        3.0,
        7.0,
    );
}

/// A quilted tea cosy.
pub fn cosy(easel: &mut Easel) {
    easel.table(18.0);
    let (half, top, base) = (easel.dice.between(140.0, 156.0), easel.dice.between(146.0, 168.0), 400.0);
    easel.shadow(240.0, base - 4.0, half);
    let dome = Path::at(240.0 - half, base - 10.0)
        .curve((240.0 - half - 10.0, top + 40.0), (240.0 - half * 0.6, top), 240.0, top)
        .curve((240.0 + half * 0.6, top), (240.0 + half + 10.0, top + 40.0), 240.0 + half, base - 10.0)
        .bend((240.0, base + 18.0), 240.0 - half, base - 10.0)
        .close();
    easel.tube(
        &Path::at(226.0, top + 8.0).curve((196.0, top - 60.0), (284.0, top - 60.0), 254.0, top + 8.0),
        easel.accent,
        12.0,
    );
    easel.pen.fill(&dome, easel.main);
    easel.pen.inside(&dome);
    let step = easel.dice.between(40.0, 54.0);
    let (mut quilt, mut at) = (Path::at(0.0, 0.0), -480.0);
    while at < 960.0 {
        quilt = quilt.and(at, 480.0).to(at + 300.0, 60.0).and(at, 60.0).to(at + 300.0, 480.0);
        at += step * 1.4;
    }
    easel.pen.placed(2.0, 3.0, 1.0);
    easel.pen.line(&quilt, easel.main.lit(), 3.0);
    easel.pen.close();
    easel.pen.line(&quilt, easel.main.mix(INK, 30), 3.0);
    let (a, b) = (240.0 - half - 20.0, 240.0 + half + 20.0);
    let band = Path::at(a, base - 44.0)
        .bend((240.0, base - 18.0), b, base - 44.0)
        .to(b, base + 30.0)
        .to(a, base + 30.0)
        .close();
    let motif = easel.motif([Motif::Flowers, Motif::Dots, Motif::Stripes, Motif::Leaves]);
    let yarn = Yarn { base: easel.second, figure: easel.accent, accent: easel.main };
    let trim = weave(&mut easel.pen, motif, yarn, 30.0, 0.0);
    easel.pen.fill(&band, trim);
    easel.pen.dim(
        &Path::at(300.0, top - 10.0)
            .curve((350.0, top + 60.0), (360.0, base - 80.0), 340.0, base + 20.0)
            .to(440.0, base + 20.0)
            .to(440.0, top - 10.0)
            .close(),
        16,
    );
    easel.pen.close();
    easel.pen.line(
        &Path::at(240.0 - half, base - 44.0).bend((240.0, base - 18.0), 240.0 + half, base - 44.0),
        easel.accent,
        5.0,
    );
}

/// A hot-water bottle in its cover.
pub fn warmer(easel: &mut Easel) {
    easel.wall();
    let (half, top, base) = (easel.dice.between(106.0, 120.0), 164.0, 424.0);
    let lean = easel.dice.between(-9.0, 9.0);
    easel.pen.turned(lean, 240.0, 260.0);
    let shape = Path::at(212.0, 112.0)
        .to(268.0, 112.0)
        .curve((266.0, 150.0), (276.0, top), 290.0, top)
        .bend((240.0 + half, top), 240.0 + half, top + 56.0)
        .to(240.0 + half, base - 60.0)
        .bend((240.0 + half, base), 240.0 + half - 60.0, base)
        .to(240.0 - half + 60.0, base)
        .bend((240.0 - half, base), 240.0 - half, base - 60.0)
        .to(240.0 - half, top + 56.0)
        .bend((240.0 - half, top), 190.0, top)
        .curve((204.0, top), (214.0, 150.0), 212.0, 112.0)
        .close();
    easel.cast(&shape, 10.0, 14.0);
    easel.pen.slab(222.0, 52.0, 36.0, 46.0, 8.0, easel.accent.dim());
    easel.pen.slab(214.0, 46.0, 52.0, 22.0, 8.0, easel.accent);
    let motif = easel.motif([
        Motif::Crosses,
        Motif::Herringbone,
        Motif::Plaid,
        Motif::Stripes,
        Motif::Dots,
        Motif::Diamonds,
        Motif::Stars,
    ]);
    let knit = easel.weave(motif, (38.0, 52.0), 0.0);
    easel.pen.fill(&shape, knit);
    easel.pen.inside(&shape);
    easel.pen.dim(
        &Path::at(300.0, 90.0).bend((314.0, 300.0), 280.0, 440.0).to(400.0, 440.0).to(400.0, 90.0).close(),
        15,
    );
    easel.pen.close();
    // The ribbed neck.
    easel.pen.slab(202.0, 90.0, 76.0, 46.0, 14.0, easel.main.dim());
    let mut ribs = Path::at(214.0, 97.0).to(214.0, 129.0);
    for rib in 1..6_u32 {
        let x = 214.0 + f64::from(rib) * 10.4;
        ribs = ribs.and(x, 97.0).to(x, 129.0);
    }
    easel.pen.line(&ribs, easel.main.mix(GLOW, 24), 4.0);
    easel.pen.close();
}
