//! Every number of the mesh, in one place. The contract overrides them by method.

use std::time::Duration;

/// The most a call from outside may take when its caller does not say.
pub const EDGE_DEADLINE: Duration = Duration::from_secs(60);
/// Largest request message, in bytes: a token of a quote with 2,000 lines fits.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Largest request header list, in bytes.
pub const HEADER_BYTES_MAX: u32 = 64 << 10;
/// Concurrent streams on one HTTP/2 connection.
pub const STREAMS_MAX: u32 = 1024;
/// How often an idle HTTP/2 connection is asked whether it is alive (load balancers drop at 350 s).
pub const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long a keepalive answer may take.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection attempt may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// First pause before a new connection attempt; doubles up to [`RECONNECT_MAX`].
pub const RECONNECT_MIN: Duration = Duration::from_millis(100);
/// Longest pause before a new connection attempt.
pub const RECONNECT_MAX: Duration = Duration::from_secs(10);
/// Leeway for the clocks of others when tokens are checked.
pub const TOKEN_LEEWAY: Duration = Duration::from_secs(60);
/// Verified tokens remembered per process.
pub const TOKENS_REMEMBERED_MAX: usize = 20_000;
/// Longest access token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 8 << 10;
/// Fewest calls that admission lets in at once, however slow they are.
pub const ADMISSION_MIN: usize = 20;
/// Most calls that admission lets in at once.
pub const ADMISSION_MAX: usize = 1000;
/// Most streams open at once in a process; between roles there are a few dozen.
pub const STREAMS_OPEN_MAX: usize = 4096;
/// How long a ready task may wait for a thread before admission lets fewer in.
pub const QUEUE_DELAY_MAX: Duration = Duration::from_millis(100);
/// How often admission looks at the queue delay.
pub const ADMISSION_TICK: Duration = Duration::from_millis(50);
/// How long a role's signature on a call to another process is good.
pub const PEER_SIGNATURE_TTL: Duration = Duration::from_secs(120);
/// Most fault rules at once.
pub const FAULT_RULES_MAX: usize = 100;
/// Longest injected delay.
pub const FAULT_DELAY_MAX: Duration = Duration::from_secs(30);
