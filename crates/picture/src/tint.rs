//! What a name asks for: a colour, a pattern. Both travel in the low bits of a seed, so that a kind and a seed are
//! all that an address has to carry.

use crate::palette::Colour;
use crate::pattern::Motif;
use crate::word;

/// Bits of the seed that hold the tint.
const TINT_BITS: u64 = 0x3f;
/// Where the motif begins, four bits.
const MOTIF_SHIFT: u32 = 6;
/// Where the hash of the id begins; below stand tint and motif.
pub const HASH_SHIFT: u32 = 10;

/// The colours that palettes and names share.
pub mod named {
    use crate::palette::Colour;

    macro_rules! colours {
        ($($name:ident $word:literal $rgb:literal),* $(,)?) => {
            $(pub const $name: Colour = Colour { word: $word, rgb: $rgb };)*
        };
    }

    colours! {
        SEA_BLUE "sea blue" 0x2f6f8e, SAND "sand" 0xdfc08d, RUST "rust" 0xbf5a35, TOMATO "tomato red" 0xd5523c,
        CREAM "cream" 0xf6e7c9, BOTTLE_GREEN "bottle green" 0x27584a, BRICK "brick red" 0xa2452f,
        TEAL "teal" 0x217a78, NAVY "navy" 0x2a4264, HONEY "honey yellow" 0xe6ac45, CORAL "coral" 0xe0705a,
        MOSS "moss" 0x667c48, CHALK "chalk white" 0xf5eee0, PLUM "plum" 0x6d4468, BLUSH "blush" 0xecbfae,
        MUSTARD "mustard" 0xd59f2e, RASPBERRY "raspberry" 0xc14f66, SLATE "slate" 0x4a5763,
        BIRCH "birch" 0xe0c195, ORANGE "orange" 0xe5873a, PETROL "petrol blue" 0x24566a,
        SAGE "sage" 0x8fa681, INK "ink" 0x2e3650, LAVENDER "lavender" 0x8f86b8,
        WHITE "white" 0xfbf6ec, BLACK "black" 0x35323a, RED "red" 0xc83a36, PINK "pink" 0xe79aa8,
        ROSE "rose" 0xd9788a, PEACH "peach" 0xf0b08a, YELLOW "yellow" 0xf0c63f, LEMON "lemon yellow" 0xf3da6b,
        GREEN "green" 0x4d8a5b, LIME "lime green" 0x9dbb52, MINT "mint green" 0xa6d1bb,
        TURQUOISE "turquoise" 0x3fa3a6, BLUE "blue" 0x3f73b0, SKY "sky blue" 0x8fbcd8,
        LILAC "lilac" 0xb79cc9, PURPLE "purple" 0x6f4a8e, BROWN "brown" 0x7c5238,
        CHOCOLATE "chocolate brown" 0x5a3a2c, IVORY "ivory" 0xf7edd6, OAT "oat" 0xe3d3b3,
        GREY "grey" 0x8d9196, SILVER "silver" 0xbfc6cb, GOLD "gold" 0xd2a64a, BRASS "brass" 0xc9a04c,
        COPPER "copper" 0xbf7149, IRON "iron black" 0x3f4144, STEEL "steel grey" 0xaab4ba, OAK "oak" 0xc69a63,
        STRAW "straw" 0xd8b26a, KRAFT "kraft brown" 0xbf9868, CLAY "clay" 0xbb7a5c,
        TERRACOTTA "terracotta" 0xc9694b, OLIVE "olive green" 0x7d7c40, CELADON "celadon" 0xa9c7b4,
        MARBLE "marble white" 0xece9e4, GLASS "clear blue" 0xb5d3d6, OCHRE "ochre" 0xcb8b31, SMOKE "smoke" 0x77797f,
    }
}

use named::*;

/// The tints by number, from 1; at most 63. New ones go to the end, because addresses carry the numbers.
const TINTS: [(&[&str], Colour); 57] = [
    (&["sea blue", "harbour blue"], SEA_BLUE),
    (&["bottle green", "dark green"], BOTTLE_GREEN),
    (&["sky blue", "light blue", "pale blue", "baby blue"], SKY),
    (&["olive wood", "oak", "wooden", "wood", "walnut", "beech", "bamboo"], OAK),
    (&["end grain", "birch", "ash"], BIRCH),
    (&["sand", "beige", "natural", "linen", "flax"], SAND),
    (&["moss"], MOSS),
    (&["rust"], RUST),
    (&["chalk"], CHALK),
    (&["ink"], INK),
    (&["cream", "vanilla", "ecru"], CREAM),
    (&["oat", "lambswool", "oatmeal"], OAT),
    (&["plum", "aubergine", "amethyst"], PLUM),
    (&["slate", "charcoal"], SLATE),
    (&["terracotta"], TERRACOTTA),
    (&["celadon"], CELADON),
    (&["mustard"], MUSTARD),
    (&["ochre"], OCHRE),
    (&["navy", "midnight"], NAVY),
    (&["sage"], SAGE),
    (&["olive", "khaki"], OLIVE),
    (&["kraft", "manila", "coir"], KRAFT),
    (&["clay"], CLAY),
    (&["white", "porcelain", "enamel", "milk"], WHITE),
    (&["black", "noir", "jet"], BLACK),
    (&["red", "scarlet", "ruby", "poppy", "strawberry", "cherry"], RED),
    (&["pink", "fuchsia", "magenta"], PINK),
    (&["rose"], ROSE),
    (&["peach", "apricot"], PEACH),
    (&["coral"], CORAL),
    (&["yellow"], YELLOW),
    (&["lemon"], LEMON),
    (&["orange", "amber"], ORANGE),
    (&["green", "emerald", "sencha"], GREEN),
    (&["lime"], LIME),
    (&["mint"], MINT),
    (&["teal", "petrol"], TEAL),
    (&["turquoise", "aqua"], TURQUOISE),
    (&["blue", "denim", "cobalt"], BLUE),
    (&["lilac", "violet"], LILAC),
    (&["lavender"], LAVENDER),
    (&["purple"], PURPLE),
    (&["brown", "coffee"], BROWN),
    (&["chocolate"], CHOCOLATE),
    (&["ivory", "pearl"], IVORY),
    (&["grey", "gray"], GREY),
    (&["silver", "pewter"], SILVER),
    (&["gold", "golden", "gilt"], GOLD),
    (&["brass"], BRASS),
    (&["copper", "bronze"], COPPER),
    (&["cast iron", "iron"], IRON),
    (&["steel", "zinc", "aluminium", "chrome"], STEEL),
    (&["straw", "wicker", "willow", "rattan", "palm"], STRAW),
    (&["beeswax", "honey"], HONEY),
    (&["marble"], MARBLE),
    (&["glass", "clear", "crystal"], GLASS),
    (&["smoke", "smoked"], SMOKE),
];

/// What a thing is made of or tastes of counts only where no colour is named: "pink glass" is pink.
const WEAK: &[&str] = &[
    "glass",
    "clear",
    "crystal",
    "steel",
    "zinc",
    "aluminium",
    "chrome",
    "olive wood",
    "oak",
    "wooden",
    "wood",
    "walnut",
    "beech",
    "bamboo",
    "birch",
    "ash",
    "end grain",
    "natural",
    "linen",
    "flax",
    "straw",
    "wicker",
    "willow",
    "rattan",
    "palm",
    "porcelain",
    "enamel",
    "milk",
    "lambswool",
    "brass",
    "copper",
    "bronze",
    "cast iron",
    "iron",
    "marble",
    "slate",
    "coir",
    "beeswax",
    "honey",
    "lavender",
    "mint",
    "vanilla",
    "coffee",
    "chocolate",
    "strawberry",
    "cherry",
    "poppy",
    "rose",
    "olive",
    "lemon",
    "orange",
    "peach",
    "apricot",
    "plum",
    "pearl",
    "sencha",
];

/// The tint that a seed carries.
pub fn of(seed: u64) -> Option<Colour> {
    let number = usize::try_from(seed & TINT_BITS).ok()?.checked_sub(1)?;
    TINTS.get(number).map(|(_, colour)| *colour)
}

/// The motif that a seed carries.
pub fn motif(seed: u64) -> Option<Motif> {
    let number = usize::try_from((seed >> MOTIF_SHIFT) & 0xf).ok()?.checked_sub(1)?;
    Motif::ALL.get(number).copied()
}

/// The low bits of a seed for a name: the first colour that it names, and the pattern.
pub fn bits(name: &str) -> u64 {
    let words = word::words(name);
    let mut best: Option<(bool, usize, usize, usize)> = None;
    for (index, (phrases, _)) in TINTS.iter().enumerate() {
        for phrase in *phrases {
            let parts: Vec<&str> = phrase.split(' ').collect();
            let Some(at) = words.windows(parts.len()).position(|window| window == parts) else { continue };
            let rank = (WEAK.contains(phrase), at, usize::MAX - parts.len(), index);
            best = Some(best.map_or(rank, |found| found.min(rank)));
        }
    }
    let tint = best.map_or(0, |(_, _, _, index)| index + 1);
    let motif = Motif::of(&words).and_then(|motif| Motif::ALL.iter().position(|known| *known == motif));
    let (tint, motif) = (u64::try_from(tint).unwrap_or(0), motif.map_or(0, |at| at + 1));
    tint | (u64::try_from(motif).unwrap_or(0) << MOTIF_SHIFT)
}

#[cfg(test)]
mod tests {
    use super::{TINTS, WEAK, bits, of};
    use crate::word;

    #[test]
    fn tints_are_written_as_names_are_read() {
        for phrase in TINTS.iter().flat_map(|(phrases, _)| *phrases) {
            assert_eq!(word::words(phrase).join(" "), *phrase);
        }
        assert!(WEAK.iter().all(|weak| TINTS.iter().any(|(phrases, _)| phrases.contains(weak))));
    }

    #[test]
    fn a_colour_comes_before_what_a_thing_is_made_of() {
        let word = |name: &str| of(bits(name)).map(|colour| colour.word);
        assert_eq!(word("PINK GLASS BOWL"), Some("pink"));
        assert_eq!(word("Glass bowl, Moss"), Some("moss"));
        assert_eq!(word("Olive wood dish"), Some("oak"));
        assert_eq!(word("Scarf, Bottle green"), Some("bottle green"));
        assert_eq!(word("Dock mug"), None);
    }
}
