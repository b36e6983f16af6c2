//! Bytes of a body that hold something until the last of them is written to the connection, or dropped with it. A body itself
//! is dropped earlier: when its last bytes are handed to the HTTP library, which may buffer them for as long as it likes.

use bytes::{Buf, Bytes};

/// Bytes, and what is dropped with them.
pub(crate) struct HeldBytes<H> {
    bytes: Bytes,
    _held: H,
}

impl<H> HeldBytes<H> {
    pub(crate) fn new(bytes: Bytes, held: H) -> Self {
        Self { bytes, _held: held }
    }
}

impl<H> Buf for HeldBytes<H> {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}
