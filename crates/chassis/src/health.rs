//! `grpc.health.v1`: what this process serves, and whether it still does.

use std::collections::HashSet;
use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// Tells the health of this process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct HealthApi {
    services: std::sync::Arc<HashSet<String>>,
    serving: watch::Receiver<bool>,
}

impl HealthApi {
    /// Serves `services`, and the process as a whole under the empty name, for as long as `serving` is true.
    pub(crate) fn new(services: &[String], serving: watch::Receiver<bool>) -> Self {
        let names = services.iter().cloned().chain([String::new()]);
        Self { services: std::sync::Arc::new(names.collect()), serving }
    }

    fn knows(&self, request: &Request<HealthCheckRequest>) -> bool {
        self.services.contains(&request.get_ref().service)
    }
}

fn response(serving: bool) -> HealthCheckResponse {
    let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
    HealthCheckResponse { status: status.into() }
}

type Changes = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

#[tonic::async_trait]
impl Health for HealthApi {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if !self.knows(&request) {
            return Err(Status::not_found("no such service here; `grpcurl … list` names the services"));
        }
        Ok(Response::new(response(*self.serving.borrow())))
    }

    type WatchStream = Changes;

    /// The status now and after each change. What is not served here is told as unknown, on a stream that stays open.
    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Changes>, Status> {
        if !self.knows(&request) {
            let unknown = HealthCheckResponse { status: ServingStatus::ServiceUnknown.into() };
            let changes = stream::iter([Ok(unknown)]).chain(stream::pending());
            return Ok(Response::new(Box::pin(changes)));
        }
        let changes = stream::unfold((self.serving.clone(), true), |(mut serving, first)| async move {
            if !first {
                serving.changed().await.ok()?;
            }
            let now = *serving.borrow_and_update();
            Some((Ok(response(now)), (serving, false)))
        });
        Ok(Response::new(Box::pin(changes)))
    }
}
