//! Round things: a profile that is turned around an upright axis and seen from a little above.

use crate::easel::Easel;
use crate::palette::{Colour, INK};
use crate::pen::{Paint, Path, handles};

/// A turned body. The profile goes from the rim down: height on the sheet, and radius there.
#[derive(Clone)]
pub struct Lathe {
    /// The axis.
    pub cx: f64,
    /// How far from above it is seen: height of an ellipse over its width.
    pub tilt: f64,
    profile: Vec<(f64, f64)>,
    shines: bool,
}

impl Lathe {
    /// A body; the same point twice makes an edge.
    pub fn new(cx: f64, tilt: f64, profile: &[(f64, f64)]) -> Self {
        Self { cx, tilt, profile: profile.to_vec(), shines: true }
    }

    /// Without a gleam: cloth, paper, cane.
    pub fn matte(self) -> Self {
        Self { shines: false, ..self }
    }

    /// Height of the rim on the sheet.
    pub fn top(&self) -> f64 {
        self.profile.first().map_or(0.0, |point| point.0)
    }

    /// Height of the foot on the sheet.
    pub fn bottom(&self) -> f64 {
        self.profile.last().map_or(0.0, |point| point.0)
    }

    /// A height between rim (0) and foot (1).
    pub fn level(&self, part: f64) -> f64 {
        self.top() + (self.bottom() - self.top()) * part
    }

    /// The radius at a height.
    pub fn radius(&self, y: f64) -> f64 {
        let mut before = self.profile.first().copied().unwrap_or_default();
        for segment in 0..self.profile.len().saturating_sub(1) {
            let [p0, p1, p2, p3] = handles(&self.profile, segment);
            for step in 1..=8 {
                let (t, u) = (f64::from(step) / 8.0, 1.0 - f64::from(step) / 8.0);
                let blend = |a: f64, b: f64, c: f64, d: f64| {
                    a * u * u * u + 3.0 * b * u * u * t + 3.0 * c * u * t * t + d * t * t * t
                };
                let here = (blend(p0.0, p1.0, p2.0, p3.0), blend(p0.1, p1.1, p2.1, p3.1));
                if here.0 >= y {
                    let part = if here.0 > before.0 { (y - before.0) / (here.0 - before.0) } else { 1.0 };
                    return before.1 + (here.1 - before.1) * part.clamp(0.0, 1.0);
                }
                before = here;
            }
        }
        before.1
    }

    /// The widest radius.
    pub fn widest(&self) -> f64 {
        self.profile.iter().fold(0.0, |widest, point| point.1.max(widest))
    }

    /// A meridian on the front, from -1 (left edge) to 1 (right edge).
    pub fn meridian(&self, across: f64) -> Vec<(f64, f64)> {
        let nearer = (1.0 - across * across).max(0.0).sqrt() * self.tilt;
        self.profile.iter().map(|(y, r)| (self.cx + across * r, y + nearer * r)).collect()
    }

    /// A meridian as a line.
    pub fn seam(&self, across: f64) -> Path {
        let line = self.meridian(across);
        Path::along(&line[..1]).soft(&line)
    }

    /// A point of the front.
    pub fn point(&self, across: f64, y: f64) -> (f64, f64) {
        let r = self.radius(y);
        (self.cx + across * r, y + (1.0 - across * across).max(0.0).sqrt() * self.tilt * r)
    }

    /// All that is seen of it.
    pub fn outline(&self) -> Path {
        let (left, mut right) = (self.meridian(-1.0), self.meridian(1.0));
        right.reverse();
        let (first, low, high) = (left[0], right[0], right[right.len() - 1]);
        let (foot, rim) = (low.0 - self.cx, high.0 - self.cx);
        Path::at(first.0, first.1)
            .soft(&left)
            .arc(foot, foot * self.tilt, false, low.0, low.1)
            .soft(&right)
            .arc(rim, rim * self.tilt, false, first.0, first.1)
            .close()
    }

    /// A band around the front between two heights; a little wider than the body, so draw it inside the outline.
    pub fn ring(&self, upper: f64, lower: f64) -> Path {
        let (a, b) = (self.radius(upper) + 3.0, self.radius(lower) + 3.0);
        Path::at(self.cx - a, upper)
            .arc(a, a * self.tilt, false, self.cx + a, upper)
            .to(self.cx + b, lower)
            .arc(b, b * self.tilt, true, self.cx - b, lower)
            .close()
    }

    /// A line around the front.
    pub fn around(&self, y: f64) -> Path {
        let r = self.radius(y);
        Path::at(self.cx - r, y).arc(r, r * self.tilt, false, self.cx + r, y)
    }

    /// The right side beyond a meridian, for shadow.
    fn beyond(&self, across: f64) -> Path {
        let line = self.meridian(across);
        let far = self.cx + self.widest() + 6.0;
        let deep = self.bottom() + self.widest() * self.tilt + 6.0;
        Path::at(line[0].0, self.top() - 40.0)
            .to(line[0].0, line[0].1)
            .soft(&line)
            .to(line[line.len() - 1].0, deep)
            .to(far, deep)
            .to(far, self.top() - 40.0)
            .close()
    }

    /// A strip of light on the left, between parts of the height.
    fn gleam(&self, from: f64, to: f64) -> Path {
        let levels: Vec<f64> =
            (0..5).map(|step| self.level(from + (to - from) * f64::from(step) / 4.0)).collect();
        let mut points: Vec<(f64, f64)> = levels.iter().map(|y| self.point(-0.8, *y)).collect();
        points.extend(levels.iter().rev().map(|y| self.point(-0.68, *y)));
        Path::blob(&points)
    }

    /// Paints the body, what is on it, and the shadow on its right.
    pub fn paint(
        &self,
        easel: &mut Easel,
        paint: impl Into<Paint>,
        decorate: impl FnOnce(&mut Easel, &Self),
    ) {
        let outline = self.outline();
        easel.pen.inside(&outline);
        let (wide, high) = (self.widest() + 2.0, self.widest() * self.tilt + 2.0);
        let (top, tall) = (self.top() - high, self.bottom() - self.top() + high * 2.0);
        easel.pen.slab(self.cx - wide, top, wide * 2.0, tall, 0.0, paint);
        decorate(easel, self);
        easel.pen.dim(&self.beyond(0.38), 13);
        easel.pen.dim(&self.beyond(0.78), 14);
        if self.shines {
            easel.pen.lit(&self.gleam(0.1, 0.78), 34);
        }
        easel.pen.close();
    }

    /// Paints the body and nothing on it.
    pub fn plain(&self, easel: &mut Easel, paint: impl Into<Paint>) {
        self.paint(easel, paint, |_, _| {});
    }

    /// The opening: a lip of some width, and what is seen inside.
    pub fn mouth(&self, easel: &mut Easel, lip: f64, rim: Colour, inside: Colour) {
        let (cx, y) = (self.cx, self.top());
        let r = self.radius(y);
        easel.pen.oval(cx, y, r, r * self.tilt, rim);
        let (rx, ry) = (r - lip, r * self.tilt - lip * 0.6);
        easel.pen.oval(cx, y + 0.5, rx, ry, inside.mix(INK, 30));
        easel.pen.inside(&Path::oval(cx, y + 0.5, rx, ry));
        easel.pen.oval(cx + rx * 0.16, y + ry * 0.5, rx, ry, inside.mix(INK, 13));
        easel.pen.oval(cx + rx * 0.3, y + ry * 0.8, rx * 0.9, ry * 0.9, inside);
        easel.pen.close();
    }

    /// The opening, filled with a drink up to below the lip.
    pub fn drink(&self, easel: &mut Easel, lip: f64, drink: Colour) {
        let (cx, y) = (self.cx, self.top());
        let r = self.radius(y) - lip;
        let ry = self.radius(y) * self.tilt - lip * 0.6;
        easel.pen.inside(&Path::oval(cx, y + 0.5, r, ry));
        easel.pen.oval(cx, y + ry * 0.5, r * 0.96, ry * 0.9, drink);
        easel.pen.oval(cx - r * 0.2, y + ry * 0.8, r * 0.5, ry * 0.36, drink.lit());
        easel.pen.close();
    }

    /// The closed top: a lid or a table top.
    pub fn cap(&self, easel: &mut Easel, paint: impl Into<Paint>) {
        let r = self.radius(self.top());
        easel.pen.oval(self.cx, self.top(), r, r * self.tilt, paint);
    }
}
