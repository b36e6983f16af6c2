//! What stands on the table and is eaten or drunk from.

use crate::easel::Easel;
use crate::glaze::glaze;
use crate::lathe::Lathe;
use crate::palette::{Colour, GLOW, INK};
use crate::pattern::{flower, star};
use crate::pen::Path;

const TEA: Colour = Colour { word: "tea", rgb: 0xb8_6b34 };
const COFFEE: Colour = Colour { word: "coffee", rgb: 0x5e_3d2c };

/// Two threads of steam above a drink.
fn steam(easel: &mut Easel, x: f64, y: f64) {
    easel.pen.sheer(55);
    for shift in [-20.0, 18.0] {
        let (x, tall) = (x + shift, easel.dice.between(58.0, 82.0));
        let path = Path::at(x, y)
            .curve((x - 20.0, y - tall * 0.3), (x + 20.0, y - tall * 0.5), x, y - tall * 0.75)
            .bend((x - 9.0, y - tall * 0.9), x - 2.0, y - tall);
        easel.pen.line(&path, GLOW, 6.0);
    }
    easel.pen.close();
}

/// A bowl on a foot.
pub fn bowl(easel: &mut Easel) {
    easel.table(36.0);
    let (r, top) = (easel.dice.between(150.0, 174.0), easel.dice.between(196.0, 232.0));
    let (foot, belly) = (easel.dice.between(58.0, 84.0), easel.dice.between(0.8, 0.97));
    let high = easel.dice.between(10.0, 24.0);
    let base = 392.0;
    let pot = Lathe::new(
        240.0,
        0.2,
        &[
            (top, r),
            (top + (base - top) * 0.42, r * belly),
            (top + (base - top) * 0.76, r * (belly - 0.26)),
            (base - high, foot),
            (base - high, foot),
            (base, foot * 1.06),
        ],
    );
    easel.shadow(240.0, base + 4.0, foot * 1.35);
    pot.paint(easel, easel.main, glaze);
    let rim = easel.main.lit();
    let lip = easel.dice.between(6.0, 11.0);
    pot.mouth(easel, lip, rim, easel.second);
}

/// A wide, low dish.
pub fn dish(easel: &mut Easel) {
    easel.table(26.0);
    let (r, base) = (easel.dice.between(172.0, 188.0), 362.0);
    let top = base - easel.dice.between(64.0, 92.0);
    let foot = r * easel.dice.between(0.62, 0.78);
    let pot = Lathe::new(240.0, 0.36, &[(top, r), (top + (base - top) * 0.5, r * 0.95), (base, foot)]);
    let rim = easel.dice.pick([easel.accent, easel.second, easel.main]);
    easel.seen = (easel.main, Some(rim));
    easel.shadow(240.0, base + 14.0, foot * 1.2);
    pot.paint(easel, easel.main, |easel, pot| {
        let (upper, lower) = (pot.top() - 4.0, pot.level(0.16));
        easel.pen.fill(&pot.ring(upper, lower), rim);
        if easel.dice.chance(50) {
            easel.pen.line(&pot.around(pot.level(0.4)), easel.second, 5.0);
        }
    });
    let inner = easel.main.lit().mix(GLOW, 16);
    pot.mouth(easel, 9.0, rim.lit(), inner);
    // Rings of the wheel, or of the grain.
    let (tilt, inner) = (pot.tilt, inner.mix(INK, 16));
    easel.pen.inside(&Path::oval(240.0, top, r - 9.0, (r - 9.0) * tilt));
    for part in [0.62, 0.4, 0.18] {
        let (rx, y) = (r * part, top + 16.0);
        easel.pen.line(&Path::oval(244.0, y, rx, rx * tilt), inner, 2.5);
    }
    easel.pen.close();
}

/// A plate, from above.
pub fn plate(easel: &mut Easel) {
    easel.wall();
    let (c, r) = (240.0, easel.dice.between(172.0, 186.0));
    let well = r * easel.dice.between(0.6, 0.7);
    easel.cast(&Path::oval(c, c, r, r), 12.0, 16.0);
    easel.pen.dot(c, c, r, easel.main);
    easel.pen.inside(&Path::oval(c, c, r, r));
    easel.pen.line(&Path::oval(c, c, r - 5.0, r - 5.0), easel.accent, easel.dice.pick([4.0, 10.0]));
    let (count, way) = (easel.dice.pick([12_u32, 16, 20]), easel.dice.below(4));
    let middle = f64::midpoint(r, well) - 3.0;
    for step in 0..count {
        let angle = f64::from(step) * std::f64::consts::TAU / f64::from(count);
        let (x, y) = (c + middle * angle.sin(), c - middle * angle.cos());
        match way {
            0 => easel.pen.dot(x, y, 9.0, easel.second),
            1 => {
                easel.pen.turned(angle.to_degrees(), x, y);
                easel.pen.oval(x, y, 6.0, 19.0, easel.second);
                easel.pen.close();
            }
            2 => easel.pen.fill(&star(x, y, 15.0, 4, 0.4), easel.second),
            _ => {
                let colour = if step % 2 == 0 { easel.second } else { easel.accent };
                easel.pen.dot(x, y, if step % 2 == 0 { 12.0 } else { 5.0 }, colour);
            }
        }
    }
    easel.pen.dim(&Path::oval(c + 3.0, c + 4.0, well + 5.0, well + 5.0), 12);
    easel.pen.dot(c, c, well, easel.main.lit());
    match easel.dice.below(3) {
        0 => flower(&mut easel.pen, c, c, well * 0.5, easel.second, easel.accent),
        1 => easel.pen.line(&Path::oval(c, c, well * 0.72, well * 0.72), easel.second, 6.0),
        _ => easel.pen.fill(&star(c, c, well * 0.56, 8, 0.6), easel.second),
    }
    let glint =
        Path::at(c - r * 0.86, c - r * 0.22).arc(r * 0.89, r * 0.89, true, c - r * 0.22, c - r * 0.86);
    easel.pen.sheer(45);
    easel.pen.line(&glint, GLOW, 7.0);
    easel.pen.close();
    easel.pen.close();
}

/// A mug with a handle.
pub fn mug(easel: &mut Easel) {
    easel.table(20.0);
    let (r, top, base) = (easel.dice.between(102.0, 118.0), easel.dice.between(164.0, 196.0), 390.0);
    let (waist, foot) = (easel.dice.between(0.92, 1.06), easel.dice.between(0.8, 0.98));
    let pot = Lathe::new(
        216.0,
        0.17,
        &[
            (top, r),
            (top + (base - top) * 0.5, r * waist),
            (base - 18.0, r * foot),
            (base - 18.0, r * foot),
            (base, r * foot - 10.0),
        ],
    );
    easel.shadow(222.0, base + 6.0, r);
    let reach = easel.dice.between(78.0, 96.0);
    let (x, from, to) = (216.0 + r - 8.0, top + 46.0, base - 58.0);
    let handle = if easel.dice.chance(60) {
        Path::at(x, from).curve((x + reach * 1.2, from - 26.0), (x + reach * 1.2, to + 14.0), x - 4.0, to)
    } else {
        let right = x + reach * 0.86;
        Path::at(x, from).to(right - 26.0, from).bend((right, from), right, from + 30.0).bend(
            (right, to),
            x - 4.0,
            to,
        )
    };
    let thick = easel.dice.between(20.0, 27.0);
    easel.tube(&handle, easel.main, thick);
    pot.paint(easel, easel.main, glaze);
    pot.mouth(easel, 7.0, easel.main.lit(), easel.second);
    if easel.dice.chance(60) {
        pot.drink(easel, 7.0, COFFEE);
        steam(easel, 216.0, top - 22.0);
    }
}

/// A cup on a saucer.
pub fn cup(easel: &mut Easel) {
    easel.table(24.0);
    let (r, top, base) = (easel.dice.between(98.0, 116.0), easel.dice.between(206.0, 224.0), 362.0);
    let round = easel.dice.between(0.84, 0.98);
    let saucer = Lathe::new(240.0, 0.24, &[(366.0, 176.0), (386.0, 140.0), (394.0, 84.0)]);
    easel.shadow(240.0, 398.0, 128.0);
    saucer.plain(easel, easel.second);
    saucer.cap(easel, easel.second.lit());
    easel.pen.line(&Path::oval(240.0, 366.0, 160.0, 38.0), easel.accent, 3.5);
    easel.pen.oval(256.0, 372.0, r * 0.8, r * 0.2, easel.second.mix(INK, 24));
    if easel.dice.chance(55) {
        let (x, y) = (240.0 + r - 8.0, top + 32.0);
        let handle = Path::at(x, y).curve((x + 74.0, y - 22.0), (x + 66.0, y + 66.0), x - 14.0, y + 62.0);
        easel.tube(&handle, easel.main, 15.0);
    }
    let pot = Lathe::new(
        240.0,
        0.19,
        &[
            (top, r),
            (top + 66.0, r * round),
            (base - 20.0, r * 0.56),
            (base - 6.0, r * 0.44),
            (base + 4.0, r * 0.48),
        ],
    );
    pot.paint(easel, easel.main, glaze);
    pot.mouth(easel, 5.0, easel.main.lit(), easel.main.lit());
    pot.drink(easel, 5.0, TEA);
    steam(easel, 240.0, top - 24.0);
}

/// A glass with something in it.
pub fn glass(easel: &mut Easel) {
    easel.table(20.0);
    let two = easel.dice.chance(70);
    let (r, tall) = (easel.dice.between(74.0, 88.0), easel.dice.between(176.0, 214.0));
    let (round, foot) = (easel.dice.between(0.96, 1.12), easel.dice.between(0.68, 0.92));
    let places: &[(f64, f64, f64)] =
        if two { &[(322.0, 372.0, 0.94), (176.0, 392.0, 1.0)] } else { &[(240.0, 392.0, 1.2)] };
    let clear = easel.ground.mix(GLOW, 55);
    let seen =
        |drink: Colour, else_this: Colour| if drink.distance(clear) > 70.0 { drink } else { else_this };
    let drinks = [seen(easel.main, easel.second), seen(easel.accent, easel.main)];
    easel.seen = (drinks[0], two.then_some(drinks[1]));
    for (index, (cx, base, scale)) in places.iter().rev().enumerate().collect::<Vec<_>>().into_iter().rev() {
        let (r, top) = (r * scale, base - tall * scale);
        let pot =
            Lathe::new(*cx, 0.18, &[(top, r), (top + (base - top) * 0.5, r * round), (*base, r * foot)]);
        easel.shadow(*cx, base + 6.0, r * foot);
        let drink = drinks[index % 2];
        pot.paint(easel, clear, |easel, pot| {
            let inner = |level: f64, inset: f64| (pot.level(level), pot.radius(pot.level(level)) - inset);
            let wine = Lathe::new(*cx, 0.18, &[inner(0.3, 9.0), inner(0.6, 9.0), inner(0.93, 13.0)]);
            easel.pen.fill(&wine.outline(), drink);
            wine.cap(easel, drink.lit());
            easel.pen.oval(*cx, pot.level(0.3), wine.radius(pot.level(0.3)) * 0.9, 8.0, drink.mix(GLOW, 20));
        });
        let ry = r * 0.18;
        easel.pen.line(&Path::oval(*cx, top, r - 1.5, ry - 1.0), GLOW, 3.0);
    }
}
