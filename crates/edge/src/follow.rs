//! Following the events of a role for this gateway alone: nothing of it is kept, and a gap is told.

use std::sync::Arc;
use std::time::Duration;

use chassis::{Context, Position};
use contract::souk::event::v1::event_service_client::EventServiceClient;
use contract::souk::event::v1::{Event, GetStatusRequest};
use kernel::{Error, Result};

/// Pause before a role that cannot be followed is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Who wants to know.
pub trait Follower: Send + Sync + 'static {
    /// Something happened.
    fn happened(&self, event: &Event);
    /// What happened before this position was not told, and will not be.
    fn begins(&self, source: &'static str, after: Position);
}

/// Follows a role's events from its newest on, for as long as the gateway runs.
///
/// # Errors
/// INTERNAL for a role that `SERVICE` does not declare in `calls` and `consumes`.
pub fn follow(ctx: &Context, source: &'static str, follower: Arc<dyn Follower>) -> Result<()> {
    let client = ctx.call(source, EventServiceClient::new)?;
    drop(ctx.subscribe(source, None)?);
    let running = ctx.clone();
    ctx.spawn("follower", async move {
        loop {
            let start = newest(&mut client.clone(), source).await;
            let ended = match start {
                Ok(after) => {
                    follower.begins(source, after);
                    read(&running, source, after, &*follower).await
                }
                Err(error) => error,
            };
            tracing::debug!(source, error = ?ended, "events cannot be followed; beginning again");
            running.sleep(PAUSE).await;
        }
    });
    Ok(())
}

/// The newest position of a role.
async fn newest(client: &mut EventServiceClient<mesh::Channel>, source: &'static str) -> Result<Position> {
    let request = GetStatusRequest { source: source.to_owned(), positions_only: true };
    let head =
        client.get_status(request).await.map_err(contract::error)?.into_inner().head.unwrap_or_default();
    Ok(Position { epoch: head.epoch, sequence: head.sequence })
}

async fn read(ctx: &Context, source: &'static str, after: Position, follower: &dyn Follower) -> Error {
    let mut events = match ctx.subscribe(source, Some(after)) {
        Ok(events) => events,
        Err(error) => return error,
    };
    loop {
        match events.next().await {
            Ok(event) => follower.happened(&event),
            Err(error) => return error,
        }
    }
}
