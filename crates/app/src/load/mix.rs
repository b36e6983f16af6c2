//! What visitors come for, and in which shares: `browse=70,search=15,cart=10,buy=5`.

use std::fmt;
use std::str::FromStr;

/// The largest share.
const SHARE_MAX: u32 = 1_000_000;

/// What a visitor comes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journey {
    /// Looks at the home page, a category and a product.
    Browse,
    /// Types something, and looks at what is found.
    Search,
    /// Puts something into a cart, and looks at the cart.
    Cart,
    /// Buys something.
    Buy,
}

impl Journey {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::Browse, Self::Search, Self::Cart, Self::Buy];

    /// Its name in `--mix` and in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browse => "browse",
            Self::Search => "search",
            Self::Cart => "cart",
            Self::Buy => "buy",
        }
    }

    /// Its place in [`Journey::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Shares of journeys. They need not come to 100: `browse=3,buy=1` is three to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix([u32; Journey::ALL.len()]);

impl Mix {
    /// The share of a journey.
    #[must_use]
    pub fn share(&self, journey: Journey) -> u32 {
        self.0[journey.index()]
    }

    /// How many of so many journeys are of this kind, rounded up.
    #[must_use]
    pub fn of(&self, journey: Journey, journeys: u64) -> u64 {
        let sum = u128::from(self.sum());
        let part = u128::from(self.share(journey)) * u128::from(journeys);
        u64::try_from(part.div_ceil(sum.max(1))).unwrap_or(u64::MAX)
    }

    /// The journeys in turn, for ever: any stretch of them has the shares of the whole as nearly as can be.
    #[must_use]
    pub fn turns(&self) -> Turns {
        Turns { mix: *self, credit: [0; Journey::ALL.len()] }
    }

    fn sum(&self) -> u64 {
        self.0.iter().copied().map(u64::from).sum()
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut shares = [None; Journey::ALL.len()];
        for part in text.split(',').map(str::trim) {
            let (name, share) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` must be a journey and its share, for example buy=5"))?;
            let journey = Journey::ALL.into_iter().find(|journey| journey.name() == name.trim());
            let journey = journey
                .ok_or_else(|| format!("`{name}` is no journey; there are browse, search, cart and buy"))?;
            let share: Option<u32> = share.trim().parse().ok().filter(|share| *share <= SHARE_MAX);
            let share =
                share.ok_or_else(|| format!("the share of {name} must be a number from 0 to {SHARE_MAX}"))?;
            if shares[journey.index()].replace(share).is_some() {
                return Err(format!("{name} stands there twice"));
            }
        }
        let mix = Self(shares.map(Option::unwrap_or_default));
        if mix.sum() == 0 {
            return Err("at least one share must be more than 0".to_owned());
        }
        Ok(mix)
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, journey) in Journey::ALL.into_iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{}={}", journey.name(), self.share(journey))?;
        }
        Ok(())
    }
}

/// Journeys in turn.
#[derive(Clone, Debug)]
pub struct Turns {
    mix: Mix,
    credit: [i64; Journey::ALL.len()],
}

impl Iterator for Turns {
    type Item = Journey;

    /// Everybody earns their share; whoever has most goes, and pays for all.
    fn next(&mut self) -> Option<Journey> {
        for (credit, share) in self.credit.iter_mut().zip(self.mix.0) {
            *credit += i64::from(share);
        }
        let next = Journey::ALL.into_iter().rev().max_by_key(|journey| self.credit[journey.index()])?;
        self.credit[next.index()] -= i64::try_from(self.mix.sum()).unwrap_or(i64::MAX);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(text: &str) -> Mix {
        text.parse().expect("a mix")
    }

    #[test]
    fn shares_are_read_by_name_and_what_is_not_named_has_none() {
        let usual = mix("browse=70,search=15,cart=10,buy=5");
        assert_eq!(Journey::ALL.map(|journey| usual.share(journey)), [70, 15, 10, 5]);
        assert_eq!(mix(" buy = 1 , browse=3").to_string(), "browse=3,search=0,cart=0,buy=1");
        assert_eq!(mix("buy=100,cart=0").share(Journey::Cart), 0);
        assert_eq!(mix(&usual.to_string()), usual);
    }

    #[test]
    fn what_is_no_mix_is_named() {
        for (bad, named) in [
            ("", "``"),
            ("buy", "`buy`"),
            ("buy=1,", "``"),
            ("steal=1", "`steal`"),
            ("buy=-1", "buy"),
            ("buy=1.5", "buy"),
            ("buy=1000001", "buy"),
            ("buy=1,buy=2", "twice"),
            ("buy=0,browse=0", "more than 0"),
        ] {
            let error = bad.parse::<Mix>().expect_err(bad);
            assert!(error.contains(named), "{bad}: {error}");
        }
    }

    #[test]
    fn every_stretch_has_the_shares() {
        let mix = mix("browse=60,search=15,cart=10,buy=15");
        let journeys: Vec<Journey> = mix.turns().take(200).collect();
        for journey in Journey::ALL {
            for hundred in journeys.chunks(100) {
                let count = hundred.iter().filter(|turn| **turn == journey).count();
                assert_eq!(count, mix.share(journey) as usize, "{journey:?}");
            }
            let tenth = journeys[..20].iter().filter(|turn| **turn == journey).count() as i64;
            assert!((tenth - i64::from(mix.share(journey) / 5)).abs() <= 1, "{journey:?}: {tenth}");
        }
    }

    #[test]
    fn what_has_no_share_has_no_turn() {
        assert!(mix("buy=100").turns().take(9).all(|turn| turn == Journey::Buy));
    }

    #[test]
    fn a_part_is_rounded_up() {
        assert_eq!(mix("browse=2,buy=1").of(Journey::Buy, 10), 4);
        assert_eq!(mix("buy=100").of(Journey::Buy, 6_000), 6_000);
        assert_eq!(mix("buy=100").of(Journey::Cart, 6_000), 0);
    }
}
