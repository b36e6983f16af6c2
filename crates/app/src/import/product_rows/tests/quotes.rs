//! Quotes that go over rows, blanks, and rows of few cells.

use super::*;
use kernel::Currency;

/// The last problem, when it ends the file: its line and column, and what is said.
fn ends(format: Format, text: &str) -> Option<(u64, String, String)> {
    let mut refused = items(format, text).into_iter().filter_map(|item| match item {
        Item::Refused(problems) => Some(problems),
        _ => None,
    });
    let problem = refused.next_back()?.pop()?;
    problem.is_last.then_some((problem.line, problem.column, problem.reason))
}

#[test]
fn a_quotation_mark_that_closes_by_chance_takes_no_row_with_it() {
    for (text, line, column, row) in [
        (
            "name,sku,prices,description\nLamp,L-1,1 GBP,good\nScreen,S-1,9 GBP,\"24 inch screen\nThing 1,T-1,1 GBP,plain\n\
             Thing 2,T-2,2 GBP,21\"\n",
            3,
            "description",
            "line 4",
        ),
        // The line that it closes on, at the end of the file too.
        (
            "name,sku,prices,description\nLamp,L-1,1 GBP,good\nScreen,S-1,9 GBP,\"24 inch\nThing 2,T-2,2 GBP,21\"",
            3,
            "description",
            "line 4",
        ),
        (
            "name,description,sku,prices\nLamp,good,L-1,1 GBP\nScreen,\"24 inch,S-1,9 GBP\nThing,21\",T-1,1 GBP\n",
            3,
            "description",
            "line 4",
        ),
        // By the other separators and ends of lines, from a name, over a row that continues a product.
        (
            "external_reference;name;sku;prices\r\nl;Lamp;L-1;1 GBP\r\nr1;\"Screen;S-1;9 GBP\r\nr1;;S-2;9 GBP\r\nr2;Thing\";T-1;1 GBP\r\n",
            3,
            "name",
            "line 4",
        ),
        // A row that is refused already.
        (
            "name,sku,prices,description\nLamp,L-1,1 GBP,good\n\"24\" screen,S-1,9 GBP,\"24 inch\nThing 1,T-1,1 GBP,plain\nend\"\n",
            3,
            "description",
            "line 4",
        ),
        // Blanks behind commas, as in the rows before.
        (
            "name, sku, prices, description\nLamp, L-1, 1 GBP, good\nScreen, S-1, 9 GBP, \"24 inch\nThing 1, T-1, 1 GBP, x\nend\"\n",
            3,
            "description",
            "line 4",
        ),
        // Cells that are left out at the end.
        (
            "name,sku,prices,description,status\nLamp,L-1,1 GBP\nScreen,S-1,9 GBP,\"24 inch\nThing 1,T-1,1 GBP\nend\"\n",
            3,
            "description",
            "line 4",
        ),
        // What has no price, and blanks in quotes.
        (
            "name,sku,prices,description\nLamp,L-1,1 GBP,good\nScreen,S-1,9 GBP,\"24 inch\nThing 1,T-1,,\"\"\nend\"\n",
            3,
            "description",
            "line 4",
        ),
    ] {
        let (at, told, reason) = ends(Format::Csv, text).expect(text);
        assert_eq!((at, told.as_str()), (line, column), "{reason}");
        assert!(reason.contains(row), "{reason}");
        assert_eq!(good(Format::Csv, text).len(), 1, "{text}");
    }
}

#[test]
fn stories_of_many_lines_go_in() {
    for story in [
        "Soft, warm, light, and durable\nhandmade, in Leeds, since 1999, by us",
        "One mug, white, 9 GBP, boxed\n\nlight, fine",
        "Sizes:\nS,M,L,XL\nprices,from,1 GBP",
        "<p>a, b</p>\n<table>\n<tr><td class=\"\"x\"\">a, b, c</td></tr>\n</table>",
        "the end, of it",
        "Mug, white, 9 GBP, 3, boxed",
    ] {
        for text in [
            format!("name,sku,prices,stock,description\nBowl,B-1,1 GBP,3,\"{story}\"\nMug,M-1,1 GBP,2,\n"),
            format!("name,description,sku,prices\nBowl,\"{story}\nand, so on\",B-1,1 GBP\nMug,,M-1,1 GBP\n"),
        ] {
            assert_eq!(problems(Format::Csv, text.clone()), [], "{text}");
            assert_eq!(good(Format::Csv, text).len(), 2);
        }
    }
}

#[test]
fn a_quotation_mark_of_an_export_that_closes_by_chance_takes_no_row_with_it() {
    let shopify = "Handle,Title,Body (HTML),Variant SKU,Variant Price,Image Src\n\
        lamp,Lamp,good,L-1,9,\n\
        screen,Screen,\"24 inch,S-1,9,\n\
        cup,Cup,plain,C-1,5,\n\
        pan,Pan,21\",P-1,5,\n";
    let (line, column, _) = ends(Format::Shopify(Currency::GBP), shopify).expect("the last");
    assert_eq!((line, column.as_str()), (3, "Body (HTML)"));
    let woo = "ID,Type,SKU,Name,Description,Regular price\n\
        1,simple,L-1,Lamp,good,9\n\
        2,simple,S-1,Screen,\"24 inch,9\n\
        3,simple,C-1,Cup,plain,5\n\
        4,simple,P-1,Pan,21\",5\n";
    let (line, column, _) = ends(Format::WooCommerce(Currency::EUR), woo).expect("the last");
    assert_eq!((line, column.as_str()), (3, "Description"));
    // A body with as many commas as there are columns is none.
    let body = "Handle,Title,Body (HTML),Variant SKU,Variant Price,Image Src\n\
        lamp,Lamp,\"<p>a\nsoft, warm, light, 9, 12, and more</p>\nsoft,warm,light,fine,cosy,blue\n\",L-1,9,\n";
    assert_eq!(good(Format::Shopify(Currency::GBP), body).len(), 1);
}

#[test]
fn rows_of_blanks_of_any_script_are_none() {
    let text =
        "\u{3000},,\nname,sku,prices\n\u{a0},,\n\u{3000},\u{2003},\u{feff}\nBowl,B-1,1 GBP\n,,,\u{a0}\n";
    assert_eq!(problems(Format::Csv, text), []);
    assert_eq!(good(Format::Csv, text)[0].lines, [5]);
    let text = "Handle,Title,Variant Price\n\u{a0},,\nbowl,Bowl,1\n\u{3000},,\n";
    assert_eq!(good(Format::Shopify(Currency::GBP), text).len(), 1);
    assert_eq!(problems(Format::Shopify(Currency::GBP), text), []);
    let text = "\u{a0}\n{\"name\": \"Bowl\", \"variants\": [{\"sku\": \"B-1\"}]}\n\u{3000}\n";
    assert_eq!(problems(Format::JsonLines, text), []);
}

#[test]
fn cells_that_a_spreadsheet_left_out_at_the_end_of_a_row_are_blank() {
    let text = "name,sku,prices,stock,options,weight_grams\nBowl,B-1,1 GBP\nMug,M-1,1 GBP,3\nJug,J-1\nJar\n";
    let rows = good(Format::Csv, text);
    let stock: Vec<_> = rows.iter().map(|located| located.row.variants[0].stock).collect();
    assert_eq!(stock, [None, Some(3)]);
    assert_eq!(problems(Format::Csv, text), [(4, "prices".to_owned()), (5, "sku".to_owned())]);
}

#[test]
fn a_bad_byte_among_few_letters_is_refused_in_utf_8() {
    let text = b"name,sku,prices\nCaf\xc3\xa9,B-1,1 GBP\nBo\xffwl,B-2,1 GBP\n";
    let rows = good(Format::Csv, text);
    assert_eq!((rows.len(), rows[0].row.name.as_str()), (1, "Caf\u{e9}"));
    assert_eq!(problems(Format::Csv, text), [(3, "name".to_owned())]);
    // One letter of Latin-1 is of Latin-1.
    let rows = good(Format::Csv, b"name,sku,prices\nCaf\xe9,B-1,1 GBP\n");
    assert_eq!(rows[0].row.name, "Caf\u{e9}");
}

#[test]
fn json_lines_end_with_any_end_of_a_line() {
    let line = |sku: &str| format!("{{\"name\": \"Bowl\", \"variants\": [{{\"sku\": \"{sku}\"}}]}}");
    for end in ["\n", "\r\n", "\r"] {
        let text = [line("B-1"), String::new(), line("B-2"), "none".to_owned()].join(end);
        for tail in ["", end] {
            let text = format!("{text}{tail}");
            let lines: Vec<u64> =
                good(Format::JsonLines, text.clone()).iter().map(|it| it.lines[0]).collect();
            assert_eq!(lines, [1, 3], "{end:?}");
            assert_eq!(problems(Format::JsonLines, text), [(4, String::new())], "{end:?}");
        }
    }
}
