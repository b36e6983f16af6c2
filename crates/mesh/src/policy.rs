//! Every number of the mesh, in one place. The contract overrides them by method.

use std::time::Duration;

/// The most a call from outside may take when its caller does not say.
pub const EDGE_DEADLINE: Duration = Duration::from_secs(60);
/// Largest request message of health and reflection, which have no contract, in bytes.
pub const FOREIGN_BYTES_MAX: usize = 16 << 10;
/// How long a caller may take to send a request message of a call that has no deadline, such as a stream's.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a caller may be silent while he sends a request message.
pub const REQUEST_SILENCE_MAX: Duration = Duration::from_secs(10);
/// Bytes of request messages that are arriving or being worked on, in a process.
pub const REQUESTS_BYTES_MAX: usize = 256 << 20;
/// Bytes of request messages that are arriving or being worked on, of one address.
pub const REQUESTS_BYTES_PER_ADDRESS_MAX: usize = 64 << 20;
/// What a request that has no body yet counts for, in bytes.
pub const REQUEST_BYTES_MIN: usize = 8 << 10;
/// Largest request header list, in bytes.
pub const HEADER_BYTES_MAX: u32 = 16 << 10;
/// Most fields of a request's header.
pub const HEADERS_MAX: usize = 64;
/// Concurrent HTTP/2 streams (calls of either kind) on one connection.
pub const CALLS_PER_CONNECTION_MAX: u32 = 256;
/// Calls of a connection from outside that are served at once; what is more waits before it begins.
pub const CALLS_SERVED_PER_CONNECTION_MAX: usize = 128;
/// Calls from outside that are open at once, waiting or served, in a process.
pub const CALLS_OPEN_MAX: usize = 32_768;
/// Calls that are open at once of one address outside.
pub const CALLS_OPEN_PER_ADDRESS_MAX: usize = 4_096;
/// Bytes of answers to calls from outside that their readers have not taken, in a process.
pub const ANSWERS_BYTES_MAX: usize = 256 << 20;
/// Bytes of answers that the readers of one address have not taken; a larger answer is sent when there is no other.
pub const ANSWERS_BYTES_PER_ADDRESS_MAX: usize = 32 << 20;
/// Bytes of pages that readers leave lying, on one listener of a gateway; beyond, those that lie longest are ended.
pub const UNREAD_PAGES_BYTES_MAX: usize = 32 << 20;
/// How long a page may lie when there are more than [`UNREAD_PAGES_BYTES_MAX`].
pub const UNREAD_PAGES_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a call may wait for others of its connection.
pub const CALLS_WAIT_MAX: Duration = Duration::from_secs(30);
/// Server streams open at once on one connection from outside.
pub const STREAMS_PER_CONNECTION_MAX: usize = 64;
/// HTTP/2 flow-control window of one stream, in bytes: what a caller may send before it is read.
pub const STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// HTTP/2 flow-control window of one connection, in bytes.
pub const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes of answers that HTTP/2 buffers for one stream.
pub const SEND_BUFFER_BYTES: usize = 64 << 10;
/// Streams that a peer reset before they were accepted, on one connection; then the connection ends.
pub const PENDING_RESETS_MAX: usize = 20;
/// An answer is handed to HTTP/2 in pieces of this size, in bytes, so that a reader who stops holds pieces, not the message.
pub const ANSWER_PIECE_BYTES: usize = 16 << 10;
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
/// Calls in flight that one address outside may have while a quarter of the limit is less; never more than half of it.
pub const ADMISSION_PER_ADDRESS_MIN: usize = 128;
/// Most streams open at once in a process; between roles there are a few dozen.
pub const STREAMS_OPEN_MAX: usize = 4096;
/// Of which callers outside have at most these: what is left is for roles.
pub const STREAMS_OUTSIDE_MAX: usize = 3072;
/// Of which health and reflection have at most these, in a process.
pub const FOREIGN_STREAMS_MAX: usize = 256;
/// Streams open at once of one guest or account.
pub const STREAMS_PER_OWNER_MAX: usize = 32;
/// Streams open at once of one address outside.
pub const STREAMS_PER_ADDRESS_MAX: usize = 256;
/// Streams of health and reflection open at once of one address outside.
pub const FOREIGN_STREAMS_PER_ADDRESS_MAX: usize = 32;
/// How long `Health/Watch` may have nothing to tell.
pub const HEALTH_SILENCE_MAX: Duration = Duration::from_secs(600);
/// How long a reflection stream may be silent.
pub const REFLECTION_SILENCE_MAX: Duration = Duration::from_secs(30);
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
