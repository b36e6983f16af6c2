//! Holds the stylesheet's colours, light and dark, to the contrast that WCAG 2.2 asks for.

use std::collections::BTreeMap;

const CSS: &str = include_str!("assets/window.css");

/// Text that is read, on what it stands on.
const TEXT: &[(&str, &[&str])] = &[
    ("ink", &["paper", "raised", "sunken", "alarm-soft", "notice-soft"]),
    ("quiet", &["paper", "raised", "sunken", "notice-soft"]),
    ("alarm", &["paper", "raised", "sunken", "alarm-soft"]),
    ("on-buy", &["buy", "buy-hover"]),
    ("paper", &["ink", "ink-hover"]),
];

/// Borders and marks by which something is known to be a control, and the focus ring.
const CONTROLS: &[(&str, &[&str])] = &[
    ("edge", &["paper", "raised", "sunken"]),
    ("ink", &["paper", "raised", "sunken", "notice-soft"]),
    ("buy", &["paper", "raised", "sunken"]),
    ("alarm", &["paper", "raised", "alarm-soft"]),
];

type Colours = BTreeMap<String, [f64; 3]>;

/// The colours of a block of custom properties, in linear sRGB.
fn colours(block: &str) -> Colours {
    let lines = block.lines().filter_map(|line| line.trim().strip_prefix("--")?.split_once(": "));
    // What is see-through has no contrast of its own.
    let opaque = lines.filter(|(_, value)| value.starts_with("oklch(") && !value.contains('/'));
    opaque.map(|(name, value)| (name.to_owned(), linear(name, value))).collect()
}

/// `oklch(97% 0.012 85);` in linear sRGB.
fn linear(name: &str, value: &str) -> [f64; 3] {
    let inner = value.trim_start_matches("oklch(").trim_end_matches(';').trim_end_matches(')');
    let numbers: Vec<f64> =
        inner.split(' ').map(|part| part.trim_end_matches('%').parse().expect("a number")).collect();
    let [lightness, chroma, hue] = numbers[..] else { panic!("{name} has not three numbers") };
    let (lightness, hue) = (lightness / 100.0, hue.to_radians());
    let (a, b) = (chroma * hue.cos(), chroma * hue.sin());
    let cube = |x: f64, y: f64| (lightness + x * a + y * b).powi(3);
    let l = cube(0.396_337_777_4, 0.215_803_757_3);
    let m = cube(-0.105_561_345_8, -0.063_854_172_8);
    let s = cube(-0.089_484_177_5, -1.291_485_548_0);
    let rgb = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ];
    // Outside sRGB every screen would show something else.
    assert!(rgb.iter().all(|part| (-0.002..=1.002).contains(part)), "{name} is outside sRGB: {rgb:?}");
    rgb.map(|part| part.clamp(0.0, 1.0))
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let luminance = |[r, g, b]: [f64; 3]| 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    let (one, other) = (luminance(one), luminance(other));
    one.max(other) / one.min(other)
}

/// The blocks of light and of dark, and all that comes after them.
fn blocks() -> (&'static str, &'static str, &'static str) {
    let (light, rest) = CSS.split_once("@media (prefers-color-scheme: dark) {").expect("a dark block");
    let (dark, rest) = rest.split_once("\n}\n").expect("its end");
    (light, dark, rest)
}

#[test]
fn colours_contrast_in_light_and_in_dark() {
    let (light, dark, _) = blocks();
    for (scheme, colours) in [("light", colours(light)), ("dark", colours(dark))] {
        for (pairs, least) in [(TEXT, 4.5), (CONTROLS, 3.0)] {
            for (front, backs) in pairs {
                for back in *backs {
                    let found = contrast(colours[*front], colours[*back]);
                    assert!(found >= least, "{scheme}: {front} on {back} is {found:.2}, not {least}");
                }
            }
        }
    }
}

#[test]
fn light_and_dark_have_the_same_colours() {
    let (light, dark, _) = blocks();
    assert_eq!(colours(light).into_keys().collect::<Vec<_>>(), colours(dark).into_keys().collect::<Vec<_>>());
}

#[test]
fn no_colour_is_named_elsewhere() {
    let (_, _, rest) = blocks();
    for made in ["oklch(", "rgb(", "hsl(", "color-mix(", ": #", " white;", " black;"] {
        assert!(!rest.contains(made), "a colour beside the custom properties: {made}");
    }
}

#[test]
fn what_can_be_bought_alone_has_the_accent() {
    let (_, _, rest) = blocks();
    let lines = rest.lines().filter(|line| line.contains("var(--buy"));
    assert!(lines.into_iter().all(|line| line.starts_with(".buyit")), "the accent is used beside .buyit");
}

#[test]
fn black_on_white_is_21() {
    let (black, white) = (linear("black", "oklch(0% 0 0);"), linear("white", "oklch(100% 0 0);"));
    assert!((contrast(black, white) - 21.0).abs() < 0.01);
}
