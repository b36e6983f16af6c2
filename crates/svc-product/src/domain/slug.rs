//! Names in addresses.

use kernel::letters;

use super::limits::SLUG_CHARS_MAX;

/// Whether a text is a slug: lower-case ASCII letters and digits in groups joined by single hyphens.
#[must_use]
pub fn slug_is_good(slug: &str) -> bool {
    (1..=SLUG_CHARS_MAX).contains(&slug.len())
        && slug.split('-').all(|group| {
            !group.is_empty() && group.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// Makes a slug from a name; `fallback` when nothing of the name remains (a name in another script, or only signs).
///
/// Letters become plain as in search ([`letters::plain`]); what is no Latin letter or digit separates.
#[must_use]
pub fn slugify(name: &str, fallback: &str) -> String {
    let slug = fold(name);
    if slug.is_empty() { fold(fallback) } else { slug }
}

fn fold(text: &str) -> String {
    let mut slug = String::with_capacity(text.len().min(SLUG_CHARS_MAX));
    for c in letters::plain(text).chars() {
        let added = match c {
            'a'..='z' | '0'..='9' => 1,
            '&' => 3,
            _ => 0,
        };
        if slug.len() + added > SLUG_CHARS_MAX {
            break;
        }
        match c {
            '&' => slug.push_str("and"),
            _ if added == 1 => slug.push(c),
            _ if letters::is_apostrophe(c) || slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(SLUG_CHARS_MAX);
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_become_addresses() {
        for (name, slug) in [
            ("White Hanging Heart T-Light Holder", "white-hanging-heart-t-light-holder"),
            ("  Café -- crème  ", "cafe-creme"),
            ("Baker's dozen", "bakers-dozen"),
            ("Salt & pepper", "salt-and-pepper"),
            ("茶碗", "sku-1"),
            ("Phở bowl, wide", "pho-bowl-wide"),
            ("Ľahká bunda", "lahka-bunda"),
            ("Ķirsis", "kirsis"),
            ("Cafe\u{301} cre\u{300}me cups", "cafe-creme-cups"),
            ("Cămașă albă", "camasa-alba"),
            ("ＡＢＣ ノート", "abc"),
            ("Größe Øresund & Łódź", "grosse-oresund-and-lodz"),
        ] {
            assert_eq!(slugify(name, "SKU 1"), slug);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_made_is_a_slug_or_nothing(name in "\\PC{0,200}") {
            let slug = slugify(&name, "x1");
            prop_assert!(slug_is_good(&slug), "{slug:?}");
            prop_assert_eq!(slugify(&slug, "x1"), slug.clone());
        }
    }
}
