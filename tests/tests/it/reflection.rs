//! What grpcurl does, by its own protocol: lists the services, and reads their descriptions with comments.

use tests::World;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use tonic_reflection::pb::v1alpha;

async fn asks(world: &World, question: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut client = ServerReflectionClient::new(world.running().outside());
    let requests = futures_util::stream::iter([request]);
    let mut answers = client.server_reflection_info(requests).await.expect("a stream").into_inner();
    let answer: ServerReflectionResponse =
        answers.message().await.expect("readable").expect("one answer a question");
    answer.message_response.expect("an answer")
}

#[tokio::test(start_paused = true)]
async fn the_services_are_listed_and_described() {
    let world = World::start(31).await;
    let MessageResponse::ListServicesResponse(list) =
        asks(&world, MessageRequest::ListServices(String::new())).await
    else {
        panic!("a list was asked for")
    };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    assert!(names.iter().filter(|name| name.starts_with("souk.")).count() >= 11, "{names:?}");
    assert!(names.iter().any(|name| name == "grpc.health.v1.Health"), "{names:?}");
    let symbol = MessageRequest::FileContainingSymbol("souk.order.v1.OrderService".into());
    let MessageResponse::FileDescriptorResponse(files) = asks(&world, symbol).await else {
        panic!("a file was asked for")
    };
    let text = files.file_descriptor_proto.concat();
    let comment = b"Places a quote.";
    assert!(
        text.windows(comment.len()).any(|window| window == comment),
        "comments travel with the descriptors"
    );
}

#[tokio::test(start_paused = true)]
async fn the_older_version_answers_as_well() {
    use v1alpha::server_reflection_client::ServerReflectionClient;
    use v1alpha::server_reflection_request::MessageRequest;
    let world = World::start(32).await;
    let question = Some(MessageRequest::ListServices(String::new()));
    let request = v1alpha::ServerReflectionRequest { host: String::new(), message_request: question };
    let mut client = ServerReflectionClient::new(world.running().outside());
    let answers =
        client.server_reflection_info(futures_util::stream::iter([request])).await.expect("a stream");
    assert!(answers.into_inner().message().await.expect("readable").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_bad_token_hinders_nobody_to_ask() {
    let world = World::start(34).await;
    let question = Some(MessageRequest::FileContainingSymbol("google.rpc.ErrorInfo".into()));
    let missing = Some(MessageRequest::FileContainingSymbol("souk.No".into()));
    let ask = |message_request| ServerReflectionRequest { host: String::new(), message_request };
    let requests = futures_util::stream::iter([ask(missing), ask(question)]);
    let mut requests = tonic::Request::new(requests);
    requests.metadata_mut().insert("authorization", "Bearer nonsense".parse().expect("text"));
    let mut client = ServerReflectionClient::new(world.running().outside());
    let mut answers = client.server_reflection_info(requests).await.expect("a stream").into_inner();
    let mut next =
        async || answers.message().await.expect("readable").and_then(|answer| answer.message_response);
    assert!(matches!(next().await, Some(MessageResponse::ErrorResponse(_))), "a miss is an answer");
    assert!(
        matches!(next().await, Some(MessageResponse::FileDescriptorResponse(_))),
        "and the stream goes on"
    );
}

#[tokio::test(start_paused = true)]
async fn health_is_told_and_ends_with_the_drain() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::health_client::HealthClient;
    let world = World::start(33).await;
    let mut client = HealthClient::new(world.running().outside());
    for service in ["", "souk.order.v1.OrderService"] {
        let request = HealthCheckRequest { service: service.into() };
        let status = client.check(request).await.expect("a status").into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
    world.running().stop(std::time::Duration::from_secs(5)).await;
    let status = client.check(HealthCheckRequest::default()).await.expect("a status").into_inner().status();
    assert_eq!(status, ServingStatus::NotServing);
}
