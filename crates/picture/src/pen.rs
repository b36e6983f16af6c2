//! The pen: writes SVG. All that reaches a document goes through here, and none of it is text from outside.

use std::fmt::Write as _;

use crate::palette::{Colour, GLOW, INK};

/// What a shape is filled with.
#[derive(Clone, Copy)]
pub enum Paint {
    /// One colour.
    Flat(Colour),
    /// The woven pattern of this number.
    Woven(usize),
}

impl From<Colour> for Paint {
    fn from(colour: Colour) -> Self {
        Self::Flat(colour)
    }
}

/// The data of a path. Lengths are in the units of the 480 × 480 picture, y grows downwards.
#[derive(Clone)]
pub struct Path(String);

/// A number with at most one decimal.
fn number(out: &mut String, value: f64) {
    let tenths = (value * 10.0).round() / 10.0;
    // Plus zero, because minus zero would be written with its sign.
    let _ = write!(out, "{}", tenths + 0.0);
}

fn numbers(out: &mut String, values: &[f64]) {
    for value in values {
        if !out.ends_with(|last: char| last.is_ascii_alphabetic()) && *value >= 0.0 {
            out.push(' ');
        }
        number(out, *value);
    }
}

impl Path {
    /// Nothing yet; parts are added with [`Path::and`] or [`Path::with`].
    pub fn none() -> Self {
        Self(String::new())
    }

    /// Begins at a point.
    pub fn at(x: f64, y: f64) -> Self {
        Self::none().and(x, y)
    }

    fn then(mut self, letter: char, values: &[f64]) -> Self {
        self.0.push(letter);
        numbers(&mut self.0, values);
        self
    }

    /// Begins a further part at a point.
    pub fn and(self, x: f64, y: f64) -> Self {
        self.then('M', &[x, y])
    }

    /// A straight line.
    pub fn to(self, x: f64, y: f64) -> Self {
        self.then('L', &[x, y])
    }

    /// A curve that is drawn towards one point.
    pub fn bend(self, towards: (f64, f64), x: f64, y: f64) -> Self {
        self.then('Q', &[towards.0, towards.1, x, y])
    }

    /// A curve with two handles.
    pub fn curve(self, first: (f64, f64), second: (f64, f64), x: f64, y: f64) -> Self {
        self.then('C', &[first.0, first.1, second.0, second.1, x, y])
    }

    /// The part of an ellipse that comes first when turning clockwise (`true`) or against it.
    pub fn arc(self, rx: f64, ry: f64, clockwise: bool, x: f64, y: f64) -> Self {
        let mut path = self.then('A', &[rx, ry]);
        path.0.push_str(if clockwise { " 0 0 1" } else { " 0 0 0" });
        numbers(&mut path.0, &[x, y]);
        path
    }

    /// Back to where it began.
    pub fn close(mut self) -> Self {
        self.0.push('Z');
        self
    }

    /// Two paths as one.
    pub fn with(mut self, other: &Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// A polygon; nothing for no points.
    pub fn polygon(points: &[(f64, f64)]) -> Self {
        Self::along(points).close()
    }

    /// A line through points.
    pub fn along(points: &[(f64, f64)]) -> Self {
        let mut path = Self::none();
        for (index, (x, y)) in points.iter().enumerate() {
            path = if index == 0 { path.and(*x, *y) } else { path.to(*x, *y) };
        }
        path
    }

    /// A box with round corners.
    pub fn rounded(x: f64, y: f64, width: f64, height: f64, radius: f64) -> Self {
        let (right, bottom, r) = (x + width, y + height, radius.min(width / 2.0).min(height / 2.0));
        Self::at(x + r, y)
            .to(right - r, y)
            .arc(r, r, true, right, y + r)
            .to(right, bottom - r)
            .arc(r, r, true, right - r, bottom)
            .to(x + r, bottom)
            .arc(r, r, true, x, bottom - r)
            .to(x, y + r)
            .arc(r, r, true, x + r, y)
            .close()
    }

    /// An ellipse.
    pub fn oval(cx: f64, cy: f64, rx: f64, ry: f64) -> Self {
        Self::at(cx - rx, cy).arc(rx, ry, true, cx + rx, cy).arc(rx, ry, true, cx - rx, cy).close()
    }

    /// Goes on through points in one soft line. The same point twice makes a corner.
    pub fn soft(mut self, points: &[(f64, f64)]) -> Self {
        for segment in 0..points.len().saturating_sub(1) {
            let [from, first, second, to] = handles(points, segment);
            if from != to {
                self = self.curve(first, second, to.0, to.1);
            }
        }
        self
    }

    /// A soft closed shape through points.
    pub fn blob(points: &[(f64, f64)]) -> Self {
        let count = points.len();
        let turn = |index: usize| points[index % count.max(1)];
        let mut path = Self::none();
        for index in 0..count {
            let (before, from, to, after) =
                (turn(index + count - 1), turn(index), turn(index + 1), turn(index + 2));
            if index == 0 {
                path = path.and(from.0, from.1);
            }
            let first = (from.0 + (to.0 - before.0) / 6.0, from.1 + (to.1 - before.1) / 6.0);
            let second = (to.0 - (after.0 - from.0) / 6.0, to.1 - (after.1 - from.1) / 6.0);
            path = path.curve(first, second, to.0, to.1);
        }
        path.close()
    }
}

/// The Bézier points of one piece of a soft line (Catmull–Rom; long pieces do not bend their short neighbours).
pub fn handles(points: &[(f64, f64)], segment: usize) -> [(f64, f64); 4] {
    let last = points.len() - 1;
    let (from, to) = (points[segment], points[(segment + 1).min(last)]);
    let before = points[segment.saturating_sub(1)];
    let after = points[(segment + 2).min(last)];
    let length = |a: (f64, f64), b: (f64, f64)| (b.0 - a.0).hypot(b.1 - a.1);
    let own = length(from, to);
    // A third of the own length, along the line through both neighbours.
    let share = |other: f64| if own + other > 0.0 { own / (own + other) / 3.0 } else { 0.0 };
    let (first, second) = (share(length(before, from)), share(length(to, after)));
    [
        from,
        (from.0 + (to.0 - before.0) * first, from.1 + (to.1 - before.1) * first),
        (to.0 - (after.0 - from.0) * second, to.1 - (after.1 - from.1) * second),
        to,
    ]
}

/// Writes one document.
pub struct Pen {
    body: String,
    /// Begins every id, so that several pictures can stand in one page.
    prefix: String,
    ids: usize,
}

impl Pen {
    /// An empty sheet; the prefix is letters, digits and `-`.
    pub fn new(prefix: String) -> Self {
        Self { body: String::new(), prefix, ids: 0 }
    }

    /// The whole document.
    pub fn finish(self, size: u32) -> String {
        let head = format!("viewBox=\"0 0 {size} {size}\" width=\"{size}\" height=\"{size}\"");
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\" {head}>{}</svg>\n", self.body)
    }

    fn paint(&mut self, paint: Paint) {
        let _ = match paint {
            Paint::Flat(colour) => write!(self.body, "\"{colour}\""),
            Paint::Woven(id) => write!(self.body, "\"url(#{}{id})\"", self.prefix),
        };
    }

    fn attribute(&mut self, name: &str, value: f64) {
        let _ = write!(self.body, " {name}=\"");
        number(&mut self.body, value);
        self.body.push('"');
    }

    /// Fills a path.
    pub fn fill(&mut self, path: &Path, paint: impl Into<Paint>) {
        self.body.push_str("<path fill=");
        self.paint(paint.into());
        let _ = write!(self.body, " d=\"{}\"/>", path.0);
    }

    /// Draws a line with round ends.
    pub fn line(&mut self, path: &Path, colour: Colour, width: f64) {
        let _ = write!(self.body, "<path fill=\"none\" stroke=\"{colour}\" stroke-linecap=\"round\"");
        self.body.push_str(" stroke-linejoin=\"round\"");
        self.attribute("stroke-width", width);
        let _ = write!(self.body, " d=\"{}\"/>", path.0);
    }

    /// Draws a line of dashes: a seam, a row of stitches.
    pub fn stitch(&mut self, path: &Path, colour: Colour, width: f64, dash: f64) {
        let _ = write!(self.body, "<path fill=\"none\" stroke=\"{colour}\"");
        self.attribute("stroke-width", width);
        self.attribute("stroke-dasharray", dash);
        let _ = write!(self.body, " d=\"{}\"/>", path.0);
    }

    /// Fills an ellipse.
    pub fn oval(&mut self, cx: f64, cy: f64, rx: f64, ry: f64, paint: impl Into<Paint>) {
        self.body.push_str("<ellipse fill=");
        self.paint(paint.into());
        for (name, value) in [("cx", cx), ("cy", cy), ("rx", rx), ("ry", ry)] {
            self.attribute(name, value);
        }
        self.body.push_str("/>");
    }

    /// Fills a circle.
    pub fn dot(&mut self, cx: f64, cy: f64, r: f64, paint: impl Into<Paint>) {
        self.body.push_str("<circle fill=");
        self.paint(paint.into());
        for (name, value) in [("cx", cx), ("cy", cy), ("r", r)] {
            self.attribute(name, value);
        }
        self.body.push_str("/>");
    }

    /// Fills a box with round corners.
    pub fn slab(&mut self, x: f64, y: f64, width: f64, height: f64, radius: f64, paint: impl Into<Paint>) {
        self.body.push_str("<rect fill=");
        self.paint(paint.into());
        for (name, value) in [("x", x), ("y", y), ("width", width), ("height", height), ("rx", radius)] {
            if value != 0.0 {
                self.attribute(name, value);
            }
        }
        self.body.push_str("/>");
    }

    /// Lays shadow over a path; the strength is hundredths.
    pub fn dim(&mut self, path: &Path, strength: u8) {
        let _ = write!(self.body, "<path fill=\"{INK}\" fill-opacity=\".{strength:02}\" d=\"{}\"/>", path.0);
    }

    /// Lays light over a path; the strength is hundredths.
    pub fn lit(&mut self, path: &Path, strength: u8) {
        let _ = write!(self.body, "<path fill=\"{GLOW}\" fill-opacity=\".{strength:02}\" d=\"{}\"/>", path.0);
    }

    fn id(&mut self) -> usize {
        self.ids += 1;
        self.ids
    }

    /// Until [`Pen::close`], only what lies inside the path is seen.
    pub fn inside(&mut self, path: &Path) {
        let (id, prefix) = (self.id(), self.prefix.clone());
        let _ = write!(
            self.body,
            "<clipPath id=\"{prefix}{id}\"><path d=\"{}\"/></clipPath><g clip-path=\"url(#{prefix}{id})\">",
            path.0
        );
    }

    /// Until [`Pen::close`], all is turned by degrees, clockwise, around a point.
    pub fn turned(&mut self, degrees: f64, cx: f64, cy: f64) {
        self.body.push_str("<g transform=\"rotate(");
        numbers(&mut self.body, &[degrees, cx, cy]);
        self.body.push_str(")\">");
    }

    /// Until [`Pen::close`], all is seen through by hundredths.
    pub fn sheer(&mut self, strength: u8) {
        let _ = write!(self.body, "<g opacity=\".{strength:02}\">");
    }

    /// Until [`Pen::close`], all is moved, then enlarged.
    pub fn placed(&mut self, x: f64, y: f64, scale: f64) {
        self.body.push_str("<g transform=\"translate(");
        numbers(&mut self.body, &[x, y]);
        let _ = write!(self.body, ")scale({scale:.3})\">");
    }

    /// Ends what `inside`, `turned`, `sheer` or `placed` began.
    pub fn close(&mut self) {
        self.body.push_str("</g>");
    }

    /// A pattern: one tile, repeated, turned by degrees. The tile is drawn by `draw`.
    pub fn woven(&mut self, tile: (f64, f64), degrees: f64, draw: impl FnOnce(&mut Self)) -> Paint {
        let id = self.id();
        let _ = write!(self.body, "<pattern id=\"{}{id}\" patternUnits=\"userSpaceOnUse\"", self.prefix);
        self.attribute("width", tile.0);
        self.attribute("height", tile.1);
        // A seam of tiles runs through the middle of the sheet, so that what stands there is cut alike on both sides.
        self.attribute("x", 240.0 % tile.0);
        self.attribute("y", 240.0 % tile.1);
        if degrees != 0.0 {
            self.body.push_str(" patternTransform=\"rotate(");
            number(&mut self.body, degrees);
            self.body.push_str(")\"");
        }
        self.body.push('>');
        draw(self);
        self.body.push_str("</pattern>");
        Paint::Woven(id)
    }
}
