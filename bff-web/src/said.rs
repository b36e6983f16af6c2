//! What programs may say, as the description of the API has it: the services' own rules as patterns and lists.

/// One line of text that says something.
pub const LINE: &str =
    r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";
/// One line of text, which may be empty.
pub const LINE_OR_NONE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
/// The name of a variant: signs of ASCII, no space at its ends.
pub const SKU: &str = "^[!-~]([ -~]*[!-~])?$";
/// The name of a product in addresses.
pub const SLUG: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";
/// A name that a service made.
pub const NAME: &str = "^[!-~]+$";
/// A signed token.
pub const TOKEN: &str = "^[A-Za-z0-9_-]+$";
/// A payment method's token, or nothing; what looks like a card's number is refused.
pub const PAYMENT_METHOD_OR_NONE: &str = "^(pm_[A-Za-z0-9_]{1,64})?$";
/// A price from and a price below, in micros.
pub const PRICES_OR_NONE: &str = "^([0-9]{1,18}-[0-9]{1,18})?$";

/// An id with its prefix: the 26 digits are of Crockford's base 32, and 128 bits leave the first no more than 7.
pub fn id(prefix: &str) -> String {
    format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")
}

/// A language as a BCP 47 tag, or nothing.
pub const LANGUAGE_OR_NONE: &str = "^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)?$";

/// The codes of all countries, and nothing.
pub fn countries_or_none() -> Vec<&'static str> {
    std::iter::once("").chain(countries()).collect()
}

/// The codes of all countries.
pub fn countries() -> Vec<&'static str> {
    kernel::country::all().map(|(code, _)| code).collect()
}
