//! Numbers and times of the data set.

use kernel::Timestamp;

use super::QUANTITY_MAX;

pub(super) fn parse_quantity(text: &str) -> Option<i64> {
    text.parse().ok().filter(|quantity: &i64| quantity.unsigned_abs() <= QUANTITY_MAX.unsigned_abs())
}

/// A decimal number in millionths; exact, without floating point.
pub(super) fn parse_price(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 6 || part.len() > 6 || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let part: i64 = format!("{part:0<6}").parse().ok()?;
    let micros = whole * 1_000_000 + part;
    Some(if negative { -micros } else { micros })
}

/// A time without a zone is taken as UTC.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().or_else(|_| format!("{text}Z").parse()).ok()
}

/// A customer's number: digits, as published with a ".0" behind them. `Some(None)` when there is none.
pub(super) fn parse_customer(text: &str) -> Option<Option<&str>> {
    if text.is_empty() {
        return Some(None);
    }
    let (digits, part) = text.split_once('.').unwrap_or((text, ""));
    let good =
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && part.bytes().all(|b| b == b'0');
    good.then_some(Some(digits))
}
