//! Writes a contact sheet to look at: `cargo run -p picture --example sheet -- sheet.html`. Names of products, one a
//! line as `id<tab>name<tab>category`, can follow as a second file.

use std::fmt::Write as _;

use picture::{Kind, Picture};

const STYLE: &str = "body,figure{margin:0}body{font:12px sans-serif}section{padding:16px;display:grid;gap:12px;\
    grid-template-columns:repeat(auto-fill,minmax(160px,1fr))}img{width:100%;height:auto;display:block}\
    .dark{background:#1d1a17;color:#eee}.light{background:#f6f1e7;color:#222}";

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "sheet.html".to_owned());
    let names = arguments.next().map(std::fs::read_to_string).transpose()?.unwrap_or_default();
    let mut page =
        format!("<!doctype html><meta charset=utf-8><title>Pictures</title><style>{STYLE}</style>");
    page.push_str("<section class=light>");
    for kind in Kind::ALL {
        for seed in 1..=6_u64 {
            let seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) << 10;
            let picture = Picture { kind: *kind, seed, initials: "SK".to_owned() };
            figure(&mut page, &picture, kind.as_str());
        }
    }
    page.push_str("</section>");
    for class in ["light", "dark"] {
        let _ = write!(page, "<section class={class}>");
        for line in names.lines() {
            let mut fields = line.split('\t');
            let mut field = || fields.next().unwrap_or_default();
            let (id, name, category) = (field(), field(), field());
            figure(&mut page, &Picture::of(id, name, category), name);
        }
        page.push_str("</section>");
    }
    std::fs::write(path, page)
}

/// One picture with what it is; as an image, so that nothing of the page reaches it.
fn figure(page: &mut String, picture: &Picture, title: &str) {
    let address: String = picture.svg().bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "%{byte:02x}");
        text
    });
    let title: String = title.chars().filter(|c| !"<>&\"".contains(*c)).collect();
    let image = format!("<img alt='' src=\"data:image/svg+xml,{address}\">");
    let _ =
        write!(page, "<figure>{image}<figcaption>{title} · {}</figcaption></figure>", picture.kind.as_str());
}
