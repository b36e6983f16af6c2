//! What lies on a desk: paper, books, pens, parcels.

use crate::carried::blossom;
use crate::easel::Easel;
use crate::palette::{Colour, GLOW, INK};
use crate::pattern::{Motif, Yarn, weave};
use crate::pen::Path;
use crate::tint::named::{BRASS, CHALK, KRAFT, MOSS};

/// A landscape of hills and a sun, within a box.
pub fn landscape(easel: &mut Easel, at: (f64, f64), size: (f64, f64)) {
    let (x, y, w, h) = (at.0, at.1, size.0, size.1);
    easel.pen.inside(&Path::rounded(x, y, w, h, 0.0));
    easel.pen.slab(x, y, w, h, 0.0, easel.second.mix(GLOW, 20));
    let sun = (x + w * easel.dice.between(0.24, 0.76), y + h * easel.dice.between(0.22, 0.38));
    easel.pen.dot(sun.0, sun.1, w * easel.dice.between(0.11, 0.2), easel.accent);
    let mut level = 0.5;
    for hill in [easel.main.mix(GLOW, 42), easel.main, easel.main.deep()] {
        let (a, b) = (easel.dice.between(-0.14, 0.1), easel.dice.between(-0.1, 0.14));
        let path = Path::at(x - 4.0, y + h * (level + b))
            .curve(
                (x + w * 0.3, y + h * (level + a - 0.12)),
                (x + w * 0.6, y + h * (level + b + 0.14)),
                x + w + 4.0,
                y + h * (level + a),
            )
            .to(x + w + 4.0, y + h + 4.0)
            .to(x - 4.0, y + h + 4.0)
            .close();
        easel.pen.fill(&path, hill);
        level += 0.17;
    }
    easel.pen.close();
}

/// A notebook, from above.
pub fn notebook(easel: &mut Easel) {
    easel.wall();
    let (w, h) = (easel.dice.between(218.0, 240.0), easel.dice.between(306.0, 326.0));
    let (x, y) = (240.0 - w / 2.0, 240.0 - h / 2.0);
    easel.pen.turned(easel.dice.between(-9.0, 9.0), 240.0, 240.0);
    easel.cast(&Path::rounded(x, y, w + 10.0, h + 10.0, 12.0), 10.0, 13.0);
    easel.pen.slab(x + 4.0, y + 6.0, w + 5.0, h + 3.0, 10.0, easel.main.deep());
    easel.pen.slab(x + 6.0, y + 6.0, w, h - 1.0, 8.0, CHALK);
    easel.pen.line(&Path::at(x + 20.0, y + h + 2.0).to(x + w, y + h + 2.0), CHALK.deep().mix(CHALK, 60), 1.5);
    easel.pen.slab(x, y, w, h, 11.0, easel.main);
    easel.pen.inside(&Path::rounded(x, y, w, h, 11.0));
    let way = easel.dice.below(3);
    if way == 0 || easel.wanted.is_some() {
        let motif = easel.motif([
            Motif::Dots,
            Motif::Waves,
            Motif::Leaves,
            Motif::Tiles,
            Motif::Flowers,
            Motif::Triangles,
        ]);
        let paper = easel.weave(motif, (46.0, 46.0), 0.0);
        easel.pen.slab(x + 44.0, y, w, h, 0.0, paper);
    }
    easel.pen.slab(x, y, 44.0, h, 0.0, if way == 1 { easel.main.dim() } else { easel.accent });
    easel.pen.stitch(&Path::at(x + 22.0, y + 14.0).to(x + 22.0, y + h), easel.second, 4.0, 13.0);
    easel.pen.lit(&Path::polygon(&[(x + 44.0, y), (x + w * 0.9, y), (x + 44.0, y + h * 0.66)]), 13);
    easel.pen.close();
    if way == 1 {
        easel.pen.slab(x + w - 40.0, y - 1.0, 14.0, h + 2.0, 2.0, easel.accent);
    }
    if way != 2 || easel.dice.chance(60) {
        let (lx, ly) = (x + 72.0, y + h * 0.22);
        easel.pen.slab(lx - 3.0, ly - 3.0, w - 128.0, 72.0, 7.0, easel.accent);
        easel.pen.slab(lx, ly, w - 134.0, 66.0, 5.0, CHALK);
        let lines = Path::at(lx + 16.0, ly + 26.0)
            .to(lx + w - 150.0, ly + 26.0)
            .and(lx + 16.0, ly + 43.0)
            .to(lx + w - 172.0, ly + 43.0);
        easel.pen.line(&lines, easel.main.mix(CHALK, 25), 4.5);
    }
    easel.pen.close();
}

/// A hardback book.
pub fn book(easel: &mut Easel) {
    easel.table(0.0);
    let (w, h) = (easel.dice.between(208.0, 228.0), easel.dice.between(286.0, 308.0));
    let (x, y) = (130.0, 400.0 - h);
    let deep = easel.dice.between(24.0, 44.0);
    easel.shadow(252.0, 398.0, 132.0);
    // The spine, then the pages above, then the cover.
    easel.pen.fill(
        &Path::polygon(&[(x, y), (x - deep, y - deep * 0.32), (x - deep, 400.0 - deep * 0.42), (x, 400.0)]),
        easel.main.lit(),
    );
    easel.pen.fill(
        &Path::polygon(&[(x, y), (x - deep, y - deep * 0.32), (x + w - deep, y - deep * 0.32), (x + w, y)]),
        CHALK,
    );
    let edges = Path::at(x - deep * 0.66, y - deep * 0.2)
        .to(x + w - deep * 0.66, y - deep * 0.2)
        .and(x - deep * 0.33, y - deep * 0.1)
        .to(x + w - deep * 0.33, y - deep * 0.1);
    easel.pen.line(&edges, CHALK.dim(), 1.5);
    for band in [0.12, 0.84] {
        let top = y + h * band;
        easel.pen.fill(
            &Path::polygon(&[
                (x, top),
                (x - deep, top - deep * 0.34),
                (x - deep, top + 9.0 - deep * 0.34),
                (x, top + 9.0),
            ]),
            easel.accent,
        );
    }
    easel.pen.slab(x, y, w, h, 3.0, easel.main);
    let title = y + 30.0;
    match easel.dice.below(3) {
        0 => landscape(easel, (x + 22.0, y + 92.0), (w - 44.0, h - 116.0)),
        1 => {
            let motif =
                easel.motif([Motif::Leaves, Motif::Waves, Motif::Flowers, Motif::Tiles, Motif::Diamonds]);
            let yarn = Yarn { base: easel.second, figure: easel.main, accent: easel.accent };
            let paper = weave(&mut easel.pen, motif, yarn, 44.0, 0.0);
            easel.pen.slab(x + 22.0, y + 92.0, w - 44.0, h - 116.0, 0.0, paper);
        }
        _ => {
            let (cx, cy) = (x + w / 2.0, y + h * 0.62);
            easel.pen.dot(cx, cy, w * 0.34, easel.second);
            easel.pen.fill(
                &Path::at(cx - w * 0.34, cy).arc(w * 0.34, w * 0.34, false, cx + w * 0.34, cy).close(),
                easel.accent,
            );
            easel.pen.dot(cx, cy, w * 0.13, easel.main);
        }
    }
    let wide = easel.dice.between(0.5, 0.74) * w;
    let lines = Path::at(x + w / 2.0 - wide / 2.0, title)
        .to(x + w / 2.0 + wide / 2.0, title)
        .and(x + w / 2.0 - wide * 0.3, title + 26.0)
        .to(x + w / 2.0 + wide * 0.3, title + 26.0);
    let ink = if easel.main.distance(CHALK) > 70.0 { CHALK } else { easel.accent };
    easel.pen.line(&lines, ink, 11.0);
    easel.pen.dim(&Path::polygon(&[(x, y), (x + 12.0, y), (x + 12.0, 400.0), (x, 400.0)]), 18);
    easel.pen.lit(&Path::polygon(&[(x + 12.0, y), (x + w * 0.8, y), (x + 12.0, y + h * 0.6)]), 12);
}

/// A pen and a pencil, from above.
pub fn pen(easel: &mut Easel) {
    easel.wall();
    let barrel = if easel.tinted { easel.main } else { easel.dice.pick([easel.main, BRASS, easel.main]) };
    easel.seen = (barrel, Some(easel.accent));
    easel.pen.turned(easel.dice.between(-50.0, -38.0), 240.0, 240.0);
    // A pencil of six sides.
    let y = 292.0;
    let body = Path::polygon(&[
        (60.0, y - 19.0),
        (368.0, y - 19.0),
        (430.0, y),
        (368.0, y + 19.0),
        (60.0, y + 19.0),
    ]);
    easel.cast(&body, -4.0, 16.0);
    easel.pen.fill(
        &Path::polygon(&[(366.0, y - 19.0), (430.0, y), (366.0, y + 19.0)]),
        Colour { word: "wood", rgb: 0xe9_c995 },
    );
    easel.pen.fill(&Path::polygon(&[(408.0, y - 6.6), (430.0, y), (408.0, y + 6.6)]), INK);
    easel.pen.slab(84.0, y - 19.0, 284.0, 38.0, 0.0, easel.accent);
    easel.pen.slab(84.0, y - 19.0, 284.0, 12.0, 0.0, easel.accent.lit());
    easel.pen.slab(84.0, y + 7.0, 284.0, 12.0, 0.0, easel.accent.dim());
    easel.pen.slab(62.0, y - 19.0, 26.0, 38.0, 0.0, BRASS);
    easel.pen.slab(44.0, y - 18.0, 24.0, 36.0, 8.0, easel.second);
    // The pen: cap, clip, barrel, point.
    let y = 192.0;
    easel.cast(&Path::rounded(52.0, y - 24.0, 370.0, 48.0, 20.0), -4.0, 18.0);
    easel.pen.fill(
        &Path::polygon(&[
            (352.0, y - 22.0),
            (414.0, y - 8.0),
            (436.0, y),
            (414.0, y + 8.0),
            (352.0, y + 22.0),
        ]),
        barrel.mix(INK, 30),
    );
    easel.pen.slab(50.0, y - 24.0, 310.0, 48.0, 20.0, barrel);
    easel.pen.slab(190.0, y - 25.0, 14.0, 50.0, 3.0, easel.second);
    easel.pen.lit(&Path::rounded(64.0, y - 17.0, 284.0, 9.0, 4.5), 45);
    easel.pen.dim(&Path::rounded(54.0, y + 6.0, 304.0, 18.0, 9.0), 20);
    easel.pen.slab(64.0, y - 7.0, 120.0, 11.0, 5.0, barrel.mix(GLOW, 30));
    easel.pen.dot(178.0, y - 1.5, 8.0, barrel.mix(GLOW, 30));
    easel.pen.close();
}

/// A calendar with a sheet for a month.
pub fn calendar(easel: &mut Easel) {
    easel.wall();
    let (w, y, h) = (easel.dice.between(236.0, 258.0), 96.0, 326.0);
    let x = 240.0 - w / 2.0;
    easel.pen.line(&Path::at(x + 40.0, y).to(240.0, 46.0).to(x + w - 40.0, y), INK, 3.0);
    easel.pen.dot(240.0, 44.0, 7.0, BRASS);
    easel.cast(&Path::rounded(x, y, w, h, 3.0), 9.0, 13.0);
    easel.pen.slab(x, y, w, h, 3.0, CHALK);
    landscape(easel, (x + 16.0, y + 22.0), (w - 32.0, 138.0));
    let ink = if easel.main.distance(CHALK) > 90.0 { easel.main } else { INK };
    let first = easel.dice.below(7);
    let today = easel.dice.below(28);
    for day in 0..30 {
        let (column, row) = ((day + first) % 7, (day + first) / 7);
        let (column, row) = (u32::try_from(column).unwrap_or(0), u32::try_from(row).unwrap_or(0));
        let (cx, cy) = (x + 26.0 + f64::from(column) * (w - 52.0) / 6.0, y + 194.0 + f64::from(row) * 23.0);
        if day == today {
            easel.pen.dot(cx, cy, 10.5, easel.accent);
        } else {
            easel.pen.dot(cx, cy, 5.0, if column == 6 { easel.accent } else { ink.mix(CHALK, 20) });
        }
    }
    easel.pen.slab(x, y - 6.0, w, 18.0, 4.0, easel.main);
    easel.pen.dim(
        &Path::polygon(&[
            (x + w, y + 12.0),
            (x + w, y + h),
            (x, y + h),
            (x + 8.0, y + h - 8.0),
            (x + w - 8.0, y + h - 8.0),
        ]),
        10,
    );
}

/// A card and its envelope, from above.
pub fn card(easel: &mut Easel) {
    easel.wall();
    let lean = easel.dice.between(5.0, 11.0);
    let envelope = if easel.ground.distance(KRAFT) > 40.0 { KRAFT } else { easel.accent };
    easel.pen.turned(lean, 240.0, 240.0);
    let (x, y, w, h) = (104.0, 190.0, 300.0, 206.0);
    easel.cast(&Path::rounded(x, y, w, h, 5.0), 9.0, 12.0);
    easel.pen.slab(x, y, w, h, 5.0, envelope);
    easel
        .pen
        .fill(&Path::polygon(&[(x, y + h), (x + w / 2.0, y + h * 0.44), (x + w, y + h)]), envelope.lit());
    easel.pen.line(
        &Path::at(x + 3.0, y + 4.0).to(x + w / 2.0, y + h * 0.56).to(x + w - 3.0, y + 4.0),
        envelope.deep(),
        2.5,
    );
    easel.pen.close();
    easel.pen.turned(-lean * 0.7, 240.0, 240.0);
    let (x, y, w, h) = (128.0, 60.0, easel.dice.between(200.0, 216.0), 276.0);
    easel.cast(&Path::rounded(x, y, w, h, 4.0), 8.0, 11.0);
    easel.pen.slab(x, y, w, h, 4.0, CHALK);
    easel.pen.slab(x + 12.0, y + 12.0, w - 24.0, h - 24.0, 2.0, easel.main);
    let (cx, cy) = (x + w / 2.0, y + h * 0.44);
    match easel.dice.below(3) {
        0 => {
            for (dx, dy, r) in [(0.0, -20.0, 44.0), (-48.0, 44.0, 30.0), (46.0, 56.0, 34.0)] {
                easel.pen.line(
                    &Path::at(cx + dx, cy + dy).bend((cx + dx, cy + 90.0), cx, cy + 128.0),
                    MOSS.lit(),
                    5.0,
                );
                blossom(easel, cx + dx, cy + dy, r);
            }
        }
        1 => landscape(easel, (x + 12.0, y + 12.0), (w - 24.0, h - 24.0)),
        _ => {
            let motif = easel.motif([Motif::Stars, Motif::Dots, Motif::Flowers, Motif::Triangles]);
            let paper = easel.weave(motif, (44.0, 44.0), 0.0);
            easel.pen.slab(x + 12.0, y + 12.0, w - 24.0, h - 24.0, 2.0, paper);
            easel.pen.slab(cx - 56.0, cy - 10.0, 112.0, 62.0, 31.0, CHALK);
            easel.pen.line(&Path::at(cx - 30.0, cy + 21.0).to(cx + 30.0, cy + 21.0), easel.accent, 9.0);
        }
    }
    easel.pen.close();
}

/// A paper packet with a plant.
pub fn packet(easel: &mut Easel) {
    easel.table(0.0);
    let (half, top, base) = (easel.dice.between(100.0, 112.0), easel.dice.between(94.0, 112.0), 402.0);
    let (l, r) = (240.0 - half, 240.0 + half);
    easel.shadow(240.0, base - 4.0, half);
    easel.pen.fill(
        &Path::polygon(&[
            (r - 2.0, top + 4.0),
            (r + 24.0, top + 14.0),
            (r + 22.0, base - 12.0),
            (r - 2.0, base),
        ]),
        easel.main.deep(),
    );
    easel.pen.slab(l, top, half * 2.0, base - top, 4.0, easel.main);
    let mut teeth = Path::at(l, top + 2.0);
    let count = 12_u32;
    for tooth in 0..count {
        let (x, step) = (l + half * 2.0 * f64::from(tooth) / f64::from(count), half * 2.0 / f64::from(count));
        teeth = teeth.to(x + step / 2.0, top - 8.0).to(x + step, top + 2.0);
    }
    easel.pen.fill(&teeth.close(), easel.main.dim());
    easel.pen.slab(l, top, half * 2.0, 40.0, 0.0, easel.main.dim());
    easel.pen.stitch(&Path::at(l + 6.0, top + 28.0).to(r - 6.0, top + 28.0), easel.second, 3.0, 8.0);
    let (x, y, w, h) = (l + 20.0, top + 62.0, half * 2.0 - 40.0, 172.0);
    easel.pen.slab(x, y, w, h, w / 2.0, easel.second.mix(GLOW, 30));
    plant(easel, 240.0, y + h - 16.0, h - 56.0);
    let line = base - 36.0;
    easel.pen.line(
        &Path::at(l + 46.0, line - 8.0)
            .to(r - 46.0, line - 8.0)
            .and(l + 70.0, line + 13.0)
            .to(r - 70.0, line + 13.0),
        easel.second,
        8.0,
    );
    easel.pen.dim(&Path::polygon(&[(r - 36.0, top), (r, top), (r, base), (r - 22.0, base)]), 13);
    easel.pen.lit(&Path::polygon(&[(l + 8.0, top), (l + 22.0, top), (l + 22.0, base), (l + 8.0, base)]), 20);
}

/// A young plant with leaves in pairs.
fn plant(easel: &mut Easel, x: f64, y: f64, tall: f64) {
    easel.pen.line(&Path::at(x, y).to(x, y - tall * 0.9), MOSS.deep(), 5.0);
    let pairs = easel.dice.pick([3_u32, 4]);
    for pair in 0..pairs {
        let level = y - tall * (0.2 + 0.7 * f64::from(pair) / f64::from(pairs));
        let reach = tall * (0.44 - 0.07 * f64::from(pair));
        for side in [-1.0, 1.0] {
            let leaf = Path::at(x, level)
                .bend((x + reach * 0.4 * side, level - reach * 0.8), x + reach * side, level - reach * 0.6)
                .bend((x + reach * 0.9 * side, level + reach * 0.1), x, level)
                .close();
            easel.pen.fill(&leaf, if side < 0.0 { MOSS.mix(GLOW, 18) } else { MOSS });
        }
    }
    easel.pen.oval(x, y - tall * 0.95, 8.0, 16.0, easel.accent);
    easel.pen.line(&Path::at(x - 36.0, y).to(x + 36.0, y), MOSS.deep(), 5.0);
}

/// A parcel with a bow.
pub fn parcel(easel: &mut Easel) {
    easel.table(18.0);
    let (half, top, base) = (easel.dice.between(132.0, 152.0), easel.dice.between(216.0, 246.0), 400.0);
    let (l, r, deep) = (240.0 - half, 240.0 + half, 44.0);
    easel.shadow(240.0, base - 4.0, half);
    let motif = easel.motif([
        Motif::Dots,
        Motif::Stars,
        Motif::Stripes,
        Motif::Leaves,
        Motif::Triangles,
        Motif::Checks,
        Motif::Flowers,
    ]);
    let paper = easel.weave(motif, (40.0, 56.0), 0.0);
    easel.pen.slab(l, top, half * 2.0, base - top, 2.0, paper);
    let lid = Path::polygon(&[(l, top), (l + 34.0, top - deep), (r - 34.0, top - deep), (r, top)]);
    easel.pen.fill(&lid, paper);
    easel.pen.lit(&lid, 32);
    easel.pen.dim(&Path::rounded(l, top, half * 2.0, base - top, 0.0), 7);
    easel.pen.dim(&Path::polygon(&[(r - half * 0.5, top), (r, top), (r, base), (r - half * 0.36, base)]), 13);
    let x = 240.0 + easel.dice.between(-40.0, 10.0);
    easel.pen.slab(x - 15.0, top, 30.0, base - top, 0.0, easel.accent);
    easel.pen.fill(
        &Path::polygon(&[(x - 15.0, top), (x - 12.0, top - deep), (x + 12.0, top - deep), (x + 15.0, top)]),
        easel.accent.lit(),
    );
    let y = top - deep * 0.5;
    for side in [-1.0, 1.0] {
        let end = Path::polygon(&[
            (x, y),
            (x + 70.0 * side, y + 46.0),
            (x + 50.0 * side, y + 48.0),
            (x + 52.0 * side, y + 66.0),
        ]);
        easel.pen.fill(&end, easel.accent.dim());
        let bow = Path::at(x, y)
            .curve((x + 30.0 * side, y - 92.0), (x + 130.0 * side, y - 66.0), x + 84.0 * side, y - 10.0)
            .bend((x + 50.0 * side, y + 20.0), x, y)
            .close();
        easel.pen.fill(&bow, if side < 0.0 { easel.accent } else { easel.accent.mix(INK, 10) });
        let hollow = Path::at(x + 22.0 * side, y - 10.0)
            .curve((x + 40.0 * side, y - 58.0), (x + 94.0 * side, y - 50.0), x + 70.0 * side, y - 16.0)
            .bend((x + 46.0 * side, y + 2.0), x + 22.0 * side, y - 10.0)
            .close();
        easel.pen.fill(&hollow, easel.accent.deep());
    }
    easel.pen.slab(x - 17.0, y - 18.0, 34.0, 34.0, 12.0, easel.accent.lit());
}
