//! The table of this shop: a row a variant.

mod fields;

use std::collections::VecDeque;
use std::io::BufRead;

use super::foreign;
use super::unread::{Unread, lost_variant};
use super::{
    Item, Located, PROBLEMS_MAX, PRODUCT_BYTES_MAX, Problem, ROW_LIMITS, Source, VariantRow, as_stored,
};
use crate::table::{Columns, Encoding, Fault, Known, Record, Records, Remains, Utf8, encoding};
use fields::Fields;

/// The columns, in any order. `name`, `sku` and `prices` must be there. Lists are separated by semicolons: categories
/// `Kitchen/Mugs; Gifts`, options `colour=blue; size=L`, prices `24.50 GBP; 28 EUR`, attributes `material=oak`, images
/// `bowl.jpg what is seen` (a file, see [`ImageRow`](super::ImageRow)); one that stands at an address is skipped, and told.
pub const COLUMNS: [&str; 15] = [
    REFERENCE,
    "name",
    "slug",
    "description",
    "categories",
    "sku",
    "options",
    "prices",
    "tax_class",
    "weight_grams",
    "stock",
    "synonyms",
    "attributes",
    "images",
    "status",
];
const REFERENCE: &str = "external_reference";
const REQUIRED: [&str; 3] = ["name", "sku", "prices"];
const KNOWN: Known<'static> = Known { names: &COLUMNS, file: "a product file" };
/// The most variants that are gathered; the catalogue refuses more than it takes.
const VARIANTS_MAX: usize = 5_000;

/// Reads products. Ends with a problem that is the last one where the file cannot be read on.
pub(super) fn read(
    reader: Box<dyn BufRead + Send>,
    known: Option<Encoding>,
) -> impl Iterator<Item = Item> + Send {
    let reader = Utf8::new(reader, known);
    let found = reader.found();
    let mut lines = Lines {
        records: None,
        found,
        known,
        columns: None,
        open: None,
        unread: None,
        ready: VecDeque::new(),
        is_over: false,
    };
    lines.begin(reader);
    lines
}

type Input = Box<dyn BufRead + Send>;

struct Lines {
    records: Option<Records<Input>>,
    found: encoding::Found,
    known: Option<Encoding>,
    columns: Option<Columns>,
    /// The product whose variants are being gathered.
    open: Option<Open>,
    /// Rows that were refused since the last good one.
    unread: Option<Unread>,
    ready: VecDeque<Item>,
    is_over: bool,
}

/// A product and what is wrong with its rows.
struct Open {
    located: Located,
    problems: Vec<Problem>,
    /// The line of a row that was refused and may be the product's.
    unread: Option<u64>,
    /// Bytes that it holds.
    bytes: usize,
    /// Whether it is larger than any product may be: no more of it is kept.
    is_full: bool,
}

impl Iterator for Lines {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            if self.is_over {
                return None;
            }
            self.step();
        }
    }
}

impl Lines {
    fn begin(&mut self, reader: Utf8<Input>) {
        match Records::open(reader, ROW_LIMITS, &|name| KNOWN.find(name).is_some()) {
            Ok(records) => self.records = Some(records),
            Err(fault) => self.end(fault),
        }
    }

    /// A file that cannot be read on. The product in hand may go on in what is not read.
    fn end(&mut self, fault: Fault) {
        let remains = self.records.as_mut().map(Records::take_remains).unwrap_or_default();
        self.mark_unread(fault.line, &remains);
        self.flush();
        let problem = super::unreadable(self.problem_of(fault));
        self.ready.push_back(Item::Refused(vec![problem]));
        self.is_over = true;
    }

    fn problem_of(&self, fault: Fault) -> Problem {
        let name = |place: usize| {
            self.columns
                .as_ref()
                .map_or_else(|| format!("column {}", place + 1), |columns| columns.name(place))
        };
        Problem {
            line: fault.line,
            column: fault.column.map(name).unwrap_or_default(),
            reason: fault.what,
            is_last: fault.is_last,
        }
    }

    /// Reads one line.
    fn step(&mut self) {
        let Some(records) = &mut self.records else {
            self.is_over = true;
            return;
        };
        match records.next() {
            Some(Ok(record)) if record.is_blank() => {}
            Some(Ok(record)) if self.columns.is_none() => self.header(&record),
            Some(Ok(record)) => self.row(record),
            Some(Err(fault)) if fault.is_last => self.end(fault),
            Some(Err(fault)) => {
                let remains = records.take_remains();
                let problem = super::unreadable(self.problem_of(fault));
                self.refuse_row(problem, &remains);
            }
            None if self.columns.is_none() => {
                let what = "the file is empty; its first line names the columns".to_owned();
                self.end(Fault { is_last: true, ..Fault::of_row(1, None, what) });
            }
            None => {
                self.flush();
                self.ready.extend(super::encoding_note(&self.found, self.known));
                self.is_over = true;
            }
        }
    }

    fn header(&mut self, record: &Record) {
        let columns = match Columns::of(record, &KNOWN) {
            Ok(columns) => columns,
            Err(fault) => {
                // The name that is there twice says more than its number.
                let name = fault.column.and_then(|place| record.text(place).ok()).map(str::to_owned);
                let mut problem = self.problem_of(fault);
                problem.column = name.unwrap_or(problem.column);
                self.ready.push_back(Item::Refused(vec![problem]));
                self.is_over = true;
                return;
            }
        };
        let is_there = |name: &str| KNOWN.find(name).and_then(|place| columns.place(place)).is_some();
        let missing: Vec<&str> = REQUIRED.into_iter().filter(|name| !is_there(name)).collect();
        if !missing.is_empty() {
            let separator = self.records.as_ref().map_or(',', Records::separator);
            let are = if missing.len() == 1 { "is" } else { "are" };
            let seen = columns.seen(separator);
            let hint = foreign::looks_like(&columns.written).map_or_else(String::new, |(shop, from)| {
                format!("; it looks like an export of {shop}: give --from {from} --currency CODE")
            });
            let reason =
                format!("{are} missing from the header, which is {seen} (separated by {separator:?}){hint}");
            let problem = Problem { line: record.line, column: missing.join(", "), reason, is_last: true };
            self.ready.push_back(Item::Refused(vec![problem]));
            self.is_over = true;
            return;
        }
        for (place, _) in &columns.unknown {
            let (column, reason) = (columns.name(*place), columns.told(*place, &KNOWN));
            self.ready.push_back(Item::Note(Problem { line: record.line, column, reason, is_last: false }));
        }
        if let Some(records) = &mut self.records {
            let (columns, takes_comma) = (columns.clone(), records.separator() != ',');
            records.doubt_quotes_over(move |record| fields::is_row(record, &columns, takes_comma));
        }
        self.columns = Some(columns);
    }

    /// A row that does not go in, with the product that it belongs to.
    fn refuse_row(&mut self, problem: Problem, remains: &Remains) {
        let unread = self.unread_of(problem.line, remains);
        if let Some(open) = self.open.as_mut().filter(|open| unread.is_of(open.reference())) {
            return open.list(vec![problem]);
        }
        self.mark_unread(problem.line, remains);
        self.ready.push_back(Item::Refused(vec![problem]));
    }

    /// Remembers a refused row for the product in hand, and for the one that comes next.
    fn mark_unread(&mut self, line: u64, remains: &Remains) {
        let unread = self.unread_of(line, remains);
        match &mut self.open {
            Some(open) if unread.may_be_of(open.reference()) => open.unread = open.unread.or(Some(line)),
            _ => self.flush(),
        }
        self.unread = Some(unread.with(self.unread.take()));
    }

    fn unread_of(&self, line: u64, remains: &Remains) -> Unread {
        let place = KNOWN.find(REFERENCE).zip(self.columns.as_ref());
        // Without the column every row is a product of its own.
        let place = place.and_then(|(known, columns)| columns.place(known));
        Unread::new(line, place.map_or(Some(Vec::new()), |place| remains.candidates(place)))
    }

    fn row(&mut self, record: Record) {
        let Some(columns) = &self.columns else { return };
        let takes_comma = self.records.as_ref().is_some_and(|records| records.separator() != ',');
        let fields = match Fields::of(&record, columns, takes_comma) {
            Ok(fields) => fields,
            Err(problem) => {
                let remains = Remains::whole(record, columns.width());
                return self.refuse_row(problem, &remains);
            }
        };
        let mut problems = Vec::new();
        let variant = fields.variant(&mut problems);
        let reference = fields.get(REFERENCE);
        let unread = self.unread.take();
        if let Some(open) = &mut self.open
            && !reference.is_empty()
            && as_stored(open.reference()) == as_stored(reference)
        {
            open.add(variant, record.line, problems);
            return;
        }
        let row = fields.product(variant, &mut problems);
        self.flush();
        let unread = unread.filter(|unread| unread.may_be_of(&row.external_reference));
        let mut open = Open {
            bytes: row.size(),
            located: Located { row, lines: vec![record.line], source: Source::Csv },
            problems: Vec::new(),
            unread: unread.map(|unread| unread.line),
            is_full: false,
        };
        open.list(problems);
        self.open = Some(open);
    }

    /// Gives the product that is complete. One with a bad row is refused as a whole: without its row it would lose a variant.
    fn flush(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        if let Some(line) = open.unread {
            open.problems.push(problem(open.located.line(None), REFERENCE, lost_variant(line)));
        }
        self.ready.push_back(match open.problems.is_empty() {
            true => Item::Product(open.located),
            false => Item::Refused(open.problems),
        });
    }
}

impl Open {
    /// What its rows have in common; empty when it has one row.
    fn reference(&self) -> &str {
        &self.located.row.external_reference
    }

    fn add(&mut self, variant: VariantRow, line: u64, problems: Vec<Problem>) {
        if self.is_full {
            return;
        }
        self.bytes += variant.size();
        let is_many = self.located.row.variants.len() >= VARIANTS_MAX;
        if is_many || self.bytes > PRODUCT_BYTES_MAX {
            self.is_full = true;
            self.located.row.variants.clear();
            let reason = match is_many {
                true => format!("is more than {VARIANTS_MAX} variants of one product"),
                false => format!("is more than {PRODUCT_BYTES_MAX} bytes of one product"),
            };
            self.problems.push(problem(line, "sku", reason));
            return;
        }
        self.list(problems);
        self.located.row.variants.push(variant);
        self.located.lines.push(line);
    }

    /// Adds what is wrong with a row, as far as it is listed.
    fn list(&mut self, problems: Vec<Problem>) {
        let room = PROBLEMS_MAX.saturating_sub(self.problems.len());
        for problem in problems.into_iter().take(room) {
            self.bytes += problem.size();
            self.problems.push(problem);
        }
    }
}

fn problem(line: u64, column: &str, reason: String) -> Problem {
    Problem { line, column: column.to_owned(), reason, is_last: false }
}
