//! The calls that a screen makes: required, optional, or for what stands around it.

use http::Method;
use kernel::{Code, Error, Result};
use mesh::{Scope, with_scope};

use super::{Ask, MIN_VERSION};
use crate::need::{Absence, Need};

impl Ask {
    /// A message as a call of this request: it tells the client's address and what it has seen.
    pub fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = mesh::with_client_address(tonic::Request::new(message), self.counted_address());
        let state = self.state.lock();
        if !state.seen.is_empty()
            && let Ok(value) = state.seen.text().parse()
        {
            request.metadata_mut().insert(MIN_VERSION, value);
        }
        drop(state);
        request
    }

    /// Makes a call without which the screen is nothing. What is away makes it a 503 that names the part.
    ///
    /// # Errors
    /// What the call says.
    pub async fn need<T>(
        &self,
        need: &'static Need,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Result<T> {
        self.call(need, Absence::Required, call).await.map_err(|error| match error.code() {
            Code::Unavailable => error.with("part", need.part),
            Code::DeadlineExceeded if self.method == Method::GET => {
                Error::unavailable("UNAVAILABLE", "a part of this screen did not answer in time; try again")
                    .because(error)
                    .with("part", need.part)
            }
            _ => error,
        })
    }

    /// Makes a call that the screen can do without: what fails is absent, and said so.
    pub async fn may<T>(
        &self,
        need: &'static Need,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Option<T> {
        match self.call(need, Absence::Optional, call).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::debug!(part = need.part, error = ?error, "an optional part is absent");
                let mut state = self.state.lock();
                if !state.absent.contains(&need.part) {
                    state.absent.push(need.part);
                }
                None
            }
        }
    }

    /// Makes a call for what stands around a screen, such as the count of the cart: no screen declares it, and its absence
    /// is not told.
    pub async fn aside<T>(
        &self,
        need: &'static Need,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Option<T> {
        match self.made(call).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::debug!(part = need.part, error = ?error, "a part around the screen is absent");
                None
            }
        }
    }

    async fn call<T>(
        &self,
        need: &'static Need,
        absence: Absence,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Result<T> {
        if need.absence != absence || !self.needs.iter().any(|declared| declared.part == need.part) {
            return Err(Error::internal(format!(
                "{} does not declare that it needs {}",
                self.path, need.part
            )));
        }
        self.made(call).await
    }

    /// Makes a call as who asks, within the time that is left.
    async fn made<T>(
        &self,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Result<T> {
        let principal = self.state.lock().session.verified.clone();
        let request_id = Some(self.request_id.clone());
        let scope = Scope { deadline: Some(self.deadline), principal, trace: self.trace, request_id };
        let answer = with_scope(scope, call).await;
        let answer = answer.map_err(|status| self.in_own_names(contract::error(status)))?;
        if answer.metadata().contains_key("souk-replayed") {
            self.state.lock().replayed = true;
        }
        Ok(answer.into_inner())
    }
}
