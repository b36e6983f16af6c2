//! Server reflection, v1 and v1alpha, which have the same messages. The index of descriptors is made when somebody first asks:
//! it is larger than what an idle shop needs otherwise.
//!
//! Unlike tonic's own server, this one knows extensions, so that a client can read the options of the contract, and answers
//! what it does not have with an error inside the stream, which goes on.

mod index;

use std::sync::{Arc, OnceLock};

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use mesh::Endpoint;
use prost::Message;
use tonic::{Request, Response, Status, Streaming};
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{
    ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse, ListServiceResponse,
    ServerReflectionRequest, ServerReflectionResponse, ServiceResponse,
};
use tonic_reflection::pb::v1alpha;
use tonic_reflection::server::{v1 as v1_server, v1alpha as v1alpha_server};

use self::index::Index;

/// Both versions, by the full names of their services.
pub(crate) fn endpoints(services: &[String]) -> Vec<(&'static str, Arc<dyn Endpoint>)> {
    let reflection = Reflection(Arc::new(Shared { services: services.to_vec(), index: OnceLock::new() }));
    let bytes_max = mesh::policy::FOREIGN_BYTES_MAX;
    let v1 = v1_server::ServerReflectionServer::new(reflection.clone());
    let v1alpha = v1alpha_server::ServerReflectionServer::new(reflection);
    vec![
        mesh::grpc(v1.max_decoding_message_size(bytes_max)),
        mesh::grpc(v1alpha.max_decoding_message_size(bytes_max)),
    ]
}

#[derive(Clone)]
struct Reflection(Arc<Shared>);

struct Shared {
    services: Vec<String>,
    index: OnceLock<Index>,
}

impl Shared {
    fn answer(&self, request: ServerReflectionRequest) -> ServerReflectionResponse {
        let answer = self.find(request.message_request.as_ref()).unwrap_or_else(|(code, message)| {
            let error = ErrorResponse { error_code: code.into(), error_message: message };
            MessageResponse::ErrorResponse(error)
        });
        ServerReflectionResponse {
            valid_host: request.host.clone(),
            original_request: Some(request),
            message_response: Some(answer),
        }
    }

    fn find(&self, question: Option<&MessageRequest>) -> Result<MessageResponse, (tonic::Code, String)> {
        let index = self.index.get_or_init(Index::new);
        let missing = |what: String| (tonic::Code::NotFound, format!("there is no {what} here"));
        let file = |found: Option<&[u8]>, what: String| {
            let file_descriptor_proto = vec![found.ok_or_else(|| missing(what))?.to_vec()];
            Ok(MessageResponse::FileDescriptorResponse(FileDescriptorResponse { file_descriptor_proto }))
        };
        match question {
            None => Err((tonic::Code::InvalidArgument, "a request asks for one thing".to_owned())),
            Some(MessageRequest::FileByFilename(name)) => file(index.file(name), format!("file {name}")),
            Some(MessageRequest::FileContainingSymbol(name)) => {
                file(index.file_of_symbol(name), format!("symbol {name}"))
            }
            Some(MessageRequest::FileContainingExtension(of)) => {
                let (message, number) = (&of.containing_type, of.extension_number);
                file(index.file_of_extension(message, number), format!("extension {number} of {message}"))
            }
            Some(MessageRequest::AllExtensionNumbersOfType(message)) => {
                let numbers = index.extension_numbers(message);
                let extension_number = numbers.ok_or_else(|| missing(format!("message {message}")))?;
                let base_type_name = message.clone();
                let response = ExtensionNumberResponse { base_type_name, extension_number };
                Ok(MessageResponse::AllExtensionNumbersResponse(response))
            }
            Some(MessageRequest::ListServices(_)) => {
                let service = self.services.iter().map(|name| ServiceResponse { name: name.clone() });
                let response = ListServiceResponse { service: service.collect() };
                Ok(MessageResponse::ListServicesResponse(response))
            }
        }
    }
}

#[tonic::async_trait]
impl v1_server::ServerReflection for Reflection {
    type ServerReflectionInfoStream = BoxStream<'static, Result<ServerReflectionResponse, Status>>;

    async fn server_reflection_info(
        &self,
        requests: Request<Streaming<ServerReflectionRequest>>,
    ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
        let shared = self.0.clone();
        Ok(Response::new(requests.into_inner().map(move |request| Ok(shared.answer(request?))).boxed()))
    }
}

#[tonic::async_trait]
impl v1alpha_server::ServerReflection for Reflection {
    type ServerReflectionInfoStream = BoxStream<'static, Result<v1alpha::ServerReflectionResponse, Status>>;

    async fn server_reflection_info(
        &self,
        requests: Request<Streaming<v1alpha::ServerReflectionRequest>>,
    ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
        let shared = self.0.clone();
        let answers = requests.into_inner().map(move |request| {
            let answer = shared.answer(same(&request?)?);
            same(&answer)
        });
        Ok(Response::new(answers.boxed()))
    }
}

/// A message of one version as that of the other, which is the same on the wire.
fn same<T: Message + Default>(message: &impl Message) -> Result<T, Status> {
    T::decode(message.encode_to_vec().as_slice()).map_err(|error| Status::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use tonic_reflection::pb::v1::ExtensionRequest;

    use super::*;

    fn ask(question: MessageRequest) -> MessageResponse {
        let shared = Shared { services: vec!["souk.a.v1.A".to_owned()], index: OnceLock::new() };
        let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
        shared.answer(request).message_response.expect("an answer")
    }

    fn file_with(question: MessageRequest, text: &str) {
        let MessageResponse::FileDescriptorResponse(files) = ask(question) else { panic!("no file: {text}") };
        let bytes = files.file_descriptor_proto.concat();
        assert!(bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text}");
    }

    #[test]
    fn the_options_of_the_contract_are_found() {
        const OPTIONS: &str = "google.protobuf.MethodOptions";
        let MessageResponse::AllExtensionNumbersResponse(all) =
            ask(MessageRequest::AllExtensionNumbersOfType(OPTIONS.to_owned()))
        else {
            panic!("no numbers")
        };
        assert_eq!((all.base_type_name.as_str(), all.extension_number.as_slice()), (OPTIONS, &[50_611][..]));
        let of = ExtensionRequest { containing_type: OPTIONS.to_owned(), extension_number: 50_611 };
        file_with(MessageRequest::FileContainingExtension(of), "souk/contract/v1/contract.proto");
        let name = "souk.contract.v1.method".to_owned();
        file_with(MessageRequest::FileContainingSymbol(name), "souk/contract/v1/contract.proto");
        // A client asks this of every message, and none of ours has extensions.
        let name = "souk.order.v1.PlaceOrderRequest".to_owned();
        let none = ask(MessageRequest::AllExtensionNumbersOfType(name));
        assert!(
            matches!(none, MessageResponse::AllExtensionNumbersResponse(all) if all.extension_number.is_empty())
        );
    }

    #[test]
    fn every_kind_of_symbol_is_found() {
        for symbol in [
            "souk.order.v1.OrderService",
            "souk.order.v1.OrderService.PlaceOrder",
            "souk.order.v1.PlaceOrderRequest",
            "souk.order.v1.PlaceOrderRequest.request_id",
            "souk.user.v1.AddressUse",
            // The values of an enum stand beside it.
            "souk.user.v1.ADDRESS_USE_SHIPPING",
        ] {
            file_with(MessageRequest::FileContainingSymbol(symbol.to_owned()), "souk/");
        }
        for (symbol, file) in [
            ("grpc.health.v1.Health", "health.proto"),
            ("google.rpc.ErrorInfo", "error_details.proto"),
            ("grpc.reflection.v1.ServerReflection", "reflection"),
            ("grpc.reflection.v1alpha.ServerReflection", "reflection"),
        ] {
            file_with(MessageRequest::FileContainingSymbol(symbol.to_owned()), file);
        }
        file_with(MessageRequest::FileByFilename("souk/order/v1/order.proto".to_owned()), "Places a quote.");
    }

    #[test]
    fn what_is_not_here_is_an_answer_too() {
        let of = ExtensionRequest { containing_type: "souk.Nothing".to_owned(), extension_number: 1 };
        for (question, what) in [
            (MessageRequest::FileByFilename("no.proto".to_owned()), "file no.proto"),
            (MessageRequest::FileContainingSymbol("souk.No".to_owned()), "symbol souk.No"),
            (MessageRequest::FileContainingExtension(of), "extension 1 of souk.Nothing"),
            (MessageRequest::AllExtensionNumbersOfType("souk.No".to_owned()), "message souk.No"),
        ] {
            let MessageResponse::ErrorResponse(error) = ask(question) else { panic!("{what} is found") };
            assert_eq!(error.error_code, i32::from(tonic::Code::NotFound));
            assert_eq!(error.error_message, format!("there is no {what} here"));
        }
    }
}
