//! What cells say in other countries, and in HTML.

use super::*;
use crate::import::product_rows::foreign::html::to_text;

#[test]
fn amounts_of_other_countries_have_one_meaning_or_are_refused() {
    use crate::import::product_rows::cells::amount;
    for (text, wanted) in [
        ("15.50", "15.50"),
        ("15,50", "15.50"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("£15", "15"),
        ("15 GBP", "15"),
        ("1 234,50", "1234.50"),
        ("15.50000000", "15.5"),
        (".5", "0.5"),
        ("0", "0"),
        ("12.", "12"),
        ("1,234,567", "1234567"),
        ("1.234.567", "1234567"),
        ("1'234'567.5", "1234567.5"),
        ("1,23,456.50", "123456.50"),
        ("1 234", "1234"),
        ("0.234", "0.234"),
        ("0,234", "0.234"),
        ("1234.567", "1234.567"),
        ("1,234.567", "1234.567"),
    ] {
        assert_eq!(amount(text, Currency::GBP), Ok(wanted.to_owned()), "{text}");
    }
    for text in [
        "€15",
        "ask",
        "-3",
        "1e3",
        "15.50.1",
        "",
        ".",
        "1,2.3",
        "12,34",
        "1,2345.6",
        "1234,567,890",
        "1,234.567,8",
        "0,123,456",
        "1 2",
        "1 2.3",
        "1.234,567.89",
    ] {
        let is_price = text == "12,34";
        assert_eq!(amount(text, Currency::GBP).is_ok(), is_price, "{text}");
    }
    for (text, sign) in [("1,234", "comma"), ("1.234", "point"), ("12,345", "comma"), ("£123.456", "point")]
    {
        let said = amount(text, Currency::GBP).expect_err(text);
        assert!(said.contains(&format!("the {sign} could stand for thousands")), "{text}: {said}");
    }
    // Where a currency has three decimals, a point before three digits is theirs.
    let dinar = Currency::parse("KWD").expect("a currency");
    assert_eq!(amount("1.234", dinar), Ok("1.234".to_owned()));
    assert!(amount("1,234", dinar).is_err());
}

#[test]
fn html_becomes_text() {
    for (html, text) in [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        (
            "<p>Woven in <b>wool</b>.</p><ul><li>180 cm</li><li> washable</li></ul>",
            "Woven in wool.\n\n- 180 cm\n- washable",
        ),
        ("a<br>b<br/>c<br /><br>d", "a\nb\nc\n\nd"),
        ("5 &lt; 6 &amp;&nbsp;7 &eacute;&#233;&#x2014;", "5 < 6 & 7 éé—"),
        ("if a < b then", "if a < b then"),
        ("<3 you", "<3 you"),
        ("x<!-- secret --><script>alert('</p>')</script><style>p{}</style>y", "xy"),
        ("<img src=\"a>b.jpg\" alt='x'>seen", "seen"),
        ("<a href=\"x\n>y", "y"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),
        ("plain\nlines\n\nstay", "plain\nlines\n\nstay"),
        ("<div>lines\nof source</div>", "lines of source"),
        (
            "<table><tr><td>Size</td><td>M</td></tr><tr><td>Fit</td><td>wide</td></tr></table>",
            "Size M\nFit wide",
        ),
        ("<script>never closed", ""),
        ("end <", "end <"),
        ("a > b <i never closed", "a > b <i never closed"),
        ("<a x=\">\" y=\">\">seen</a><img alt='>'>too", "seentoo"),
    ] {
        assert_eq!(to_text(html, false), text, "{html}");
    }
}

/// Tags that never end, or whose quotes never close: each was once looked for up to the end of the text.
#[test]
fn html_without_ends_is_read_in_linear_time() {
    for unit in
        ["<a ", "<a x=\">\" y=\">\"", "<a x='>", "<!--", "<!", "<script>", "</p", "&amp", "<a x=\"", "<b\n"]
    {
        let html = unit.repeat((1 << 18) / unit.len());
        for end in ["", ">"] {
            let text = to_text(&format!("{html}{end}"), false);
            assert!(text.len() <= html.len() + 1, "{unit}");
        }
    }
}
