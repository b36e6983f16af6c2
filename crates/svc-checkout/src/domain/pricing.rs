//! Amounts: lines, shipping, tax and their sums.

use std::collections::BTreeMap;

use kernel::{Currency, Money, MoneyError, Result, Rounding, RoundingLevel, UnitPrice};

use super::tax::{AppliedTax, TaxMode};

/// By what rules a quote is computed. They are stored on the quote and the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Currency of every amount.
    pub currency: Currency,
    /// Whether prices include tax.
    pub mode: TaxMode,
    /// How to round to the minor unit.
    pub rounding: Rounding,
    /// Where to round. At the total, lines of the same tax are rounded as one sum and then share it by largest remainder;
    /// so is the tax on them and on shipping.
    pub level: RoundingLevel,
}

/// What is to be priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Price of one unit, not negative, in the currency of the rules.
    pub unit_price: UnitPrice,
    /// Units, positive.
    pub quantity: i64,
    /// The tax on it, if any.
    pub tax: Option<AppliedTax>,
}

/// What one line, or shipping, comes to. `net + tax = gross` always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// Quantity × unit price, rounded, in the tax mode of the rules.
    pub subtotal: Money,
    /// Without tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// With tax.
    pub gross: Money,
}

/// All of one tax in a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxSum {
    /// Which tax.
    pub tax: AppliedTax,
    /// How much.
    pub amount: Money,
}

/// A priced quote. Every sum is exactly its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// The lines, in the order of the items.
    pub lines: Vec<Amounts>,
    /// Shipping.
    pub shipping: Amounts,
    /// Gross of all lines.
    pub items: Money,
    /// Tax of lines and shipping.
    pub tax: Money,
    /// Items and shipping, gross.
    pub grand: Money,
    /// Tax by name, country and rate; sums to `tax`.
    pub taxes: Vec<TaxSum>,
}

/// What each line costs in the tax mode of the rules, in the order of the items.
///
/// # Errors
/// `AMOUNT_OVERFLOW` when an amount needs more than 64 bits; `CURRENCY_MISMATCH` when an item is in another currency.
pub fn subtotals(rules: Rules, items: &[Item]) -> Result<Vec<Money>> {
    for item in items {
        same_currency(rules, item)?;
    }
    match rules.level {
        RoundingLevel::Line => {
            let line = |item: &Item| Ok(item.unit_price.times(item.quantity, rules.rounding)?);
            items.iter().map(line).collect()
        }
        RoundingLevel::Total => subtotals_by_total(rules, items),
    }
}

/// Sum of the lines in the tax mode of the rules: the price of the goods, by which shipping is rated.
///
/// # Errors
/// `AMOUNT_OVERFLOW`.
pub fn goods(rules: Rules, subtotals: &[Money]) -> Result<Money> {
    Ok(Money::sum(rules.currency, subtotals.iter().copied())?)
}

/// Adds one shipment to the lines, taxes both, and sums up. At the level of the total, each tax is computed once, on
/// everything that it is on, shipping included, and shared by largest remainder.
///
/// # Errors
/// `AMOUNT_OVERFLOW` when an amount needs more than 64 bits; `CURRENCY_MISMATCH` when shipping is in another currency.
pub fn total(
    rules: Rules,
    items: &[Item],
    subtotals: &[Money],
    shipping: Money,
    shipping_tax: Option<&AppliedTax>,
) -> Result<Priced> {
    let applied: Vec<_> = items.iter().map(|item| item.tax.as_ref()).chain([shipping_tax]).collect();
    let parts: Vec<_> = subtotals.iter().copied().chain([shipping]).collect();
    let taxes = taxes(rules, &applied, &parts)?;
    let mut sums: BTreeMap<&AppliedTax, Money> = BTreeMap::new();
    let mut lines = Vec::with_capacity(parts.len());
    for ((applied, subtotal), tax) in applied.iter().zip(parts).zip(taxes) {
        if let Some(applied) = applied {
            let sum = sums.entry(applied).or_insert(Money::zero(rules.currency));
            *sum = sum.plus(tax)?;
        }
        lines.push(amounts(rules, subtotal, tax)?);
    }
    let tax = Money::sum(rules.currency, lines.iter().map(|part| part.tax))?;
    let grand = Money::sum(rules.currency, lines.iter().map(|part| part.gross))?;
    let shipping = lines.pop().ok_or(MoneyError::Overflow)?;
    Ok(Priced {
        items: Money::sum(rules.currency, lines.iter().map(|line| line.gross))?,
        tax,
        grand,
        taxes: sums.into_iter().map(|(tax, amount)| TaxSum { tax: tax.clone(), amount }).collect(),
        lines,
        shipping,
    })
}

/// Lines of the same tax round as one sum, which they then share.
fn subtotals_by_total(rules: Rules, items: &[Item]) -> Result<Vec<Money>> {
    let exact =
        |index: &usize| i128::from(items[*index].unit_price.micros) * i128::from(items[*index].quantity);
    let mut subtotals = vec![Money::zero(rules.currency); items.len()];
    for members in by_tax(items.iter().map(|item| item.tax.as_ref())) {
        let weights = members
            .iter()
            .map(|index| u64::try_from(exact(index)).map_err(|_| MoneyError::Overflow))
            .collect::<Result<Vec<_>, _>>()?;
        let sum: i128 = members.iter().map(exact).sum();
        let scaled = sum.checked_mul(10_i128.pow(rules.currency.exponent())).ok_or(MoneyError::Overflow)?;
        let minor =
            i64::try_from(rules.rounding.divide(scaled, 1_000_000)).map_err(|_| MoneyError::Overflow)?;
        for (index, part) in members.iter().zip(Money::new(minor, rules.currency).split(&weights)?) {
            subtotals[*index] = part;
        }
    }
    Ok(subtotals)
}

/// The tax on each part, of which the last is shipping.
fn taxes(rules: Rules, applied: &[Option<&AppliedTax>], parts: &[Money]) -> Result<Vec<Money>> {
    if rules.level == RoundingLevel::Line {
        return applied.iter().zip(parts).map(|(tax, part)| tax_on(rules, *part, *tax)).collect();
    }
    let mut taxes = vec![Money::zero(rules.currency); parts.len()];
    for members in by_tax(applied.iter().copied()) {
        let whole = Money::sum(rules.currency, members.iter().map(|index| parts[*index]))?;
        let tax = tax_on(rules, whole, applied[members[0]])?;
        let weights: Vec<u64> = members.iter().map(|index| parts[*index].minor.unsigned_abs()).collect();
        for (index, share) in members.iter().zip(tax.split(&weights)?) {
            taxes[*index] = share;
        }
    }
    Ok(taxes)
}

/// The places of what has the same tax, never empty.
fn by_tax<'a>(taxes: impl Iterator<Item = Option<&'a AppliedTax>>) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<Option<&AppliedTax>, Vec<usize>> = BTreeMap::new();
    for (index, tax) in taxes.enumerate() {
        groups.entry(tax).or_default().push(index);
    }
    groups.into_values().collect()
}

fn same_currency(rules: Rules, item: &Item) -> Result<(), MoneyError> {
    let (left, right) = (rules.currency, item.unit_price.currency);
    if left == right { Ok(()) } else { Err(MoneyError::CurrencyMismatch { left, right }) }
}

/// The tax on one amount, rounded by itself.
fn tax_on(rules: Rules, amount: Money, tax: Option<&AppliedTax>) -> Result<Money> {
    Ok(match (tax, rules.mode) {
        (None, _) => Money::zero(amount.currency),
        (Some(tax), TaxMode::Inclusive) => tax.rate()?.within(amount, rules.rounding)?,
        (Some(tax), TaxMode::Exclusive) => tax.rate()?.of(amount, rules.rounding)?,
    })
}

fn amounts(rules: Rules, subtotal: Money, tax: Money) -> Result<Amounts> {
    Ok(match rules.mode {
        TaxMode::Inclusive => Amounts { subtotal, net: subtotal.minus(tax)?, tax, gross: subtotal },
        TaxMode::Exclusive => Amounts { subtotal, net: subtotal, tax, gross: subtotal.plus(tax)? },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price(rules: Rules, items: &[Item], shipping: Money, tax: Option<&AppliedTax>) -> Result<Priced> {
        total(rules, items, &subtotals(rules, items)?, shipping, tax)
    }

    fn vat(rate_micros: i64) -> AppliedTax {
        AppliedTax { name: "VAT".into(), country: "GB".into(), rate_micros }
    }

    fn item(micros: i64, quantity: i64, rate: Option<i64>) -> Item {
        Item { unit_price: UnitPrice::new(micros, Currency::GBP), quantity, tax: rate.map(vat) }
    }

    fn rules(mode: TaxMode, level: RoundingLevel) -> Rules {
        Rules { currency: Currency::GBP, mode, rounding: Rounding::HalfEven, level }
    }

    fn gbp(minor: i64) -> Money {
        Money::new(minor, Currency::GBP)
    }

    #[test]
    fn tax_within_and_on_top() {
        let items =
            [item(2_550_000, 6, Some(200_000)), item(3_390_000, 6, Some(0)), item(1_000_000, 1, None)];
        let inclusive =
            price(rules(TaxMode::Inclusive, RoundingLevel::Line), &items, gbp(600), Some(&vat(200_000)))
                .expect("prices");
        assert_eq!(
            inclusive.lines[0],
            Amounts { subtotal: gbp(1530), net: gbp(1275), tax: gbp(255), gross: gbp(1530) }
        );
        assert_eq!(
            (inclusive.items, inclusive.tax, inclusive.grand),
            (gbp(1530 + 2034 + 100), gbp(355), gbp(4264))
        );
        let exclusive =
            price(rules(TaxMode::Exclusive, RoundingLevel::Line), &items, gbp(600), Some(&vat(200_000)))
                .expect("prices");
        assert_eq!(
            exclusive.lines[0],
            Amounts { subtotal: gbp(1530), net: gbp(1530), tax: gbp(306), gross: gbp(1836) }
        );
        assert_eq!(exclusive.shipping.gross, gbp(720));
        assert_eq!(exclusive.taxes.len(), 2, "the zero rate is told too: {:?}", exclusive.taxes);
    }

    #[test]
    fn the_level_decides_where_pennies_go() {
        let items = [item(5_000, 1, None), item(5_000, 1, None), item(5_000, 1, None)];
        let by_line =
            price(rules(TaxMode::Inclusive, RoundingLevel::Line), &items, gbp(0), None).expect("prices");
        assert_eq!(by_line.grand, gbp(0), "half a penny rounds to even on each line");
        let by_total =
            price(rules(TaxMode::Inclusive, RoundingLevel::Total), &items, gbp(0), None).expect("prices");
        assert_eq!(by_total.grand, gbp(2), "a penny and a half rounds to even on the sum");
    }

    #[test]
    fn a_total_rounds_each_tax_once_with_shipping() {
        let rules = |mode| Rules {
            currency: Currency::EUR,
            mode,
            rounding: Rounding::HalfUp,
            level: RoundingLevel::Total,
        };
        let (eur, standard, reduced) = (|minor| Money::new(minor, Currency::EUR), vat(210_000), vat(90_000));
        let item = |micros, quantity, tax: &AppliedTax| Item {
            unit_price: UnitPrice::new(micros, Currency::EUR),
            quantity,
            tax: Some(tax.clone()),
        };
        let items = [item(15_420_000, 1, &standard)];
        let on_top = price(rules(TaxMode::Exclusive), &items, eur(450), Some(&standard)).expect("prices");
        assert_eq!((on_top.tax, on_top.grand), (eur(418), eur(1992 + 418)), "4.1832, not 3.24 + 0.95");
        let within = price(rules(TaxMode::Inclusive), &items, eur(450), Some(&standard)).expect("prices");
        assert_eq!((within.tax, within.grand), (eur(346), eur(1992)), "19.92 × 21 / 121 = 3.457");
        let by_line = Rules { level: RoundingLevel::Line, ..rules(TaxMode::Exclusive) };
        assert_eq!(price(by_line, &items, eur(450), Some(&standard)).expect("prices").tax, eur(324 + 95));
        // Three lines of one cent at 21 %, one of another rate, shipping of the first: 0.63 + 0.09 of 1 cent each.
        let items = [
            item(10_000, 1, &standard),
            item(10_000, 1, &standard),
            item(10_000, 1, &standard),
            item(1_000_000, 1, &reduced),
        ];
        let mixed = price(rules(TaxMode::Exclusive), &items, eur(2), Some(&standard)).expect("prices");
        let told: Vec<_> = mixed.taxes.iter().map(|sum| (sum.tax.rate_micros, sum.amount)).collect();
        assert_eq!(told, [(90_000, eur(9)), (210_000, eur(1))], "5 cents × 21 % = 1.05");
        let free = price(rules(TaxMode::Exclusive), &items, eur(0), Some(&standard)).expect("prices");
        assert_eq!(free.tax, eur(9 + 1), "3 cents × 21 % = 0.63");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let dear =
            Item { unit_price: UnitPrice::new(i64::MAX, Currency::KWD), quantity: i64::MAX, tax: None };
        for level in [RoundingLevel::Line, RoundingLevel::Total] {
            let rules = Rules { currency: Currency::KWD, ..rules(TaxMode::Exclusive, level) };
            let error = price(rules, std::slice::from_ref(&dear), Money::zero(Currency::KWD), None)
                .expect_err("too large");
            assert_eq!(error.reason(), "AMOUNT_OVERFLOW");
            let error =
                price(rules, &[item(1, 1, None)], Money::zero(Currency::KWD), None).expect_err("pounds");
            assert_eq!(error.reason(), "CURRENCY_MISMATCH");
        }
    }

    fn any_item() -> impl Strategy<Value = Item> {
        (
            0_i64..50_000_000,
            1_i64..5000,
            prop::option::of(prop::sample::select(vec![0_i64, 50_000, 175_000, 200_000, 255_000])),
        )
            .prop_map(|(micros, quantity, rate)| item(micros, quantity, rate))
    }

    fn any_rules() -> impl Strategy<Value = Rules> {
        (any::<bool>(), any::<bool>(), 0_usize..4).prop_map(|(inclusive, line, rounding)| Rules {
            currency: Currency::GBP,
            mode: if inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive },
            level: if line { RoundingLevel::Line } else { RoundingLevel::Total },
            rounding: [Rounding::HalfEven, Rounding::HalfUp, Rounding::Down, Rounding::Up][rounding],
        })
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(rules in any_rules(), items in prop::collection::vec(any_item(), 1..40), shipping in 0_i64..10_000, rate in 0_i64..300_000) {
            let priced = price(rules, &items, gbp(shipping), Some(&vat(rate))).expect("prices");
            prop_assert_eq!(priced.lines.len(), items.len());
            let all = || priced.lines.iter().chain([&priced.shipping]);
            for part in all() {
                prop_assert_eq!(part.net.plus(part.tax), Ok(part.gross));
                prop_assert!(part.net.minor >= 0 && part.tax.minor >= 0);
                let as_listed = if rules.mode == TaxMode::Inclusive { part.gross } else { part.net };
                prop_assert_eq!(as_listed, part.subtotal);
            }
            prop_assert_eq!(all().map(|part| part.gross.minor).sum::<i64>(), priced.grand.minor);
            prop_assert_eq!(all().map(|part| part.tax.minor).sum::<i64>(), priced.tax.minor);
            prop_assert_eq!(priced.taxes.iter().map(|sum| sum.amount.minor).sum::<i64>(), priced.tax.minor);
            prop_assert_eq!(priced.items.plus(priced.shipping.gross), Ok(priced.grand));
        }

        #[test]
        fn a_total_is_within_one_minor_unit_of_exact_per_tax(items in prop::collection::vec(any_item(), 1..40)) {
            let priced = price(rules(TaxMode::Inclusive, RoundingLevel::Total), &items, gbp(0), None).expect("prices");
            let exact: i128 = items.iter().map(|item| i128::from(item.unit_price.micros) * i128::from(item.quantity)).sum();
            let off = i128::from(priced.items.minor) * 10_000 - exact;
            let groups = items.iter().map(|item| &item.tax).collect::<std::collections::HashSet<_>>().len();
            prop_assert!(off.abs() <= 10_000 * groups as i128);
        }

        #[test]
        fn at_the_total_every_tax_is_rounded_once(inclusive in any::<bool>(), rounding in 0_usize..4, items in prop::collection::vec(any_item(), 1..40), shipping in 0_i64..10_000, rate in prop::sample::select(vec![None, Some(0_i64), Some(50_000), Some(200_000), Some(255_000)])) {
            let rules = Rules {
                rounding: [Rounding::HalfEven, Rounding::HalfUp, Rounding::Down, Rounding::Up][rounding],
                ..rules(if inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive }, RoundingLevel::Total)
            };
            let shipping_tax = rate.map(vat);
            let priced = price(rules, &items, gbp(shipping), shipping_tax.as_ref()).expect("prices");
            let parts = || items.iter().map(|item| item.tax.as_ref()).chain([shipping_tax.as_ref()]).zip(priced.lines.iter().chain([&priced.shipping]));
            for sum in &priced.taxes {
                let taxed: i64 = parts().filter(|(tax, _)| *tax == Some(&sum.tax)).map(|(_, part)| part.subtotal.minor).sum();
                let rate = i128::from(sum.tax.rate_micros);
                let whole = if inclusive { 1_000_000 + rate } else { 1_000_000 };
                prop_assert_eq!(i128::from(sum.amount.minor), rules.rounding.divide(i128::from(taxed) * rate, whole));
            }
            for (_, part) in parts() {
                let rate_share = part.tax.minor <= part.subtotal.minor;
                prop_assert!(rate_share && part.net.minor >= 0, "{:?}", part);
            }
        }

        #[test]
        fn a_line_alone_rounds_the_same_at_either_level(item in any_item(), inclusive in any::<bool>()) {
            let mode = if inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive };
            let items = [item];
            let by_line = price(rules(mode, RoundingLevel::Line), &items, gbp(0), None).expect("prices");
            let by_total = price(rules(mode, RoundingLevel::Total), &items, gbp(0), None).expect("prices");
            prop_assert_eq!(by_line, by_total);
        }
    }
}
