//! Every method is called by somebody who may, with requests that make no sense: each gets a clear error that is the
//! caller's, and none is ours.

use chassis::testing::staff;
use contract::{Access, MethodContract};
use kernel::{Code, Error};
use mesh::{Channel, Principal};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use tests::World;

use crate::dynamic;

/// What a hostile request is filled with.
#[derive(Clone, Copy, Debug)]
enum Filling {
    /// Nothing.
    Empty,
    /// The largest numbers, long texts, unknown enum values.
    Large,
    /// The smallest numbers, control characters.
    Negative,
    /// Texts that look like something else: markup, SQL, paths, other ids.
    Tricky,
}

const FILLINGS: [Filling; 4] = [Filling::Empty, Filling::Large, Filling::Negative, Filling::Tricky];
/// How deep messages are filled.
const DEPTH_MAX: u32 = 4;

fn fill(descriptor: MessageDescriptor, filling: Filling, depth: u32) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    if depth == 0 || matches!(filling, Filling::Empty) {
        return message;
    }
    for field in descriptor.fields() {
        if let Some(value) = value(&field, filling, depth) {
            message.set_field(&field, value);
        }
    }
    message
}

fn value(field: &FieldDescriptor, filling: Filling, depth: u32) -> Option<Value> {
    if field.is_map() {
        return None;
    }
    let one = single(field, filling, depth);
    if field.is_list() { Some(Value::List(vec![one.clone(), one])) } else { Some(one) }
}

fn single(field: &FieldDescriptor, filling: Filling, depth: u32) -> Value {
    let large = matches!(filling, Filling::Large);
    let text = || match filling {
        Filling::Large => "x".repeat(20_000),
        Filling::Negative => "\u{0}\u{7}\u{202e}".to_owned(),
        _ => "'; DROP TABLE orders; -- <script>../../etc/passwd ord_0000000000000000000000000".to_owned(),
    };
    match field.kind() {
        Kind::Double => Value::F64(f64::NAN),
        Kind::Float => Value::F32(f32::INFINITY),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(if large { i32::MAX } else { i32::MIN }),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(if large { i64::MAX } else { i64::MIN }),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(u32::MAX),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::MAX),
        Kind::Bool => Value::Bool(true),
        Kind::String if field.name() == "request_id" => Value::String(format!("hostile-{filling:?}")),
        Kind::String => Value::String(text()),
        Kind::Bytes => Value::Bytes(text().into_bytes().into()),
        Kind::Message(message) => Value::Message(fill(message, filling, depth - 1)),
        Kind::Enum(_) => Value::EnumNumber(if large { 9999 } else { -1 }),
    }
}

/// Somebody whom a method lets in.
fn somebody(method: &MethodContract) -> (Option<&'static str>, Principal) {
    let roles = method.access.iter().find_map(|access| match access {
        Access::Internal(roles) => Some(if roles[0] == "*" { "order" } else { roles[0] }),
        _ => None,
    });
    (roles, staff(1, &["admin"]))
}

async fn answer(
    world: &World,
    pool: &DescriptorPool,
    method: &MethodContract,
    filling: Filling,
) -> Result<bytes::Bytes, Error> {
    let (role, principal) = somebody(method);
    let callee = match method.package_role {
        "testpay" => "payment",
        "event" | "audit" => "product",
        callee => callee,
    };
    let client: Channel =
        world.running().client(callee, role, principal, |channel| channel).expect("every role runs here");
    dynamic::call(client, method, &fill(dynamic::input(pool, method), filling, DEPTH_MAX)).await
}

#[tokio::test(start_paused = true)]
async fn nonsense_is_the_callers_fault_and_named() {
    let world = World::start(13).await;
    let pool = dynamic::pool();
    let mut wrong = Vec::new();
    for method in contract::methods() {
        for filling in FILLINGS {
            let Err(error) = answer(&world, &pool, method, filling).await else { continue };
            let ours = matches!(error.code(), Code::Internal | Code::Unavailable | Code::DeadlineExceeded);
            let unnamed = error.code() == Code::InvalidArgument && error.violations().is_empty();
            let declared = error.code() == Code::InvalidArgument || is_declared(method, &error);
            if ours || unnamed || !declared {
                wrong.push(format!("{} {filling:?}: {error:?}", method.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers are not as they should be:\n{}", wrong.len(), wrong.join("\n"));
}

/// Reasons that every method may give; see `MethodContract.reasons` in contract.proto.
const COMMON: [&str; 6] = [
    "INVALID_ARGUMENT",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "DEADLINE_EXCEEDED",
    "OVERLOADED",
    "UNAVAILABLE",
];

fn is_declared(method: &MethodContract, error: &Error) -> bool {
    method.reasons.contains(&error.reason()) || COMMON.contains(&error.reason())
}

#[tokio::test(start_paused = true)]
async fn text_that_is_no_utf_8_names_its_field() {
    let world = World::start(14).await;
    let pool = dynamic::pool();
    for method in contract::methods() {
        let input = dynamic::input(&pool, method);
        let Some(field) =
            input.fields().find(|field| matches!(field.kind(), Kind::String) && !field.is_list())
        else {
            continue;
        };
        let tag = u8::try_from(field.number() << 3 | 2).ok().filter(|tag| *tag < 128);
        let Some(tag) = tag else { continue };
        let (role, principal) = somebody(method);
        let callee = match method.package_role {
            "testpay" => "payment",
            "event" | "audit" => "product",
            callee => callee,
        };
        let client: Channel =
            world.running().client(callee, role, principal, |channel| channel).expect("every role runs here");
        let bytes = bytes::Bytes::from(vec![tag, 1, 0xff]);
        let error = dynamic::call_bytes(client, method, bytes).await.expect_err(method.path);
        assert_eq!(error.code(), Code::InvalidArgument, "{} {error:?}", method.path);
        assert_eq!(error.violations()[0].field, format!("/{}", field.name()), "{}", method.path);
    }
}
