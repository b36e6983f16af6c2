use std::io::Cursor;

use super::super::{Format, Item, Located, Problem};
use super::*;
use kernel::Currency;
use svc_product::domain::limits::NAME_CHARS_MAX;

const SHOPIFY: Format = Format::Shopify(Currency::GBP);
const WOO: Format = Format::WooCommerce(Currency::EUR);

mod doubt;
mod more;
mod values;
mod whole;

#[derive(Default)]
struct Told {
    products: Vec<Located>,
    refused: Vec<(u64, String)>,
    notes: Vec<(u64, String)>,
}

fn read(format: Format, text: &str) -> Told {
    let mut told = Told::default();
    let place = |problem: Problem| (problem.line, problem.column);
    for item in format.read(Box::new(Cursor::new(text.to_owned().into_bytes())), None) {
        match item {
            Item::Product(located) => told.products.push(located),
            Item::Refused(problems) => told.refused.extend(problems.into_iter().map(place)),
            Item::Note(note) => told.notes.push(place(note)),
        }
    }
    told
}

fn named<'a>(told: &'a Told, name: &str) -> &'a Located {
    told.products.iter().find(|located| located.row.name == name).expect(name)
}

const SHOPIFY_HEADER: &str = "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option1 Linked To,Option2 Name,Option2 Value,Option2 Linked To,Option3 Name,Option3 Value,Option3 Linked To,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Fulfillment Service,Variant Price,Variant Compare At Price,Variant Requires Shipping,Variant Taxable,Variant Barcode,Image Src,Image Position,Image Alt Text,Gift Card,SEO Title,SEO Description,Google Shopping / Google Product Category,Variant Image,Variant Weight Unit,Cost per item,Included / United Kingdom,Status";

/// A row of Shopify's export: values by column.
fn shopify_row(values: &[(&str, &str)]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let cell = |name: &str| {
        values.iter().find(|(column, _)| *column == name).map_or(String::new(), |(_, value)| quoted(value))
    };
    SHOPIFY_HEADER.split(',').map(cell).collect::<Vec<_>>().join(",")
}

fn shopify_file(rows: &[&[(&str, &str)]]) -> String {
    let rows = rows.iter().map(|row| shopify_row(row));
    std::iter::once(SHOPIFY_HEADER.to_owned()).chain(rows).collect::<Vec<_>>().join("\r\n")
}

#[test]
fn a_shopify_product_has_its_variants_options_stock_and_story() {
    let told = read(
        SHOPIFY,
        &shopify_file(&[
            &[
                ("Handle", "linen-shirt"),
                ("Title", "Linen shirt"),
                ("Body (HTML)", "<p>Soft &amp; light.</p>\n<ul><li>One</li><li>Two</li></ul>"),
                ("Vendor", "North Loom"),
                ("Product Category", "Apparel & Accessories > Clothing > Shirts"),
                ("Type", "Shirts"),
                ("Tags", "linen, summer"),
                ("Published", "true"),
                ("Option1 Name", "Size"),
                ("Option1 Value", "M"),
                ("Option2 Name", "Colour"),
                ("Option2 Value", "Sand"),
                ("Variant SKU", "'0042"),
                ("Variant Grams", "310.0"),
                ("Variant Inventory Tracker", "shopify"),
                ("Variant Inventory Qty", "7"),
                ("Variant Price", "45.00"),
                ("Variant Compare At Price", "55.00"),
                ("Variant Taxable", "true"),
                ("Image Src", "https://cdn.example/1.jpg"),
                ("Status", "active"),
            ],
            &[
                ("Handle", "linen-shirt"),
                ("Option1 Value", "L"),
                ("Option2 Value", "Sand"),
                ("Variant Inventory Qty", "-3"),
                ("Variant Price", "47.00"),
                ("Variant Compare At Price", "40.00"),
                ("Image Src", "https://cdn.example/2.jpg"),
            ],
            &[("Handle", "linen-shirt"), ("Image Src", "https://cdn.example/3.jpg"), ("Image Position", "3")],
        ]),
    );
    assert_eq!(told.refused, []);
    let shirt = &named(&told, "Linen shirt").row;
    assert_eq!(
        (shirt.external_reference.as_str(), shirt.slug.as_str()),
        ("shopify:linen-shirt", "linen-shirt")
    );
    assert_eq!(shirt.description, "Soft & light.\n\n- One\n- Two");
    assert_eq!(
        (shirt.categories.as_slice(), shirt.options.as_slice()),
        (&["Shirts".to_owned()][..], &["Size".to_owned(), "Colour".to_owned()][..])
    );
    let variants: Vec<_> = shirt
        .variants
        .iter()
        .map(|variant| (variant.sku.as_str(), variant.stock, variant.weight_grams))
        .collect();
    assert_eq!(variants, [("0042", Some(7), 310), ("linen-shirt-l-sand", Some(0), 0)]);
    assert_eq!(shirt.variants[0].prices["GBP"], "45.00");
    assert_eq!(shirt.variants[0].compare_at_prices["GBP"], "55.00");
    assert!(shirt.variants[1].compare_at_prices.is_empty(), "what is not above the price is no comparison");
    assert!(shirt.images.is_empty());
    assert!(shirt.to_import().is_ok());
    let columns: Vec<&str> = told.notes.iter().map(|(_, column)| column.as_str()).collect();
    assert_eq!(columns, ["Variant Inventory Qty", "Variant SKU", "Image Src"]);
}

#[test]
fn shopify_rows_with_a_fault_of_their_own_cost_their_product() {
    let plain = |handle: &'static str, sku: &'static str, price: &'static str, status: &'static str| {
        vec![
            ("Handle", handle),
            ("Title", handle),
            ("Option1 Name", "Title"),
            ("Option1 Value", "Default Title"),
            ("Variant SKU", sku),
            ("Variant Price", price),
            ("Status", status),
        ]
    };
    let sized = |size: &'static str, sku: &'static str| {
        vec![
            ("Handle", "cap"),
            ("Title", "cap"),
            ("Option1 Name", "Size"),
            ("Option1 Value", size),
            ("Variant SKU", sku),
            ("Variant Price", "9"),
        ]
    };
    let rows = [
        plain("gift-box", "BOX-1", "8.00", "draft"),
        plain("second-box", "BOX-1", "9.00", "active"),
        sized("S", "CAP-S"),
        sized("M", "CAP-S"),
        sized("S", "CAP-X"),
        sized("L", "CAP-L"),
        plain("free", "FREE", "0.00", "archived"),
        plain("odd", "ODD", "ask us", "active"),
        plain("", "NONE", "1.00", "active"),
        plain("cap", "CAP-2", "1.00", "active"),
    ];
    let rows: Vec<&[(&str, &str)]> = rows.iter().map(Vec::as_slice).collect();
    let told = read(SHOPIFY, &shopify_file(&rows));
    let names: Vec<&str> = told.products.iter().map(|located| located.row.name.as_str()).collect();
    assert_eq!(names, ["gift-box", "free"], "a product goes in with all of its rows, or not");
    assert_eq!(told.products[0].row.status, "draft");
    assert!(told.products[0].row.options.is_empty() && told.products[0].row.variants[0].options.is_empty());
    assert_eq!(told.products[1].row.status, "draft");
    let mut refused: Vec<(u64, &str)> =
        told.refused.iter().map(|(line, column)| (*line, column.as_str())).collect();
    refused.sort_unstable();
    assert_eq!(
        refused,
        [
            (3, "Variant SKU"),
            (5, "Variant SKU"),
            (6, "Option1 Value"),
            (9, "Handle"),
            (9, "Variant Price"),
            (10, "Handle"),
            (11, "Handle"),
        ]
    );
}

#[test]
fn the_names_that_shopify_gives_its_columns_since_are_known() {
    let text = "Title,URL handle,Description,SKU,Option1 name,Option1 value,Price,Compare-at price,Inventory quantity,Weight value (grams),Product image URL,Status,Color (product.metafields.shopify.color-pattern)\n\
        Cap,cap,<p>A cap</p>,C-1,Size,S,9.00,12.00,4,80,https://x.example/1.png,Active,red\n";
    let told = read(SHOPIFY, text);
    assert_eq!(told.refused, []);
    let cap = &told.products[0].row;
    assert_eq!(
        (cap.slug.as_str(), cap.description.as_str(), cap.status.as_str()),
        ("cap", "A cap", "active")
    );
    assert_eq!(
        (cap.variants[0].sku.as_str(), cap.variants[0].stock, cap.variants[0].weight_grams),
        ("C-1", Some(4), 80)
    );
    assert_eq!(told.notes, [(2, "Image Src".to_owned())]);
}

const WOO_HEADER: &str = "ID,Type,SKU,Name,Published,Visibility in catalog,Short description,Description,Date sale price ends,Tax status,Tax class,In stock?,Stock,Weight (kg),Sale price,Regular price,Categories,Tags,Images,Parent,Attribute 1 name,Attribute 1 value(s),Attribute 1 visible,Attribute 1 global,Attribute 2 name,Attribute 2 value(s),Meta: _x,Extra";

fn woo(rows: &[&str]) -> Told {
    read(WOO, &format!("\u{feff}{WOO_HEADER}\n{}\n", rows.join("\n")))
}

#[test]
fn woocommerce_variations_find_their_parents_wherever_these_stand() {
    let told = woo(&[
        r#"51,variation,TEE-S,Tee - S,1,visible,,,,,,1,3,,"12,50","19,99",,,,id:50,Size,S,,,Colour,Red,,"#,
        r#"50,variable,TEE,Tee,1,visible,,Line one\n\nLine <b>two</b> &amp; more,,taxable,reduced-rate,1,,"0,25",,,"Clothing > Tees, Sale\, all",cotton,"https://x.example/1.jpg, https://x.example/2.jpg",,Size,"S, M",1,1,Colour,"Red, Blue",,"#,
        r#"52,variation,,Tee - M,1,visible,,,,,,1,-2,"0,3",,"21,00",,,,TEE,Size,M,,,,,,"#,
        r#"53,variation,TEE-X,Tee - X,0,visible,,,,,,1,2,,,"21,00",,,,id:50,Size,X,,,Colour,Red,,"#,
        r#"54,variation,LOST,Lost,1,visible,,,,,,1,2,,,5,,,,id:99,Size,X,,,,,,"#,
        r#"60,"simple, virtual",,Beanie,-1,visible,,,,none,,1,12,,,"15,50",Clothing > Hats,,,,Material,"Wool, Silk",1,0,,,,"#,
        r#"61,grouped,G,Set,1,visible,,,,,,1,,,,,,,,,,,,,,,,"#,
        r#"62,simple,TEE-S,Copy,1,visible,,,,,,1,1,,,"1,00",,,,,,,,,,,,"#,
    ]);
    let tee = named(&told, "Tee");
    assert_eq!((tee.row.external_reference.as_str(), tee.lines.as_slice()), ("woocommerce:50", &[2, 4][..]));
    assert_eq!(tee.row.description, "Line one\n\nLine two & more");
    assert_eq!(tee.row.categories, ["Clothing/Tees", "Sale, all"]);
    assert_eq!(
        (tee.row.options.as_slice(), tee.row.tax_class.as_str()),
        (&["Size".to_owned(), "Colour".to_owned()][..], "reduced")
    );
    let small = &tee.row.variants[0];
    assert_eq!((small.prices["EUR"].as_str(), small.compare_at_prices["EUR"].as_str()), ("12.50", "19.99"));
    assert_eq!((small.weight_grams, small.stock), (250, Some(3)), "what a variation lacks is its parent's");
    let medium = &tee.row.variants[1];
    assert_eq!((medium.sku.as_str(), medium.options["Colour"].as_str()), ("tee-m-any", "Any"));
    assert_eq!((medium.weight_grams, medium.stock), (300, Some(0)));
    let beanie = &named(&told, "Beanie").row;
    assert_eq!((beanie.status.as_str(), beanie.tax_class.as_str()), ("draft", "zero"));
    assert_eq!(
        (beanie.variants[0].sku.as_str(), beanie.categories.as_slice()),
        ("beanie", &["Clothing/Hats".to_owned()][..])
    );
    assert_eq!(told.products.len(), 2);
    let mut refused: Vec<(u64, &str)> =
        told.refused.iter().map(|(line, column)| (*line, column.as_str())).collect();
    refused.sort_unstable();
    assert_eq!(refused, [(6, "Parent"), (8, "Type"), (9, "SKU")]);
    assert!(
        told.notes.iter().any(|note| *note == (1, String::new())),
        "unknown columns are told once: {:?}",
        told.notes
    );
    for (line, column) in
        [(3, "Images"), (4, "SKU"), (4, "Stock"), (5, "Published"), (7, "Published"), (7, "SKU")]
    {
        assert!(told.notes.contains(&(line, column.to_owned())), "{line} {column}: {:?}", told.notes);
    }
}

/// A few hundred products with the dirt of real exports: all go in but those with a fault of their own.
#[test]
fn hundreds_of_dirty_products_go_in() {
    let mut text = format!("{SHOPIFY_HEADER}\r\n");
    let mut faults = 0;
    for n in 0..400_u32 {
        let handle = format!("product-{n}");
        let title =
            format!("Product \u{201c}{n}\u{201d} – 24\" wide & {}", "long ".repeat((n % 40) as usize));
        let body = format!(
            "<div class=\"x\">\r\n<p>Story {n}<br>second line</p>\r\n\r\n<table><tr><td>a, \"b\"</td></tr></table></div>"
        );
        let sku = match n % 10 {
            0 => String::new(),
            // Every twentieth repeats the one before: a fault of its own.
            5 if n % 20 == 5 => format!("SKU-{}", n - 1),
            _ => format!("SKU-{n}"),
        };
        faults += u32::from(n % 20 == 5);
        let quantity = (i64::from(n) - 20).to_string();
        let tags = (0..n % 60).map(|tag| format!("tag {tag}")).collect::<Vec<_>>().join(", ");
        let mut values = vec![
            ("Handle", handle.as_str()),
            ("Title", &title),
            ("Body (HTML)", &body),
            ("Tags", &tags),
            ("Variant SKU", &sku),
            ("Variant Inventory Qty", &quantity),
            ("Variant Price", "12.50"),
            ("Image Src", "https://cdn.example/a.jpg?v=1"),
            ("Option1 Name", "Title"),
            ("Option1 Value", "Default Title"),
        ];
        if n % 3 == 0 {
            values.retain(|(column, _)| !column.starts_with("Option1"));
            values.extend([("Option1 Name", "Colour"), ("Option1 Value", "Rouge foncé / très long")]);
        }
        text.push_str(&shopify_row(&values));
        text.push_str("\r\n");
        if n % 3 == 0 {
            for size in 0..(n % 120) {
                let (value, price) = (format!("Size {size}"), if size % 7 == 0 { "" } else { "9.99" });
                let row = [
                    ("Handle", handle.as_str()),
                    ("Option1 Value", value.as_str()),
                    ("Variant Price", price),
                ];
                text.push_str(&shopify_row(&row));
                text.push_str("\r\n");
            }
        }
        text.push_str(&shopify_row(&[
            ("Handle", &handle),
            ("Image Src", "https://cdn.example/b.jpg"),
            ("Image Position", "2"),
        ]));
        text.push_str("\r\n,,,,\r\n");
    }
    let told = read(SHOPIFY, &text);
    assert_eq!(told.refused.len(), faults as usize, "{:?}", told.refused);
    assert_eq!(told.products.len(), 400 - faults as usize);
    for located in &told.products {
        let import = located.row.to_import().expect("good");
        let product = import.product.expect("there");
        assert!(product.name.chars().count() <= NAME_CHARS_MAX && !product.description.contains('<'));
        assert!(product.variants.iter().all(|variant| (1..=64).contains(&variant.sku.len())));
    }
}
