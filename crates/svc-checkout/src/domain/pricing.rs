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
    /// Where to round. At the total, lines of the same tax are rounded as one sum and then share it by largest remainder.
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

/// Prices lines, in the order of the items.
///
/// # Errors
/// `AMOUNT_OVERFLOW` when an amount needs more than 64 bits; `CURRENCY_MISMATCH` when an item is in another currency.
pub fn price_lines(rules: Rules, items: &[Item]) -> Result<Vec<Amounts>> {
    match rules.level {
        RoundingLevel::Line => items.iter().map(|item| line(rules, item)).collect(),
        RoundingLevel::Total => by_total(rules, items),
    }
}

/// Sum of the lines in the tax mode of the rules: the price of the goods, by which shipping is rated.
///
/// # Errors
/// `AMOUNT_OVERFLOW`.
pub fn subtotal(rules: Rules, lines: &[Amounts]) -> Result<Money> {
    Ok(Money::sum(rules.currency, lines.iter().map(|line| line.subtotal))?)
}

/// Adds one shipment to priced lines, and sums up.
///
/// # Errors
/// `AMOUNT_OVERFLOW` when an amount needs more than 64 bits; `CURRENCY_MISMATCH` when shipping is in another currency.
pub fn total(
    rules: Rules,
    items: &[Item],
    lines: Vec<Amounts>,
    shipping: Money,
    shipping_tax: Option<&AppliedTax>,
) -> Result<Priced> {
    let shipping = taxed(rules, shipping, shipping_tax)?;
    let items_gross = Money::sum(rules.currency, lines.iter().map(|line| line.gross))?;
    let lines_tax = Money::sum(rules.currency, lines.iter().map(|line| line.tax))?;
    let mut sums: BTreeMap<&AppliedTax, Money> = BTreeMap::new();
    let taxes = items.iter().map(|item| item.tax.as_ref()).chain([shipping_tax]);
    for (tax, amounts) in taxes.zip(lines.iter().chain([&shipping])) {
        if let Some(tax) = tax {
            let sum = sums.entry(tax).or_insert(Money::zero(rules.currency));
            *sum = sum.plus(amounts.tax)?;
        }
    }
    Ok(Priced {
        items: items_gross,
        tax: lines_tax.plus(shipping.tax)?,
        grand: items_gross.plus(shipping.gross)?,
        taxes: sums.into_iter().map(|(tax, amount)| TaxSum { tax: tax.clone(), amount }).collect(),
        lines,
        shipping,
    })
}

/// A line that rounds by itself: once for its price, and once for its tax.
fn line(rules: Rules, item: &Item) -> Result<Amounts> {
    same_currency(rules, item)?;
    taxed(rules, item.unit_price.times(item.quantity, rules.rounding)?, item.tax.as_ref())
}

/// Lines of the same tax round as one sum, which they then share.
fn by_total(rules: Rules, items: &[Item]) -> Result<Vec<Amounts>> {
    let mut groups: BTreeMap<Option<&AppliedTax>, Vec<usize>> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        same_currency(rules, item)?;
        groups.entry(item.tax.as_ref()).or_default().push(index);
    }
    let mut lines = vec![None; items.len()];
    for (tax, members) in groups {
        let exact =
            |index: &usize| i128::from(items[*index].unit_price.micros) * i128::from(items[*index].quantity);
        let weights = members
            .iter()
            .map(|index| u64::try_from(exact(index)).map_err(|_| MoneyError::Overflow))
            .collect::<Result<Vec<_>, _>>()?;
        let sum: i128 = members.iter().map(exact).sum();
        let scaled = sum.checked_mul(10_i128.pow(rules.currency.exponent())).ok_or(MoneyError::Overflow)?;
        let minor =
            i64::try_from(rules.rounding.divide(scaled, 1_000_000)).map_err(|_| MoneyError::Overflow)?;
        let whole = taxed(rules, Money::new(minor, rules.currency), tax)?;
        let subtotals = whole.subtotal.split(&weights)?;
        let shares: Vec<u64> = subtotals.iter().map(|part| part.minor.unsigned_abs()).collect();
        let taxes = whole.tax.split(&shares)?;
        for ((index, subtotal), tax) in members.into_iter().zip(subtotals).zip(taxes) {
            lines[index] = Some(amounts(rules, subtotal, tax)?);
        }
    }
    Ok(lines.into_iter().flatten().collect())
}

fn same_currency(rules: Rules, item: &Item) -> Result<(), MoneyError> {
    let (left, right) = (rules.currency, item.unit_price.currency);
    if left == right { Ok(()) } else { Err(MoneyError::CurrencyMismatch { left, right }) }
}

/// One amount with its tax, rounded by itself.
fn taxed(rules: Rules, subtotal: Money, tax: Option<&AppliedTax>) -> Result<Amounts> {
    let tax = match (tax, rules.mode) {
        (None, _) => Money::zero(subtotal.currency),
        (Some(tax), TaxMode::Inclusive) => tax.rate()?.within(subtotal, rules.rounding)?,
        (Some(tax), TaxMode::Exclusive) => tax.rate()?.of(subtotal, rules.rounding)?,
    };
    amounts(rules, subtotal, tax)
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
        total(rules, items, price_lines(rules, items)?, shipping, tax)
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
        fn a_line_alone_rounds_the_same_at_either_level(item in any_item(), inclusive in any::<bool>()) {
            let mode = if inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive };
            let items = [item];
            let by_line = price(rules(mode, RoundingLevel::Line), &items, gbp(0), None).expect("prices");
            let by_total = price(rules(mode, RoundingLevel::Total), &items, gbp(0), None).expect("prices");
            prop_assert_eq!(by_line, by_total);
        }
    }
}
