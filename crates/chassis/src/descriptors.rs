//! File descriptors: as many as the system grants, and how they are divided.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a process without roles has open: standard streams, the runtime, listeners, logs, locks, calls to others.
const BASE: u64 = 40;
/// What a role's store has open beside its readers: its lock, the writer's database and log, their shared index, segments of a
/// search index.
const PER_STORE: u64 = 6;
/// What a reader of a store has open: the database and its log.
const PER_READER: u64 = 2;
/// Connections of the metrics listener.
const METRICS_MAX: usize = 16;
/// Connections of the gRPC listener, at most.
const GRPC_MAX: usize = 10_000;
/// Connections of the web listeners, at most: ten thousand open WebSockets and as many browsers beside them.
const WEB_MAX: usize = 20_000;
/// Connections that every listener has, whatever the system grants.
const CONNECTIONS_MIN: usize = 8;
/// Below so many, the operator is told.
const WANTED: u64 = 4_096;

/// How many connections each listener has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// gRPC.
    pub(crate) grpc: usize,
    /// Each gateway.
    pub(crate) web: usize,
    /// Metrics.
    pub(crate) metrics: usize,
}

/// Raises the soft limit to the hard one; what it is then.
pub(crate) fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        // Where it cannot be raised, what there is has to do.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Divides `descriptors` between stores with so many readers each and listeners, and tells the operator when they are few.
pub(crate) fn divide(descriptors: u64, roles: usize, readers: usize, gateways: usize) -> Room {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let per_role = PER_STORE + PER_READER * count(readers);
    let reserve = BASE.saturating_add(per_role.saturating_mul(count(roles)));
    let left = usize::try_from(descriptors.saturating_sub(reserve)).unwrap_or(usize::MAX);
    let left = left.saturating_sub(METRICS_MAX);
    // A listener that closes one connection for another has both for a moment, and an eighth more of them.
    let left = left - left / 8;
    let grpc = (left / 3).clamp(CONNECTIONS_MIN, GRPC_MAX);
    let web = (left.saturating_sub(grpc) / gateways.max(1)).clamp(CONNECTIONS_MIN, WEB_MAX);
    if descriptors < WANTED {
        tracing::warn!(
            descriptors,
            grpc,
            web,
            "few file descriptors: fewer connections are taken; raise the limit with `ulimit -n` or LimitNOFILE"
        );
    }
    Room { grpc, web, metrics: METRICS_MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_have_what_they_need_before_connections() {
        assert_eq!(divide(1 << 20, 12, 4, 1), Room { grpc: 10_000, web: 20_000, metrics: 16 });
        for descriptors in [256, 512, 1024, 20_000] {
            let room = divide(descriptors, 12, 4, 1);
            let all = room.grpc + room.web + room.metrics;
            let kept = descriptors - u64::try_from(all + all / 8).expect("small");
            assert!(kept >= 170, "{descriptors}: {room:?}");
            assert!(room.web >= room.grpc && room.grpc >= CONNECTIONS_MIN, "{room:?}");
        }
        let on_many_cores = divide(1024, 12, 16, 1);
        assert!(on_many_cores.grpc + on_many_cores.web < 1024 - 12 * 38, "{on_many_cores:?}");
        let none = divide(64, 12, 4, 1);
        assert_eq!(none, Room { grpc: 8, web: 8, metrics: 16 });
    }

    #[test]
    fn the_soft_limit_is_the_hard_one() {
        let raised = raise();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(Some(raised), limit.maximum.or(Some(u64::MAX)));
    }
}
