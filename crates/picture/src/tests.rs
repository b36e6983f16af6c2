//! The promises of a picture: the same bytes, well-formed, harmless, small.

use std::collections::BTreeSet;

use crate::{Kind, Picture, palette, tint};

/// Seeds that are spread, each with every tint and motif in turn.
fn pictures(kind: Kind, count: u64) -> impl Iterator<Item = Picture> {
    (0..count).map(move |number| {
        let hash = crate::dice::hash(&format!("product {number}"));
        Picture { kind, seed: (hash << tint::HASH_SHIFT) | (number % 1024), initials: "SK".to_owned() }
    })
}

/// Tags balance, attributes are quoted, ids are unique and what is referred to is there.
fn check(svg: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut ids = BTreeSet::new();
    for part in svg.trim_end().strip_prefix('<').ok_or("no tag")?.split('<') {
        let (tag, text) = part.split_once('>').ok_or(format!("an open tag: {part}"))?;
        if !text.is_empty() {
            return Err(format!("text between tags: {text}"));
        }
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if tag.matches('"').count() % 2 != 0 || tag.contains('&') {
            return Err(format!("a bad attribute: {tag}"));
        }
        let id = attributes.split("id=\"").nth(1).and_then(|rest| rest.split('"').next());
        if id.is_some_and(|id| !ids.insert(id)) {
            return Err(format!("{id:?} is there twice"));
        }
        for used in attributes.split("url(#").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !ids.contains(used) {
                return Err(format!("{used} is not there"));
            }
        }
        if !closed {
            open.push(name);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("left open: {open:?}")) }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for kind in Kind::ALL {
        let seen: BTreeSet<String> = pictures(*kind, 12).map(|picture| picture.svg()).collect();
        assert_eq!(seen.len(), 12, "{kind:?} repeats itself");
        assert!(pictures(*kind, 12).all(|picture| seen.contains(&picture.svg())));
    }
}

#[test]
fn every_kind_is_well_formed_and_harmless() {
    for picture in Kind::ALL.iter().flat_map(|kind| pictures(*kind, 120)) {
        let svg = picture.svg();
        check(&svg).unwrap_or_else(|error| panic!("{picture:?}: {error}"));
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 480 480\""));
        for forbidden in [
            "style=",
            "<script",
            "href",
            " on",
            "<text",
            "<image",
            "<foreignObject",
            "NaN",
            "inf",
            "//",
            "data:",
        ] {
            let rest = svg.replacen("http://www.w3.org/2000/svg", "", 1);
            assert!(!rest.contains(forbidden), "{picture:?} has {forbidden}");
        }
    }
}

#[test]
fn a_picture_is_small() {
    let plain = [
        Kind::Bowl,
        Kind::Dish,
        Kind::Plate,
        Kind::Mug,
        Kind::Glass,
        Kind::Bottle,
        Kind::Can,
        Kind::Globe,
        Kind::Lantern,
        Kind::Desklight,
        Kind::Clock,
        Kind::Star,
        Kind::Mirror,
        Kind::Book,
        Kind::Card,
        Kind::Pen,
        Kind::Tile,
    ];
    let mut sum = 0;
    for kind in Kind::ALL {
        let largest = pictures(*kind, 300).map(|picture| picture.svg().len()).max().unwrap_or(0);
        assert!(largest <= if plain.contains(kind) { 6 * 1024 } else { 9 * 1024 }, "{kind:?}: {largest}");
        sum += largest;
    }
    assert!(sum / Kind::ALL.len() <= 6 * 1024, "{}", sum / Kind::ALL.len());
}

#[test]
fn products_of_the_demo_have_their_kind() {
    for (name, category, kind) in [
        ("Harbour bowl", "Kitchen/Bowls and dishes", Kind::Bowl),
        ("Meadow bowls, set of four", "Kitchen/Bowls and dishes", Kind::Bowl),
        ("Olive wood dish", "Kitchen/Bowls and dishes", Kind::Dish),
        ("Fold colander", "Kitchen/Bowls and dishes", Kind::Bowl),
        ("Dock mug", "Kitchen/Mugs and cups", Kind::Mug),
        ("Two-line cup", "Kitchen/Mugs and cups", Kind::Cup),
        ("Double-wall glasses, pair", "Kitchen/Mugs and cups", Kind::Glass),
        ("Night carafe and glass", "Kitchen/Mugs and cups", Kind::Bottle),
        ("Clear glass teapot", "Kitchen/Teapots", Kind::Teapot),
        ("Quilted tea cosy", "Kitchen/Teapots", Kind::Cosy),
        ("Marble cheese board", "Kitchen/Trays and boards", Kind::Board),
        ("Linen tea towels, pair", "Kitchen/Kitchen linen", Kind::Cloth),
        ("Cross-back apron", "Kitchen/Kitchen linen", Kind::Apron),
        ("Long table runner", "Kitchen/Kitchen linen", Kind::Cloth),
        ("Heron reading lamp", "Living/Lamps", Kind::Desklight),
        ("Paper globe", "Living/Lamps", Kind::Globe),
        ("Gourd table lamp", "Living/Lamps", Kind::Lamp),
        ("Storm lantern", "Living/Lamps", Kind::Lantern),
        ("Coir door mat", "Living/Rugs", Kind::Rug),
        ("Floor cushion", "Living/Cushions and throws", Kind::Pouf),
        ("Washed linen cushion", "Living/Cushions and throws", Kind::Cushion),
        ("Herringbone throw", "Living/Cushions and throws", Kind::Blanket),
        ("Beeswax dinner candles", "Living/Candles", Kind::Candle),
        ("Scented tin candle", "Living/Candles", Kind::Tealight),
        ("Two-bell alarm clock", "Living/Clocks", Kind::Alarm),
        ("Oak mantel clock", "Living/Clocks", Kind::Mantel),
        ("Clockwork kitchen timer", "Living/Clocks", Kind::Clock),
        ("Rye straw bread basket", "Living/Baskets", Kind::Basket),
        ("Bud vase", "Living/Vases", Kind::Vase),
        ("Pocket notebooks, set of three", "Desk/Notebooks", Kind::Notebook),
        ("Brass ballpoint pen", "Desk/Desk things", Kind::Pen),
        ("Oak desk tray", "Desk/Desk things", Kind::Tray),
        ("Letterpress wall calendar", "Desk/Desk things", Kind::Calendar),
        ("Lambswool scarf", "Wear/Scarves", Kind::Scarf),
        ("Silk square", "Wear/Scarves", Kind::Square),
        ("Canvas tote bag", "Wear/Bags", Kind::Bag),
        ("Breakfast tea", "Larder/Tea", Kind::Tin),
        ("Spring sencha", "Larder/Tea", Kind::Tin),
        ("Whole mint leaves", "Larder/Tea", Kind::Packet),
        ("Heather honey", "Larder/Pantry", Kind::Jar),
        ("Early harvest olive oil", "Larder/Pantry", Kind::Bottle),
        ("Bread, slowly", "Books", Kind::Book),
        ("Kitchen herb seeds", "Garden", Kind::Packet),
        ("Copper watering can", "Garden", Kind::Can),
    ] {
        assert_eq!(Kind::of(name, category), kind, "{name}");
    }
}

#[test]
fn a_colour_of_the_name_is_the_colour_of_the_thing() {
    for (name, word) in [
        ("Harbour bowl, Sea blue", "sea blue"),
        ("Harbour bowl, Sand", "sand"),
        ("Harbour bowl, Moss", "moss"),
        ("JUMBO BAG RED RETROSPOT", "red"),
        ("WHITE HANGING HEART", "white"),
        ("Washed linen cushion, Rust", "rust"),
        ("Lambswool scarf, Bottle green", "bottle green"),
        ("Copper watering can", "copper"),
    ] {
        let picture = Picture::of("demo:one", name, "");
        assert_eq!(palette(picture.seed).main.word, word, "{name}");
        assert_eq!(
            picture.seed >> tint::HASH_SHIFT,
            Picture::of("demo:one", "", "").seed >> tint::HASH_SHIFT
        );
    }
    assert!(tint::of(Picture::of("demo:one", "Harbour bowl", "").seed).is_none());
}

#[test]
fn an_object_stands_out_from_its_ground() {
    for number in 0..4096_u64 {
        let palette = palette((crate::dice::hash(&number.to_string()) << tint::HASH_SHIFT) | (number % 58));
        assert!(palette.main.distance(palette.ground) > 55.0, "{palette:?}");
        assert_ne!(palette.main.hex(), palette.second.hex());
    }
}

#[test]
fn an_alt_text_says_what_is_seen() {
    let picture = Picture::of("demo:one", "Harbour bowl, Sea blue", "");
    let alt = picture.alt(" Harbour bowl ");
    assert!(alt.starts_with("Harbour bowl: a drawing of a bowl in sea blue and "), "{alt}");
    assert!(picture.alt("").starts_with("A drawing of a bowl in sea blue"));
    let alt = Picture::of("demo:one", "Blue umbrella", "").alt("Brolly");
    assert!(alt.starts_with("Brolly: a drawing of an umbrella in blue"), "{alt}");
}

#[test]
fn hostile_names_stay_harmless() {
    let long = "<&\"'>".repeat(2000);
    for name in
        ["<script>alert(1)</script>", "\" onload=\"x", "🫖🧣", "", "&amp;", "\0\n\u{202e}", "&#60;", &long]
    {
        let picture = Picture::of(name, name, name);
        check(&picture.svg()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            picture.initials.len() <= 2 && picture.initials.bytes().all(|byte| byte.is_ascii_alphanumeric())
        );
        let forged = Picture { kind: Kind::Tile, seed: u64::MAX, initials: name.to_owned() };
        let svg = forged.svg();
        check(&svg).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!svg.contains("script") && !svg.contains("onload") && svg.is_ascii());
    }
}

#[test]
fn a_tile_draws_every_letter() {
    let svg = |initials: &str| Picture { kind: Kind::Tile, seed: 7, initials: initials.to_owned() }.svg();
    let drawn: BTreeSet<String> =
        ('A'..='Z').chain('0'..='9').map(|letter| svg(&letter.to_string())).collect();
    assert_eq!(drawn.len(), 36);
    assert_eq!(svg("ab"), svg("A-B"));
    assert_eq!(Picture::of("x", "Quite odd thing", "").initials, "QO");
}
