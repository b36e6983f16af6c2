//! Calls by description: any method, with messages made from the descriptors.

use bytes::{Buf, BufMut, Bytes};
use contract::MethodContract;
use kernel::Error;
use mesh::Channel;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Messages as bytes.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }
    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// The descriptors of the house.
pub fn pool() -> DescriptorPool {
    DescriptorPool::decode(contract::DESCRIPTORS).expect("the embedded descriptors are whole")
}

/// The request of a method.
pub fn input(pool: &DescriptorPool, method: &MethodContract) -> MessageDescriptor {
    pool.get_message_by_name(method.input).expect("a method's request is described")
}

/// Calls a method with a message and returns its answer, or for a stream its first.
pub async fn call(
    channel: Channel,
    method: &MethodContract,
    message: &DynamicMessage,
) -> Result<Bytes, Error> {
    call_bytes(channel, method, message.encode_to_vec().into()).await
}

/// Calls a method with bytes.
pub async fn call_bytes(channel: Channel, method: &MethodContract, message: Bytes) -> Result<Bytes, Error> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.expect("a channel is always ready");
    let path = http::uri::PathAndQuery::from_static(method.path);
    let request = tonic::Request::new(message);
    if !method.server_streaming {
        return client
            .unary(request, path, Raw)
            .await
            .map(tonic::Response::into_inner)
            .map_err(contract::error);
    }
    let mut stream = client.server_streaming(request, path, Raw).await.map_err(contract::error)?.into_inner();
    match tokio::time::timeout(std::time::Duration::from_secs(1), stream.message()).await {
        Ok(message) => Ok(message.map_err(contract::error)?.unwrap_or_default()),
        Err(_) => Ok(Bytes::new()),
    }
}
