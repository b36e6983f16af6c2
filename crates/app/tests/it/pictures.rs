//! Pictures that a file of products names.

use std::io::Cursor;

use image::{ImageFormat, RgbImage};

use super::Shop;

#[test]
fn a_product_file_brings_its_pictures() {
    let scratch = tempfile::tempdir().expect("a directory");
    let shop = Shop::start(&scratch.path().join("shop"), &["--no-demo"]);
    let folder = scratch.path().join("goods");
    std::fs::create_dir_all(folder.join("pictures")).expect("a folder");
    let mut picture = Cursor::new(Vec::new());
    RgbImage::new(300, 200).write_to(&mut picture, ImageFormat::Jpeg).expect("written");
    std::fs::write(folder.join("pictures/mug.jpg"), picture.into_inner()).expect("written");
    std::fs::write(folder.join("words.txt"), "no picture").expect("written");
    std::fs::write(scratch.path().join("outside.jpg"), "somebody else's").expect("written");
    std::os::unix::fs::symlink("../../outside.jpg", folder.join("pictures/link.jpg")).expect("linked");
    let made = std::process::Command::new("mkfifo").arg(folder.join("pictures/pipe.jpg")).status();
    assert!(made.is_ok_and(|made| made.success()));
    let rows = "name,sku,prices,images\n\
                Mug,MUG-1,9.50 GBP,pictures/mug.jpg a white mug\n\
                Jug,JUG-1,19.50 GBP,pictures/jug.jpg a jug\n\
                Cup,CUP-1,6.50 GBP,../outside.jpg a cup\n\
                Bowl,BOWL-1,7.50 GBP,words.txt a bowl; pictures/mug.jpg\n\
                Pan,PAN-1,8.50 GBP,pictures/link.jpg\n\
                Pot,POT-1,8.50 GBP,pictures/pipe.jpg\n";
    let file = folder.join("goods.csv");
    std::fs::write(&file, rows).expect("written");
    let file = file.to_str().expect("UTF-8");
    let (code, report) = shop.run(&["import", "products", file]);
    // A bad picture costs itself, not its product.
    assert_eq!((code, &report["created"], &report["refused"]), (1, &6.into(), &0.into()), "{report}");
    assert_eq!(report["problems"].as_array().map(Vec::len), Some(5), "{report}");
    let reasons = [
        (3, "\"pictures/jug.jpg\", which cannot be read"),
        (4, "\"../outside.jpg\", which is not below the folder"),
        (5, "\"words.txt\", which must be a JPEG, PNG or WebP file"),
        (6, "\"pictures/link.jpg\", which is a link to something outside"),
        (7, "\"pictures/pipe.jpg\", which cannot be read: it is a named pipe"),
    ];
    for (problem, (line, reason)) in report["problems"].as_array().expect("a list").iter().zip(reasons) {
        assert_eq!((&problem["line"], &problem["column"]), (&line.into(), &"images".into()), "{report}");
        assert!(problem["reason"].as_str().is_some_and(|said| said.contains(reason)), "{report}");
    }
    // The same file again changes nothing.
    let (_, report) = shop.run(&["import", "products", file]);
    assert_eq!((&report["created"], &report["unchanged"]), (&0.into(), &6.into()), "{report}");
}

#[test]
fn a_picture_that_the_catalogue_does_not_take_costs_itself() {
    let scratch = tempfile::tempdir().expect("a directory");
    let shop = Shop::start(&scratch.path().join("shop"), &["--no-demo"]);
    let image = |source: &str| format!("{{{source}, \"width\": 40000, \"alt\": \"{}\"}}", "a".repeat(301));
    let (unknown, other) = ("a1".repeat(32), "b2".repeat(32));
    let images = [
        image("\"url\": \"http://x.example/a.jpg\""),
        image(&format!("\"content_hash\": \"{unknown}\"")),
        image("\"url\": \"https://x.example/good.jpg\""),
        image(&format!("\"content_hash\": \"{other}\"")),
        image("\"content_hash\": \"cafe\""),
    ];
    let line = format!(
        "{{\"name\": \"Mug\", \"images\": [{}], \"variants\": [{{\"sku\": \"MUG\", \"prices\": {{\"GBP\": \"9\"}}}}]}}\n",
        images.join(",")
    );
    let urls = (0..60).map(|n| format!("https://x.example/{n}.jpg")).collect::<Vec<_>>().join("; ");
    let file = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let (code, report) = shop.run(&["import", "products", &file("mug.jsonl", &line)]);
    assert_eq!((code, &report["created"], &report["refused"]), (1, &1.into(), &0.into()), "{report}");
    let mut columns: Vec<_> =
        report["problems"].as_array().expect("a list").iter().map(|it| it["column"].clone()).collect();
    columns.sort_by_key(ToString::to_string);
    assert_eq!(
        columns,
        ["/images/0/url", "/images/1/content_hash", "/images/3/content_hash", "/images/4/content_hash"],
        "{report}"
    );
    let text = format!("name,sku,prices,images\nJug,JUG,1 GBP,{urls}\n");
    let (code, report) = shop.run(&["import", "products", &file("jug.csv", &text)]);
    assert_eq!((code, &report["created"]), (0, &1.into()), "{report}");
    assert!(report["notes"].to_string().contains("60 pictures"), "{report}");
}

#[test]
fn what_another_shop_sells_without_counting_is_told_or_gets_units() {
    let scratch = tempfile::tempdir().expect("a directory");
    let shop = Shop::start(&scratch.path().join("shop"), &["--no-demo"]);
    let path = scratch.path().join("export.csv");
    std::fs::write(
        &path,
        "ID,Type,SKU,Name,Regular price,In stock?,Stock\n1,simple,A,A,9,1,\n2,simple,B,B,9,0,\n",
    )
    .expect("written");
    let arguments =
        ["import", "products", path.to_str().expect("UTF-8"), "--from", "woocommerce", "--currency", "EUR"];
    let (code, report) = shop.run(&arguments);
    assert_eq!((code, &report["created"], &report["units_received"]), (0, &2.into(), &0.into()), "{report}");
    let notes = report["notes"].as_array().expect("a list");
    assert_eq!(
        (notes.len(), &notes[0]["line"], &notes[0]["column"]),
        (1, &2.into(), &"Stock".into()),
        "{report}"
    );
    let (code, report) = shop.run(&[&arguments[..], &["--stock-when-untracked", "30"]].concat());
    assert_eq!((code, &report["units_received"]), (0, &30.into()), "{report}");
}

/// What a file with faults of all kinds comes to: what is good is in the shop, and each fault is told with its line.
#[test]
fn files_of_all_kinds_are_read_or_refused_with_their_place() {
    let scratch = tempfile::tempdir().expect("a directory");
    let shop = Shop::start(&scratch.path().join("shop"), &["--no-demo"]);
    let import = |name: &str, bytes: &[u8], flags: &[&str]| {
        let path = scratch.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        let mut arguments = vec!["import", "products", path.to_str().expect("UTF-8")];
        arguments.extend(flags);
        shop.run(&arguments)
    };
    // An open quotation mark takes no row with it.
    let text = b"name,sku,prices,description\nLamp,L-1,1 GBP,good\nScreen,S-1,9.50 GBP,\"24 inch\nThing,T-1,1 GBP,\"plain\"\n";
    let (code, report) = import("open.csv", text, &[]);
    assert_eq!((code, &report["created"], &report["refused"]), (1, &1.into(), &1.into()), "{report}");
    assert_eq!(
        (&report["problems"][0]["line"], &report["problems"][0]["column"]),
        (&3.into(), &"description".into())
    );
    // Another encoding, another separator, blank rows, other names of columns.
    let text = b"sep=;\r\nNAME;Sku;Prices;Gr\xf6\xdfe\r\n;;;\r\nK\xfchler Becher f\xfcr Gr\xf6\xdfere;K-1;4 EUR;XL\r\n";
    let (code, report) = import("latin.csv", text, &[]);
    assert_eq!((code, &report["created"], &report["refused"]), (0, &1.into(), &0.into()), "{report}");
    let notes = report["notes"].to_string();
    assert!(notes.contains("windows-1252") && notes.contains("Größe"), "{report}");
    // Two faults of a row are one row.
    let (code, report) = import("faults.csv", b"name,sku,prices,stock\r\nMug,M-1,none,many\r\n", &[]);
    assert_eq!((code, &report["refused"]), (1, &1.into()), "{report}");
    assert_eq!(report["problems"].as_array().map(Vec::len), Some(2), "{report}");
    // Stock that differs from what was received before ends nothing.
    let stock = |units: u32| format!("name,sku,prices,stock\nJar,J-1,1 GBP,{units}\nTin,N-{units},1 GBP,2\n");
    import("stock.csv", stock(5).as_bytes(), &[]);
    let (code, report) = import("stock.csv", stock(6).as_bytes(), &[]);
    assert_eq!((code, &report["units_received"]), (0, &2.into()), "{report}");
    assert!(report["notes"].to_string().contains("stays as it is"), "{report}");
    // An export, with a SKU used twice and an address that is taken.
    let export = b"Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price,Variant Compare At Price,Status\n\
        jar,Old jar,<p>A <b>jar</b></p>,Title,Default Title,OJ-1,-2,3.00,4.00,active\n\
        cap,Cap,,Size,S,OJ-1,1,3.00,,active\n\
        cap,,,,M,,1,3.00,,\n";
    let (code, report) = import("export.csv", export, &["--from", "shopify", "--currency", "GBP"]);
    assert_eq!((code, &report["created"], &report["refused"]), (1, &1.into(), &1.into()), "{report}");
    assert_eq!(
        (&report["problems"][0]["line"], &report["problems"][0]["column"]),
        (&3.into(), &"Variant SKU".into())
    );
    assert!(report["notes"].to_string().contains("is the address of another product"), "{report}");
    let (code, report) = import("export.csv", export, &["--from", "shopify", "--currency", "GBP"]);
    assert_eq!((code, &report["unchanged"]), (1, &1.into()), "the same again changes nothing: {report}");
    // A file that is cut within a product leaves that as it is.
    let whole =
        "external_reference,name,sku,prices,options\nr1,Pail,P-1,1 GBP,size=S\nr1,,P-2,1 GBP,size=L\n";
    let (code, report) = import("pails.csv", whole.as_bytes(), &[]);
    assert_eq!((code, &report["created"]), (0, &1.into()), "{report}");
    let (code, report) = import("pails.csv", &whole.replace("r1,,P-2", "r1,,\"P-2").into_bytes(), &[]);
    assert_eq!((code, &report["updated"], &report["refused"]), (1, &0.into(), &2.into()), "{report}");
    let (code, report) = import("pails.csv", whole.as_bytes(), &[]);
    assert_eq!((code, &report["unchanged"]), (0, &1.into()), "no variant was removed: {report}");
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let scratch = tempfile::tempdir().expect("a directory");
    let shop = Shop::start(&scratch.path().join("shop"), &["--no-demo"]);
    let pipe = scratch.path().join("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|made| made.success()));
    let folder = scratch.path().join("folder.csv");
    std::fs::create_dir(&folder).expect("made");
    for (path, said) in [(&pipe, "a named pipe"), (&folder, "a directory")] {
        let path = path.to_str().expect("UTF-8");
        for command in [["import", "products"], ["import", "online-retail"], ["replay", "online-retail"]] {
            let text = super::failed(&mut shop.command(&[command[0], command[1], path]));
            assert!(text.contains(said), "{command:?}: {text}");
        }
    }
}
