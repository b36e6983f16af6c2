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
    let rows = "name,sku,prices,images\n\
                Mug,MUG-1,9.50 GBP,pictures/mug.jpg a white mug\n\
                Jug,JUG-1,19.50 GBP,pictures/jug.jpg a jug\n\
                Cup,CUP-1,6.50 GBP,../outside.jpg a cup\n\
                Bowl,BOWL-1,7.50 GBP,words.txt a bowl\n";
    let file = folder.join("goods.csv");
    std::fs::write(&file, rows).expect("written");
    let file = file.to_str().expect("UTF-8");
    let (code, report) = shop.run(&["import", "products", file]);
    assert_eq!((code, &report["created"], &report["refused"]), (1, &1.into(), &3.into()), "{report}");
    let reasons = [
        (3, "\"pictures/jug.jpg\", which cannot be read"),
        (4, "\"../outside.jpg\", which is not below the folder"),
        (5, "\"words.txt\", which must be a JPEG, PNG or WebP file"),
    ];
    for (problem, (line, reason)) in report["problems"].as_array().expect("a list").iter().zip(reasons) {
        assert_eq!((&problem["line"], &problem["column"]), (&line.into(), &"images".into()), "{report}");
        assert!(problem["reason"].as_str().is_some_and(|said| said.contains(reason)), "{report}");
    }
    // The same file again changes nothing.
    let (_, report) = shop.run(&["import", "products", file]);
    assert_eq!((&report["created"], &report["unchanged"]), (&0.into(), &1.into()), "{report}");
}
