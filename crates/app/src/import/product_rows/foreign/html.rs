//! The text of HTML, for descriptions.
//!
//! Not a browser's parser: descriptions of shops are fragments that people and editors wrote. What is not a tag stays text,
//! so nothing that can be read is lost, and what comes out is text wherever it is shown.

/// Tags that begin a line of their own.
const LINES: [&str; 16] = [
    "br",
    "tr",
    "dt",
    "dd",
    "option",
    "summary",
    "caption",
    "figcaption",
    "legend",
    "hr",
    "thead",
    "tbody",
    "title",
    "address",
    "nav",
    "label",
];
/// Tags that are set apart by an empty line.
const PARAGRAPHS: [&str; 20] = [
    "p",
    "div",
    "section",
    "article",
    "header",
    "footer",
    "ul",
    "ol",
    "dl",
    "table",
    "blockquote",
    "pre",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "form",
];
/// Tags whose contents are not read.
const SILENT: [&str; 8] = ["script", "style", "template", "noscript", "iframe", "object", "svg", "head"];

/// What separates two words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Blank,
    Line,
    Paragraph,
}

struct Text {
    text: String,
    gap: Gap,
}

impl Text {
    fn gap(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn push(&mut self, word: &str) {
        if !self.text.is_empty() {
            self.text.push_str(match self.gap {
                Gap::None => "",
                Gap::Blank => " ",
                Gap::Line => "\n",
                Gap::Paragraph => "\n\n",
            });
        }
        self.gap = Gap::None;
        self.text.push_str(word);
    }

    /// Words of a text; its line breaks count where the writer's lines are kept.
    fn words(&mut self, text: &str, keeps_lines: bool) {
        let mut breaks = 0;
        let mut word = String::new();
        for c in text.chars() {
            if !c.is_whitespace() {
                word.push(c);
                breaks = 0;
                continue;
            }
            if !word.is_empty() {
                self.push(&std::mem::take(&mut word));
            }
            self.gap(Gap::Blank);
            if keeps_lines && c == '\n' {
                breaks += 1;
                self.gap(if breaks > 1 { Gap::Paragraph } else { Gap::Line });
            }
        }
        if !word.is_empty() {
            self.push(&word);
        }
    }
}

/// The text of a fragment of HTML: paragraphs set apart by an empty line, points of lists behind a hyphen, character
/// references as their characters. `keeps_lines` where line breaks of the source are meant, as in plain text; text without any
/// tag keeps them always.
#[must_use]
pub fn to_text(html: &str, keeps_lines: bool) -> String {
    let keeps_lines = keeps_lines || !html.contains('<');
    let mut out = Text { text: String::with_capacity(html.len()), gap: Gap::None };
    let mut ends = Ends::of(html);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        out.words(&htmlize::unescape(before), keeps_lines);
        match tag(from, &mut ends) {
            Tag::None => {
                out.words("<", keeps_lines);
                rest = &from[1..];
            }
            Tag::Skip(length) => rest = &from[length..],
            Tag::Named { name, closes, length } => {
                rest = &from[length..];
                mark(&mut out, &name, closes);
                if !closes && SILENT.contains(&name.as_str()) {
                    rest = behind(rest, &name);
                }
            }
        }
    }
    out.words(&htmlize::unescape(rest), keeps_lines);
    out.text.trim().to_owned()
}

fn mark(out: &mut Text, name: &str, closes: bool) {
    match name {
        "li" if closes => out.gap(Gap::Line),
        "li" => {
            out.gap(Gap::Line);
            out.push("-");
            out.gap(Gap::Blank);
        }
        "td" | "th" => out.gap(Gap::Blank),
        "br" if out.gap >= Gap::Line => out.gap(Gap::Paragraph),
        name if PARAGRAPHS.contains(&name) => out.gap(Gap::Paragraph),
        name if LINES.contains(&name) => out.gap(Gap::Line),
        _ => {}
    }
}

enum Tag {
    /// No tag: a sign for "less than".
    None,
    /// A comment or a declaration.
    Skip(usize),
    Named {
        name: String,
        closes: bool,
        length: usize,
    },
}

fn tag(from: &str, ends: &mut Ends) -> Tag {
    if let Some(comment) = from.strip_prefix("<!--") {
        return Tag::Skip(comment.find("-->").map_or(from.len(), |end| end + 7));
    }
    if from.starts_with("<!") || from.starts_with("<?") {
        return Tag::Skip(from.find('>').map_or(from.len(), |end| end + 1));
    }
    let (closes, name) = match from.strip_prefix("</") {
        Some(name) => (true, name),
        None => (false, &from[1..]),
    };
    let length =
        name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != ':').unwrap_or(name.len());
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Tag::None;
    }
    let behind_name = name[length..].chars().next();
    if !matches!(behind_name, Some('>' | '/')) && !behind_name.is_some_and(char::is_whitespace) {
        return Tag::None;
    }
    let Some(end) = ends.of_tag(from) else { return Tag::None };
    Tag::Named { name: name[..length].to_ascii_lowercase(), closes, length: end }
}

/// Where tags may end.
struct Ends {
    /// Bytes from the last `>` on: what stands behind it is no tag.
    behind_last: usize,
    /// Whether quoted values are passed over. A quotation mark that is never closed ends that, and the search for its end is not
    /// done again for each tag behind it.
    trusts_quotes: bool,
}

impl Ends {
    fn of(html: &str) -> Self {
        Self {
            behind_last: html.rfind('>').map_or(html.len() + 1, |last| html.len() - last),
            trusts_quotes: true,
        }
    }

    /// Where the tag that a text begins with ends: at the first `>` that is not in a quoted value.
    fn of_tag(&mut self, from: &str) -> Option<usize> {
        if from.len() < self.behind_last {
            return None;
        }
        let mut quote = None;
        let mut before = b' ';
        for (n, byte) in from.bytes().enumerate() {
            match (quote, byte) {
                (None, b'>') => return Some(n + 1),
                (None, b'"' | b'\'') if before == b'=' && self.trusts_quotes => quote = Some(byte),
                (Some(open), byte) if open == byte => quote = None,
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                before = byte;
            }
        }
        // A value whose quotation mark is never closed: the tag ends at the first sign that can end one.
        self.trusts_quotes = false;
        from.find('>').map(|at| at + 1)
    }
}

/// What stands behind the end of an element whose contents are left out.
fn behind<'a>(rest: &'a str, name: &str) -> &'a str {
    let end = format!("</{name}");
    let at = rest.as_bytes().windows(end.len()).position(|part| part.eq_ignore_ascii_case(end.as_bytes()));
    match at.and_then(|at| rest[at..].find('>').map(|end| at + end + 1)) {
        Some(after) => &rest[after..],
        None => "",
    }
}
