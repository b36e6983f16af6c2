//! Sessions: chains of refresh tokens.

use std::time::Duration;

use kernel::{Code, CustomerId, Error, GuestId, Result, SessionId, Timestamp};

/// An account's session ends when it was not refreshed for this long.
pub const IDLE: Duration = Duration::from_secs(30 * 86_400);
/// An account's session ends this long after it began, however often it is refreshed.
const LIFE: Duration = Duration::from_secs(90 * 86_400);
/// A guest's session ends this long after it began.
const GUEST_LIFE: Duration = Duration::from_secs(30 * 86_400);

/// Whose session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An account's.
    Account(CustomerId),
    /// A guest's.
    Guest(GuestId),
}

impl Subject {
    /// Reads `cus_…` or `gst_…`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        CustomerId::parse(text).map(Self::Account).or_else(|_| GuestId::parse(text).map(Self::Guest)).ok()
    }

    /// The account, if it is one.
    #[must_use]
    pub fn account(self) -> Option<CustomerId> {
        match self {
            Self::Account(id) => Some(id),
            Self::Guest(_) => None,
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(id) => id.fmt(f),
            Self::Guest(id) => id.fmt(f),
        }
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// Its owner signed out.
    SignedOut,
    /// All sessions of the account were ended.
    Everywhere,
    /// The password was changed elsewhere.
    PasswordChanged,
    /// A refresh token came twice.
    Theft,
    /// There were too many sessions.
    TooMany,
}

impl SessionEnd {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::SignedOut, Self::Everywhere, Self::PasswordChanged, Self::Theft, Self::TooMany];

    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Everywhere => "everywhere",
            Self::PasswordChanged => "password_changed",
            Self::Theft => "theft",
            Self::TooMany => "too_many",
        }
    }
}

/// A session. Its refresh tokens are derived from its seed and its generation, and stored nowhere.
#[derive(Clone)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub subject: Subject,
    /// What the device calls itself.
    pub device: String,
    /// 16 random bytes that its refresh tokens are derived from.
    pub seed: [u8; 16],
    /// Number of the refresh token that is good, from 1.
    pub generation: i64,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last refreshed.
    pub refreshed_at: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

/// What a presented refresh token means.
pub enum Presented {
    /// It is the newest: the session goes on like this.
    Newest(Session),
    /// It was spent before: it is in two hands, and the session has to end.
    Spent,
}

impl Session {
    /// A session that begins now.
    #[must_use]
    pub fn begin(id: SessionId, subject: Subject, device: String, seed: [u8; 16], now: Timestamp) -> Self {
        let expires_at = now.plus(match subject {
            Subject::Account(_) => IDLE,
            Subject::Guest(_) => GUEST_LIFE,
        });
        Self {
            id,
            subject,
            device,
            seed,
            generation: 1,
            created_at: now,
            refreshed_at: now,
            expires_at,
            ended_at: None,
        }
    }

    /// When it ends at the latest, as it was begun and refreshed.
    #[must_use]
    pub fn ends_at_the_latest(&self) -> Timestamp {
        let life = match self.subject {
            Subject::Account(_) => LIFE,
            Subject::Guest(_) => GUEST_LIFE,
        };
        self.refreshed_at.plus(IDLE).min(self.created_at.plus(life))
    }

    /// Whether it is neither ended nor expired.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }

    /// Checks that it is live.
    ///
    /// # Errors
    /// `SESSION_ENDED`.
    pub fn live(&self, now: Timestamp) -> Result<()> {
        if self.is_live(now) {
            return Ok(());
        }
        Err(ended())
    }

    /// Judges a genuine refresh token of a generation.
    ///
    /// # Errors
    /// `SESSION_ENDED`; `REFRESH_TOKEN_REFUSED` for a token of a generation that was never given, as after the database was
    /// restored from a backup.
    pub fn present(&self, generation: i64, now: Timestamp) -> Result<Presented> {
        self.live(now)?;
        if generation > self.generation {
            return Err(refused());
        }
        if generation < self.generation {
            return Ok(Presented::Spent);
        }
        let expires_at = match self.subject {
            Subject::Account(_) => now.plus(IDLE).min(self.created_at.plus(LIFE)),
            Subject::Guest(_) => self.expires_at,
        };
        Ok(Presented::Newest(Self {
            generation: generation + 1,
            refreshed_at: now,
            expires_at,
            ..self.clone()
        }))
    }
}

/// The one answer to a session that is over.
#[must_use]
pub fn ended() -> Error {
    Error::new(Code::Unauthenticated, "SESSION_ENDED", "the session has ended; sign in again")
}

/// The one answer to a refresh token that is not one of ours.
#[must_use]
pub fn refused() -> Error {
    Error::new(Code::Unauthenticated, "REFRESH_TOKEN_REFUSED", "the refresh token is not good; sign in again")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn session(subject: Subject) -> Session {
        Session::begin(SessionId::from_bits(1), subject, String::new(), [0; 16], Timestamp::from_secs(0))
    }

    fn account() -> Session {
        session(Subject::Account(CustomerId::from_bits(1)))
    }

    fn reason(result: Result<Presented>) -> String {
        result.err().map_or_else(String::new, |error| error.reason().to_owned())
    }

    #[test]
    fn the_newest_token_goes_on_and_a_spent_one_is_theft() {
        let now = Timestamp::from_secs(60);
        let Ok(Presented::Newest(next)) = account().present(1, now) else { panic!("it is the newest") };
        assert_eq!((next.generation, next.refreshed_at), (2, now));
        assert!(matches!(next.present(1, now), Ok(Presented::Spent)));
        assert_eq!(reason(next.present(3, now)), "REFRESH_TOKEN_REFUSED");
    }

    #[test]
    fn an_ended_session_stays_ended() {
        let ended = Session { ended_at: Some(Timestamp::from_secs(1)), ..account() };
        assert_eq!(reason(ended.present(1, Timestamp::from_secs(2))), "SESSION_ENDED");
    }

    #[test]
    fn an_account_is_signed_out_after_30_idle_days_and_after_90_days() {
        let start = Timestamp::from_secs(0);
        assert_eq!(reason(account().present(1, start.plus(30 * DAY))), "SESSION_ENDED");
        let mut session = account();
        for day in (0..=80).step_by(20) {
            let Ok(Presented::Newest(next)) = session.present(session.generation, start.plus(day * DAY))
            else {
                panic!("live on day {day}")
            };
            session = next;
        }
        assert_eq!(session.expires_at, start.plus(90 * DAY));
        assert_eq!(reason(session.present(session.generation, start.plus(90 * DAY))), "SESSION_ENDED");
    }

    #[test]
    fn a_guest_session_is_30_days_however_often_it_is_refreshed() {
        let start = Timestamp::from_secs(0);
        let guest = session(Subject::Guest(GuestId::from_bits(1)));
        let Ok(Presented::Newest(next)) = guest.present(1, start.plus(29 * DAY)) else { panic!("live") };
        assert_eq!(next.expires_at, start.plus(30 * DAY));
    }

    #[test]
    fn subjects_read_back() {
        for subject in [Subject::Account(CustomerId::from_bits(7)), Subject::Guest(GuestId::from_bits(7))] {
            assert_eq!(Subject::parse(&subject.to_string()), Some(subject));
        }
        assert_eq!(Subject::parse("*"), None);
    }

    proptest! {
        #[test]
        fn each_generation_is_good_once(steps in proptest::collection::vec(0_i64..6, 1..30)) {
            let now = Timestamp::from_secs(5);
            let mut session = account();
            for generation in steps {
                let before = session.generation;
                match session.present(generation, now) {
                    Ok(Presented::Newest(next)) => {
                        prop_assert_eq!(generation, before);
                        session = next;
                        prop_assert_eq!(session.generation, before + 1);
                    }
                    Ok(Presented::Spent) => prop_assert!(generation < before),
                    Err(_) => prop_assert!(generation > before),
                }
            }
        }
    }
}
