//! The patterned tile with initials, and the letters that are drawn for it.

use crate::easel::Easel;
use crate::palette::INK;
use crate::pattern::{Motif, flower};
use crate::pen::Path;
use crate::tint::named::CHALK;

/// Letters at most on a tile.
const INITIALS_MAX: usize = 2;

/// The letters: strokes of points on a grid 4 wide and 6 high. A point is two digits to the base 36, across and down,
/// in quarters.
const LETTERS: [(char, &str); 36] = [
    ('A', "0o80go 3gdg"),
    ('B', "0cace9e3a0000oaoglgfac"),
    ('C', "g5c040050j4ocogj"),
    ('D', "00a0g6giao0o00"),
    ('E', "e0000oeo 0ccc"),
    ('F', "e0000o 0ccc"),
    ('G', "g5c040050j4ocogjgdad"),
    ('H', "000o g0go 0cgc"),
    ('I', "808o"),
    ('J', "e0ejao5o1k"),
    ('K', "000o f00e 59go"),
    ('L', "000oeo"),
    ('M', "0o008eg0go"),
    ('N', "0o00gog0"),
    ('O', "50b0g5gjbo5o0j0550"),
    ('P', "0o00b0g4gabe0e"),
    ('Q', "50b0g5gjbo5o0j0550 ahgp"),
    ('R', "0o00b0g4gabe0e 8ego"),
    ('S', "f4b05014185cbdfgfkbo5o0k"),
    ('T', "00g0 808o"),
    ('U', "000j5obogjg0"),
    ('V', "008og0"),
    ('W', "003o88dog0"),
    ('X', "00go g00o"),
    ('Y', "008cg0 8c8o"),
    ('Z', "00g00ogo"),
    ('0', "50b0g5gjbo5o0j0550 5ib6"),
    ('1', "35909o"),
    ('2', "1550b0f4f90ogo"),
    ('3', "1450b0f4f8ac6c acgfgkbo5o0k"),
    ('4', "coc00hgh"),
    ('5', "e0201baafefkbo4o0k"),
    ('6', "d02c0i3m8odmghdc8b3c"),
    ('7', "00g06o"),
    ('8', "5c282350b0e3e8bc5c0g0k5obogkggbc"),
    ('9', "3oecg6d28032073c8ddc"),
];

/// The strokes of a letter; none for what is not in the alphabet.
fn strokes(letter: char) -> Vec<Vec<(f64, f64)>> {
    let found = LETTERS.iter().find(|(known, _)| *known == letter).map_or("", |(_, strokes)| strokes);
    let quarter = |digit: &u8| char::from(*digit).to_digit(36).map_or(0.0, |digit| f64::from(digit) / 4.0);
    let stroke = |text: &str| {
        text.as_bytes().chunks_exact(2).map(|pair| (quarter(&pair[0]), quarter(&pair[1]))).collect()
    };
    found.split_ascii_whitespace().map(stroke).collect()
}

/// The letters of a text that can be drawn, in capitals.
pub fn drawable(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .map(|letter| letter.to_ascii_uppercase())
        .filter(char::is_ascii_alphanumeric)
        .take(INITIALS_MAX)
}

/// A patterned tile with initials.
pub fn tile(easel: &mut Easel, initials: &str) {
    easel.wall();
    let (l, side) = (66.0, 348.0);
    easel.cast(&Path::rounded(l, l, side, side, 14.0), 11.0, 15.0);
    let motif = easel.motif([
        Motif::Tiles,
        Motif::Diamonds,
        Motif::Leaves,
        Motif::Waves,
        Motif::Flowers,
        Motif::Crosses,
        Motif::Triangles,
        Motif::Dots,
    ]);
    let cloth = easel.weave(motif, (46.0, 58.0), 0.0);
    easel.pen.slab(l, l, side, side, 14.0, easel.main.deep());
    easel.pen.slab(l, l, side - 4.0, side - 5.0, 14.0, cloth);
    let letters: Vec<char> = drawable(initials).collect();
    let (half, round) = (easel.dice.between(88.0, 98.0), easel.dice.below(3));
    let plate = match round {
        0 => Path::oval(240.0, 240.0, half, half),
        1 => Path::rounded(240.0 - half * 0.94, 240.0 - half * 0.94, half * 1.88, half * 1.88, 14.0),
        _ => Path::polygon(&[
            (240.0, 240.0 - half * 1.3),
            (240.0 + half * 1.3, 240.0),
            (240.0, 240.0 + half * 1.3),
            (240.0 - half * 1.3, 240.0),
        ]),
    };
    easel.cast(&plate, 4.0, 6.0);
    easel.pen.fill(&plate, CHALK);
    easel.pen.line(&plate, easel.accent, 6.0);
    if letters.is_empty() {
        let (petal, heart) = (easel.main, easel.accent);
        flower(&mut easel.pen, 240.0, 240.0, 46.0, petal, heart);
    }
    let ink = if easel.main.distance(CHALK) > 90.0 { easel.main } else { INK };
    let count = f64::from(u32::try_from(letters.len()).unwrap_or(0));
    let scale = if round == 2 { 10.5 } else { 12.0 };
    let wide = count * 4.0 + (count - 1.0) * 1.8;
    for (index, letter) in letters.iter().enumerate() {
        let x = 240.0 - wide * scale / 2.0 + f64::from(u32::try_from(index).unwrap_or(0)) * 5.8 * scale;
        for stroke in strokes(*letter) {
            let points: Vec<(f64, f64)> =
                stroke.iter().map(|(px, py)| (x + px * scale, 240.0 + (py - 3.0) * scale)).collect();
            easel.pen.line(&Path::along(&points), ink, scale * 0.86);
        }
    }
    easel.pen.lit(&Path::polygon(&[(l, l), (l + side * 0.8, l), (l, l + side * 0.7)]), 12);
}
