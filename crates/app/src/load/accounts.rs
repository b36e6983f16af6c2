//! Accounts that are signed in before the load begins. One serves one journey at a time.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tokio::sync::Semaphore;

use super::cookies::Jar;
use super::web::{Asking, Web};
use crate::console::{self, Failure};
use crate::import::send::request_id;

/// Sign-ups at a time: hashing a password takes a processor for a while.
const AT_ONCE: usize = 4;

/// Accounts that nobody uses just now.
#[derive(Debug)]
pub struct Accounts {
    free: Mutex<VecDeque<Jar>>,
    count: Semaphore,
}

impl Accounts {
    /// Signs up so many new accounts, and keeps their sessions.
    ///
    /// # Errors
    /// Exit code 1 when the shop window refuses one or is lost.
    pub async fn sign_up(web: &Web, run: &str, count: usize) -> Result<Self, Failure> {
        let bar = console::progress("accounts", count as u64);
        let jars = stream::iter((0..count).map(|number| sign_up(web, run, number)))
            .buffer_unordered(AT_ONCE)
            .inspect_ok(|_| bar.inc(1))
            .try_collect::<VecDeque<Jar>>()
            .await?;
        bar.finish_and_clear();
        Ok(Self { count: Semaphore::new(jars.len()), free: Mutex::new(jars) })
    }

    /// Takes the account that has rested longest; waits for one while all are in use.
    pub async fn take(&self) -> Jar {
        if let Ok(permit) = self.count.acquire().await {
            permit.forget();
        }
        self.free.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or_default()
    }

    /// Gives an account back.
    pub fn give(&self, jar: Jar) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push_back(jar);
        self.count.add_permits(1);
    }
}

async fn sign_up(web: &Web, run: &str, number: usize) -> Result<Jar, Failure> {
    let (mut line, mut jar) = (web.line(), Jar::default());
    let account = json!({
        "email": format!("load-{run}-{number}@example.com"),
        "password": request_id(),
    });
    let asking = Asking::post("/api/v1/accounts", account.to_string().into_bytes());
    let refused = |reason: &str| {
        Failure::unfinished(format!("account {} of the load could not be made: {reason}", number + 1))
    };
    let answer = line.ask(&asking, &mut jar).await.map_err(|reason| refused(reason.0))?;
    if !answer.status.is_success() || jar.field().is_none() {
        return Err(refused(&answer.reason()));
    }
    Ok(jar)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_account_serves_one_journey_at_a_time() {
        let free = Mutex::new([Jar::default(), Jar::default()].into());
        let accounts = Accounts { free, count: Semaphore::new(2) };
        let first = accounts.take().await;
        let _second = accounts.take().await;
        let waits = tokio::time::timeout(Duration::from_secs(1), accounts.take());
        assert!(waits.await.is_err(), "all are in use");
        accounts.give(first);
        assert!(tokio::time::timeout(Duration::from_secs(1), accounts.take()).await.is_ok());
    }
}
