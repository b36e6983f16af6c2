//! The made-up shop behind a synthetic file: what it sells, to whom, and how its books get dirty.

use kernel::Timestamp;

use super::{Random, Row};

/// What an invoice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dirt {
    /// A sale like most.
    None,
    /// `C…`: takes something back.
    Cancellation,
    /// Negative units without price or customer.
    WriteOff,
    /// Positive units without a price.
    Found,
    /// `A…`: a bad debt, with a negative price.
    BadDebt,
    /// A sale with a SKU at two prices.
    TwoPrices,
    /// A sale of two SKUs that differ in case alone.
    CaseTwins,
    /// A sale with codes that are no products.
    Codes,
    /// A sale of so many lines.
    Long(u64),
}

struct Article {
    sku: String,
    names: Vec<String>,
    price_minor: i64,
}

pub(super) struct World {
    articles: Vec<Article>,
    customers: u64,
}

const FIRST: &[&str] = &[
    "WHITE",
    "CREAM",
    "RED RETROSPOT",
    "VINTAGE",
    "PINK",
    "SET OF 6",
    "HEART",
    "GLASS",
    "BLUE POLKADOT",
    "FELTCRAFT",
    "JUMBO",
    "MINI",
];
const SECOND: &[&str] =
    &["HANGING", "METAL", "PAPER", "WOODEN", "KNITTED", "CERAMIC", "CHRISTMAS", "GARDEN", "KITCHEN", "STAR"];
const THIRD: &[&str] = &[
    "T-LIGHT HOLDER",
    "LANTERN",
    "BAG",
    "CAKE CASES",
    "HOT WATER BOTTLE",
    "MUG",
    "SIGN",
    "CUSHION, SMALL",
    "FRAME 7\"",
    "PARASOL",
    "GARLAND",
    "LUNCH BOX",
];
const LETTERS: &[&str] = &["", "", "", "", "", "A", "B", "C", "G", "BL", "P"];
const ABROAD: &[&str] = &[
    "Germany",
    "France",
    "EIRE",
    "Norway",
    "Portugal",
    "Channel Islands",
    "RSA",
    "Unspecified",
    "Japan",
    "USA",
];
const CODES: &[(&str, &str, i64)] = &[
    ("POST", "POSTAGE", 1800),
    ("DOT", "DOTCOM POSTAGE", 56_977),
    ("M", "Manual", 125),
    ("m", "Manual", 255),
    ("D", "Discount", 2750),
    ("C2", "CARRIAGE", 5000),
    ("BANK CHARGES", "Bank Charges", 1500),
    ("AMAZONFEE", "AMAZON FEE", 1_354_133),
    ("S", "SAMPLES", 3370),
    ("DCGS0076", "SUNJAR LED NIGHT NIGHT LIGHT", 1682),
    ("gift_0001_40", "Dotcomgiftshop Gift Voucher £40.00", 3404),
];
const SPOILT: &[&str] = &["damages", "check", "?", "", "faulty", "wrongly marked", "lost"];

impl World {
    /// A shop of a size that fits so many lines: a fifteenth of them are articles, as in the published month.
    pub(super) fn new(random: &mut Random, lines: u64) -> Self {
        let count = (lines / 15).clamp(40, 20_000);
        let mut articles = vec![
            Article {
                sku: "15056BL".into(),
                names: vec!["EDWARDIAN PARASOL BLACK".into()],
                price_minor: 595,
            },
            Article {
                sku: "15056bl".into(),
                names: vec!["EDWARDIAN PARASOL BLACK".into()],
                price_minor: 1247,
            },
        ];
        for number in 0..count {
            articles.push(Article::new(random, number));
        }
        Self { articles, customers: (lines / 45).clamp(10, 50_000) }
    }

    /// The lines of one invoice, at most `left` of them.
    pub(super) fn invoice(
        &self,
        random: &mut Random,
        dirt: Dirt,
        number: u64,
        time: Timestamp,
        left: u64,
    ) -> Vec<Row> {
        let guest = random.chance(2, 5);
        let customer =
            (!guest).then(|| 12_346 + u32::try_from(random.below(self.customers)).expect("few customers"));
        // A customer lives in one country; one in ten lives abroad.
        let place = customer.map_or_else(|| random.below(1000), |customer| u64::from(customer) * 7919 % 1000);
        let abroad = usize::try_from(place / 10 % 10).expect("below ten");
        let country = if place < 100 { ABROAD[abroad] } else { "United Kingdom" };
        let row = |article: &Article, random: &mut Random| Row {
            invoice: number.to_string(),
            sku: article.sku.clone(),
            description: random.pick(&article.names).clone(),
            quantity: quantity(random),
            time,
            price_minor: article.price_minor,
            customer,
            country,
        };
        let mut rows = match dirt {
            Dirt::BadDebt => vec![Row {
                invoice: format!("A{number}"),
                customer: None,
                quantity: 1,
                price_minor: -1_106_206,
                country: "United Kingdom",
                ..row(&code(&("B", "Adjust bad debt", 0)), random)
            }],
            Dirt::WriteOff | Dirt::Found => {
                let mut spoilt = Row {
                    description: (*random.pick(SPOILT)).into(),
                    price_minor: 0,
                    customer: None,
                    country: "United Kingdom",
                    ..row(self.article(random), random)
                };
                spoilt.quantity = if dirt == Dirt::WriteOff { -spoilt.quantity * 3 } else { spoilt.quantity };
                vec![spoilt]
            }
            Dirt::Cancellation => (0..1 + random.below(4))
                .map(|_| {
                    let sold = row(self.article(random), random);
                    Row { invoice: format!("C{number}"), quantity: -sold.quantity, ..sold }
                })
                .collect(),
            Dirt::TwoPrices => {
                let first = row(self.article(random), random);
                let second = Row {
                    invoice: first.invoice.clone(),
                    sku: first.sku.clone(),
                    description: first.description.clone(),
                    quantity: 1 + first.quantity / 2,
                    price_minor: first.price_minor + 40,
                    ..row(self.article(random), random)
                };
                vec![first, row(self.article(random), random), second]
            }
            Dirt::CaseTwins => self.articles[..2].iter().map(|article| row(article, random)).collect(),
            Dirt::Codes => CODES
                .iter()
                .take(3 + usize::try_from(random.below(9)).expect("small"))
                .map(|known| Row { quantity: 1, ..row(&code(known), random) })
                .collect(),
            Dirt::None => Vec::new(),
            Dirt::Long(length) => (0..length).map(|_| row(self.article(random), random)).collect(),
        };
        if matches!(dirt, Dirt::None | Dirt::TwoPrices | Dirt::Codes) {
            let length = 1 + random.below(8) * random.below(9);
            rows.extend((0..length).map(|_| row(self.article(random), random)));
        }
        rows.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        rows
    }

    /// An article; the first ones sell far more often than the last.
    fn article(&self, random: &mut Random) -> &Article {
        let count = self.articles.len() as u64;
        let end = 1 + random.below(count);
        &self.articles[usize::try_from(random.below(end)).expect("an index")]
    }
}

impl Article {
    fn new(random: &mut Random, number: u64) -> Self {
        let name = format!("{} {} {}", random.pick(FIRST), random.pick(SECOND), random.pick(THIRD));
        let mut names = vec![name.clone(); 6];
        if random.chance(1, 5) {
            names.push(name.replace("SET OF 6", "SET/6").replace(' ', "  "));
            names.push(format!("{name} "));
            names.push(String::new());
        }
        let sku = format!("{}{}", 20_600 + number * 3, random.pick(LETTERS));
        let price_minor = i64::try_from(
            *random.pick(&[19_u64, 42, 65, 85, 125, 165, 210, 255, 295, 375, 495, 850])
                + random.below(3) * 10,
        )
        .expect("small");
        Self { sku, names, price_minor }
    }
}

fn code(&(sku, name, price_minor): &(&str, &str, i64)) -> Article {
    Article { sku: sku.into(), names: vec![name.into()], price_minor }
}

/// Mostly a few, sometimes a box, rarely a pallet.
fn quantity(random: &mut Random) -> i64 {
    let most = match random.below(100) {
        0..60 => 6,
        60..95 => 24,
        95..99 => 144,
        _ => 1200,
    };
    1 + i64::try_from(random.below(most)).expect("small")
}
