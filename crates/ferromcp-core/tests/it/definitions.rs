//! Maps each official definition to a type of this crate, or to a round trip through the wire format.
//!
//! Used with the official examples and with instances generated from the schemas. Both fail on
//! unknown definition names, so that no definition is skipped silently.

use ferromcp_core::model::*;
use ferromcp_core::wire::FromServer;
use ferromcp_core::{
    ClientRequest, ClientResult, Error, Meta, ProgressToken, RawJson, RawMap, RequestId, RequestMeta, Revision,
    ServerResult, Str,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::official::Official;
use crate::wire::{self, Out};

/// Decodes `instance` as the type of the definition `name`, and encodes it again for a peer of the
/// schema's revision. Returns `None` if the name is unknown.
pub(crate) fn round_trip(schema: &Official, name: &str, instance: &Value) -> Option<Value> {
    object(name, instance)
        .or_else(|| result(schema, name, instance))
        .or_else(|| error(schema.revision, name, instance))
        .or_else(|| message(schema, name, instance))
}

/// Definitions without a separate type, with the reason.
pub(crate) const WITHOUT_TYPE: &[(&str, &str)] = &[
    ("BaseMetadata", "a base; its fields are part of derived definitions"),
    ("CacheableResult", "a base"),
    ("Icons", "a base"),
    ("ResourceContents", "a base of text and blob contents, without a body"),
    ("Request", "a base"),
    ("Notification", "a base"),
    ("Result", "a base with any members"),
    ("EmptyResult", "an alias of the base; `EmptyResult` has only `_meta`"),
    ("PaginatedRequest", "a base"),
    ("PaginatedResult", "a base"),
    ("TaskAugmentedRequestParams", "a base"),
    ("InputResponseRequestParams", "a base"),
    ("ClientRequest", "a union of definitions that are tested separately"),
    ("ClientNotification", "a union"),
    ("ClientResult", "a union"),
    ("ServerRequest", "a union"),
    ("ServerNotification", "a union"),
    ("ServerResult", "a union"),
    ("JSONRPCMessage", "a union"),
    ("JSONRPCResponse", "a union"),
    ("JSONRPCRequest", "the envelope of requests, which are tested separately"),
    ("JSONRPCNotification", "the envelope of notifications"),
    ("JSONRPCResultResponse", "the envelope of results"),
    ("ResultType", "part of the envelope: two constants"),
];

fn round_trip_as<T: DeserializeOwned + Serialize>(instance: &Value) -> Value {
    let text = instance.to_string();
    let ours: T = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{} does not read {text}: {error}", std::any::type_name::<T>()));
    serde_json::from_str(&serde_json::to_string(&ours).unwrap()).unwrap()
}

/// Plain objects, handled by serde only.
fn object(name: &str, v: &Value) -> Option<Value> {
    Some(match name {
        "Annotations" => round_trip_as::<Annotations>(v),
        "TextContent" | "ImageContent" | "AudioContent" => {
            assert_eq!(round_trip_as::<SamplingContent>(v), round_trip_as::<ContentBlock>(v));
            round_trip_as::<ContentBlock>(v)
        }
        "ResourceLink" | "EmbeddedResource" | "ContentBlock" => round_trip_as::<ContentBlock>(v),
        "ToolUseContent" | "ToolResultContent" | "SamplingMessageContentBlock" => round_trip_as::<SamplingContent>(v),
        "TextResourceContents" | "BlobResourceContents" => round_trip_as::<ResourceContents>(v),
        "BooleanSchema"
        | "NumberSchema"
        | "StringSchema"
        | "EnumSchema"
        | "LegacyTitledEnumSchema"
        | "SingleSelectEnumSchema"
        | "MultiSelectEnumSchema"
        | "TitledSingleSelectEnumSchema"
        | "UntitledSingleSelectEnumSchema"
        | "TitledMultiSelectEnumSchema"
        | "UntitledMultiSelectEnumSchema"
        | "PrimitiveSchemaDefinition" => round_trip_as::<PrimitiveSchema>(v),
        "ClientCapabilities" => round_trip_as::<ClientCapabilities>(v),
        "ServerCapabilities" => round_trip_as::<ServerCapabilities>(v),
        "Implementation" => round_trip_as::<Implementation>(v),
        "Icon" => round_trip_as::<Icon>(v),
        "ModelHint" => round_trip_as::<ModelHint>(v),
        "ModelPreferences" => round_trip_as::<ModelPreferences>(v),
        "Prompt" => round_trip_as::<PromptDefinition>(v),
        "PromptArgument" => round_trip_as::<PromptArgument>(v),
        "PromptMessage" => round_trip_as::<PromptMessage>(v),
        "PromptReference" | "ResourceTemplateReference" => round_trip_as::<Reference>(v),
        "Resource" => round_trip_as::<ResourceDefinition>(v),
        "ResourceTemplate" => round_trip_as::<ResourceTemplate>(v),
        "Root" => round_trip_as::<Root>(v),
        "Role" => round_trip_as::<Role>(v),
        "SamplingMessage" => round_trip_as::<SamplingMessage>(v),
        "Tool" => round_trip_as::<ToolDefinition>(v),
        "ToolAnnotations" => round_trip_as::<ToolAnnotations>(v),
        "ToolChoice" => round_trip_as::<ToolChoice>(v),
        "ToolExecution" => round_trip_as::<ToolExecution>(v),
        "LoggingLevel" => round_trip_as::<LogLevel>(v),
        "RequestId" => round_trip_as::<RequestId>(v),
        "ProgressToken" => round_trip_as::<ProgressToken>(v),
        "Cursor" => round_trip_as::<Str>(v),
        "SubscriptionFilter" => round_trip_as::<SubscriptionFilter>(v),
        "Task" | "TaskStatusNotificationParams" => round_trip_as::<Task>(v),
        "TaskMetadata" => round_trip_as::<TaskMetadata>(v),
        "TaskStatus" => round_trip_as::<TaskStatus>(v),
        "RelatedTaskMetadata" => round_trip_as::<TaskIdParams>(v),
        "RequestMetaObject" => round_trip_as::<RequestMeta>(v),
        "MetaObject" | "NotificationMetaObject" | "ResultMetaObject" | "SubscriptionsListenResultMetaObject" => {
            round_trip_as::<Meta>(v)
        }
        "InputRequest" => round_trip_as::<InputRequest>(v),
        "InputRequests" => round_trip_as::<InputRequired>(&json!({ "inputRequests": v }))["inputRequests"].clone(),
        "InputResponse" => input_response(v),
        "InputResponses" => {
            v.as_object()?.values().for_each(|answer| assert_eq!(&input_response(answer), answer));
            round_trip_as::<RawMap>(v)
        }
        "JSONObject" => round_trip_as::<RawMap>(v),
        "JSONArray" | "JSONValue" => round_trip_as::<RawJson>(v),
        _ => return params(name, v),
    })
}

/// The type of a response depends on its request; here it is detected by distinctive fields.
fn input_response(v: &Value) -> Value {
    if v.get("action").is_some() {
        round_trip_as::<ElicitResult>(v)
    } else if v.get("roots").is_some() {
        round_trip_as::<ListRootsResult>(v)
    } else {
        round_trip_as::<CreateMessageResult>(v)
    }
}

fn params(name: &str, v: &Value) -> Option<Value> {
    Some(match name {
        "CallToolRequestParams" => round_trip_as::<CallToolParams>(v),
        "CancelledNotificationParams" => round_trip_as::<CancelledParams>(v),
        "CompleteRequestParams" => round_trip_as::<CompleteParams>(v),
        "CreateMessageRequestParams" => round_trip_as::<CreateMessageParams>(v),
        "ElicitRequestFormParams" | "ElicitRequestURLParams" | "ElicitRequestParams" => {
            round_trip_as::<ElicitParams>(v)
        }
        "GetPromptRequestParams" => round_trip_as::<GetPromptParams>(v),
        "InitializeRequestParams" => round_trip_as::<InitializeParams>(v),
        "LoggingMessageNotificationParams" => round_trip_as::<LogMessageParams>(v),
        "NotificationParams" => round_trip_as::<NotificationParams>(v),
        "PaginatedRequestParams" => round_trip_as::<ListParams>(v),
        "ProgressNotificationParams" => round_trip_as::<ProgressParams>(v),
        "ReadResourceRequestParams" => round_trip_as::<ReadResourceParams>(v),
        "RequestParams" => round_trip_as::<EmptyParams>(v),
        "ResourceRequestParams" | "SubscribeRequestParams" | "UnsubscribeRequestParams" => {
            round_trip_as::<ResourceUriParams>(v)
        }
        "ResourceUpdatedNotificationParams" => round_trip_as::<ResourceUpdatedParams>(v),
        "SetLevelRequestParams" => round_trip_as::<SetLevelParams>(v),
        "SubscriptionsAcknowledgedNotificationParams" => round_trip_as::<AcknowledgedParams>(v),
        "SubscriptionsListenRequestParams" => round_trip_as::<ListenParams>(v),
        _ => return None,
    })
}

/// Returns the method with this definition as its result.
pub(crate) fn method_of_result(name: &str) -> Option<&'static str> {
    Some(match name {
        "InitializeResult" => "initialize",
        "DiscoverResult" => "server/discover",
        "ListToolsResult" => "tools/list",
        "CallToolResult" | "CreateTaskResult" => "tools/call",
        "ListResourcesResult" => "resources/list",
        "ListResourceTemplatesResult" => "resources/templates/list",
        "ReadResourceResult" => "resources/read",
        "ListPromptsResult" => "prompts/list",
        "GetPromptResult" => "prompts/get",
        "CompleteResult" => "completion/complete",
        "SubscriptionsListenResult" => "subscriptions/listen",
        "GetTaskResult" => "tasks/get",
        "CancelTaskResult" => "tasks/cancel",
        "GetTaskPayloadResult" => "tasks/result",
        "ListTasksResult" => "tasks/list",
        "CreateMessageResult" => "sampling/createMessage",
        "ListRootsResult" => "roots/list",
        "ElicitResult" => "elicitation/create",
        _ => return None,
    })
}

/// Returns the definition of the result of a method, the inverse of [`method_of_result`].
pub(crate) fn result_of_method(method: &str) -> &'static str {
    const ALL: [&str; 17] = [
        "InitializeResult",
        "DiscoverResult",
        "ListToolsResult",
        "CallToolResult",
        "ListResourcesResult",
        "ListResourceTemplatesResult",
        "ReadResourceResult",
        "ListPromptsResult",
        "GetPromptResult",
        "CompleteResult",
        "SubscriptionsListenResult",
        "GetTaskResult",
        "CancelTaskResult",
        "GetTaskPayloadResult",
        "ListTasksResult",
        "CreateMessageResult",
        "ListRootsResult",
    ];
    match method {
        "elicitation/create" => "ElicitResult",
        _ => ALL.into_iter().find(|name| method_of_result(name) == Some(method)).unwrap_or("EmptyResult"),
    }
}

fn raw(v: &Value) -> RawJson {
    RawJson::parse(v.to_string()).unwrap()
}

/// Results, decoded by method and encoded for the revision.
fn result(schema: &Official, name: &str, v: &Value) -> Option<Value> {
    let id = RequestId::from(1);
    let revision = schema.revision;
    if name == "InputRequiredResult" {
        let required = raw(v).decode().unwrap();
        return Some(Out::InputRequired(id, required).write(revision, None)["result"].clone());
    }
    let method = method_of_result(name)?;
    let of_client = matches!(name, "CreateMessageResult" | "ListRootsResult" | "ElicitResult");
    if of_client && revision.is_modern() {
        return Some(input_response(v)); // without envelope, as an input response
    }
    let written = if of_client {
        Out::ClientResult(id, ClientResult::decode(method, &raw(v)).unwrap()).write(revision, None)
    } else {
        Out::ServerResult(id, ServerResult::decode(method, &raw(v)).unwrap()).write(revision, None)
    };
    Some(written["result"].clone())
}

fn error(revision: Revision, name: &str, v: &Value) -> Option<Value> {
    Some(match name {
        // Bare errors.
        "Error"
        | "ParseError"
        | "InvalidRequestError"
        | "MethodNotFoundError"
        | "InvalidParamsError"
        | "InternalError" => {
            let error: Error = raw(v).decode().unwrap();
            Out::Error(None, error).write(revision, None)["error"].clone()
        }
        // Whole responses.
        "JSONRPCErrorResponse"
        | "HeaderMismatchError"
        | "MissingRequiredClientCapabilityError"
        | "UnsupportedProtocolVersionError"
        | "URLElicitationRequiredError" => {
            let (id, outcome) = wire::response::<FromServer>(v);
            Out::Error(id, outcome.unwrap_err()).write(revision, None)
        }
        _ => return None,
    })
}

/// Complete requests, notifications and responses.
fn message(schema: &Official, name: &str, v: &Value) -> Option<Value> {
    let revision = schema.revision;
    if let Some(result_name) = name.strip_suffix("Response") {
        let method = method_of_result(result_name)?;
        let (id, outcome) = wire::response::<FromServer>(v);
        let result = outcome.unwrap();
        let id = id.unwrap();
        let out = if v["result"]["resultType"] == "input_required" {
            Out::InputRequired(id, result.decode().unwrap())
        } else {
            Out::ServerResult(id, ServerResult::decode(method, &result).unwrap())
        };
        return Some(out.write(revision, None));
    }
    if !schema.has(name) {
        return None;
    }
    let definition = schema.definition(name);
    let method = definition["properties"]["method"]["const"].as_str()?;
    if definition["properties"].get("jsonrpc").is_none() {
        return Some(round_trip_as::<InputRequest>(v)); // an input request of a modern server
    }
    let from_client = |name| ClientRequest::METHODS.iter().any(|known| known.name == name);
    Some(if name.ends_with("Notification") {
        if is_client_notification(method) {
            let notification = wire::client_notification(v);
            Out::ClientNotification(notification).write(revision, None)
        } else {
            let notification = wire::server_notification(v);
            Out::ServerNotification(notification).write(revision, None)
        }
    } else if from_client(method) {
        let (id, request) = wire::client_request(v);
        let written = Out::ClientRequest(id, request).write(revision, None);
        if matches!(method, "ping" | "tasks/get" | "tasks/result" | "tasks/list" | "tasks/cancel") {
            let (id, request) = wire::server_request(v); // both sides can send this request
            assert_eq!(Out::ServerRequest(id, request).write(revision, None), written);
        }
        written
    } else {
        let (id, request) = wire::server_request(v);
        Out::ServerRequest(id, request).write(revision, None)
    })
}

fn is_client_notification(method: &str) -> bool {
    // Notifications of both sides are tested in both directions elsewhere; here the client direction suffices.
    ferromcp_core::ClientNotification::METHODS.iter().any(|known| known.name == method)
        && method != "notifications/progress"
}
