//! Which of our types, or which way through the wire, stands for each official definition.
//!
//! Used with the official examples and with instances made from the schemas; both must know every
//! name they meet, so that nothing is passed over in silence.

use ferromcp_core::model::*;
use ferromcp_core::{
    ClientRequest, ClientResult, Error, FromServer, Meta, ProgressToken, RawJson, RawMap, RequestId, RequestMeta,
    Revision, ServerResult, Str,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::official::Official;
use crate::wire::{self, Out};

/// Reads `instance` as what the definition `name` is with us, and writes it again for a peer of the
/// schema's revision; `None` when the name is not known here.
pub(crate) fn round_trip(schema: &Official, name: &str, instance: &Value) -> Option<Value> {
    object(name, instance)
        .or_else(|| result(schema, name, instance))
        .or_else(|| error(schema.revision, name, instance))
        .or_else(|| message(schema, name, instance))
}

/// Definitions that are nothing by themselves, with why.
pub(crate) const NOT_BY_THEMSELVES: &[(&str, &str)] = &[
    ("BaseMetadata", "a base; its fields are in those that extend it"),
    ("CacheableResult", "a base"),
    ("Icons", "a base"),
    ("ResourceContents", "a base of text and blob contents; alone it has no body"),
    ("Request", "a base"),
    ("Notification", "a base"),
    ("Result", "a base, open to any member"),
    ("EmptyResult", "the base under another name; our EmptyResult keeps its `_meta`"),
    ("PaginatedRequest", "a base"),
    ("PaginatedResult", "a base"),
    ("TaskAugmentedRequestParams", "a base"),
    ("InputResponseRequestParams", "a base"),
    ("ClientRequest", "a union of definitions that are looked at themselves"),
    ("ClientNotification", "a union"),
    ("ClientResult", "a union"),
    ("ServerRequest", "a union"),
    ("ServerNotification", "a union"),
    ("ServerResult", "a union"),
    ("JSONRPCMessage", "a union"),
    ("JSONRPCResponse", "a union"),
    ("JSONRPCRequest", "the envelope of requests, which are looked at themselves"),
    ("JSONRPCNotification", "the envelope of notifications"),
    ("JSONRPCResultResponse", "the envelope of results"),
    ("ResultType", "the envelope's matter: two constants"),
];

fn through<T: DeserializeOwned + Serialize>(instance: &Value) -> Value {
    let text = instance.to_string();
    let ours: T = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{} does not read {text}: {error}", std::any::type_name::<T>()));
    serde_json::from_str(&serde_json::to_string(&ours).unwrap()).unwrap()
}

/// Plain objects: serde alone.
fn object(name: &str, v: &Value) -> Option<Value> {
    Some(match name {
        "Annotations" => through::<Annotations>(v),
        "TextContent" | "ImageContent" | "AudioContent" => {
            assert_eq!(through::<SamplingContent>(v), through::<ContentBlock>(v));
            through::<ContentBlock>(v)
        }
        "ResourceLink" | "EmbeddedResource" | "ContentBlock" => through::<ContentBlock>(v),
        "ToolUseContent" | "ToolResultContent" | "SamplingMessageContentBlock" => through::<SamplingContent>(v),
        "TextResourceContents" | "BlobResourceContents" => through::<ResourceContents>(v),
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
        | "PrimitiveSchemaDefinition" => through::<PrimitiveSchema>(v),
        "ClientCapabilities" => through::<ClientCapabilities>(v),
        "ServerCapabilities" => through::<ServerCapabilities>(v),
        "Implementation" => through::<Implementation>(v),
        "Icon" => through::<Icon>(v),
        "ModelHint" => through::<ModelHint>(v),
        "ModelPreferences" => through::<ModelPreferences>(v),
        "Prompt" => through::<Prompt>(v),
        "PromptArgument" => through::<PromptArgument>(v),
        "PromptMessage" => through::<PromptMessage>(v),
        "PromptReference" | "ResourceTemplateReference" => through::<Reference>(v),
        "Resource" => through::<Resource>(v),
        "ResourceTemplate" => through::<ResourceTemplate>(v),
        "Root" => through::<Root>(v),
        "Role" => through::<Role>(v),
        "SamplingMessage" => through::<SamplingMessage>(v),
        "Tool" => through::<Tool>(v),
        "ToolAnnotations" => through::<ToolAnnotations>(v),
        "ToolChoice" => through::<ToolChoice>(v),
        "ToolExecution" => through::<ToolExecution>(v),
        "LoggingLevel" => through::<LogLevel>(v),
        "RequestId" => through::<RequestId>(v),
        "ProgressToken" => through::<ProgressToken>(v),
        "Cursor" => through::<Str>(v),
        "SubscriptionFilter" => through::<SubscriptionFilter>(v),
        "Task" | "TaskStatusNotificationParams" => through::<Task>(v),
        "TaskMetadata" => through::<TaskMetadata>(v),
        "TaskStatus" => through::<TaskStatus>(v),
        "RelatedTaskMetadata" => through::<TaskIdParams>(v),
        "RequestMetaObject" => through::<RequestMeta>(v),
        "MetaObject" | "NotificationMetaObject" | "ResultMetaObject" | "SubscriptionsListenResultMetaObject" => {
            through::<Meta>(v)
        }
        "InputRequest" => through::<InputRequest>(v),
        "InputRequests" => through::<InputRequired>(&json!({ "inputRequests": v }))["inputRequests"].clone(),
        "InputResponse" => input_response(v),
        "InputResponses" => {
            v.as_object()?.values().for_each(|answer| assert_eq!(&input_response(answer), answer));
            through::<RawMap>(v)
        }
        "JSONObject" => through::<RawMap>(v),
        "JSONArray" | "JSONValue" => through::<RawJson>(v),
        _ => return params(name, v),
    })
}

/// The answers' types are told by the question; here by what only one of them has.
fn input_response(v: &Value) -> Value {
    if v.get("action").is_some() {
        through::<ElicitResult>(v)
    } else if v.get("roots").is_some() {
        through::<ListRootsResult>(v)
    } else {
        through::<CreateMessageResult>(v)
    }
}

fn params(name: &str, v: &Value) -> Option<Value> {
    Some(match name {
        "CallToolRequestParams" => through::<CallToolParams>(v),
        "CancelledNotificationParams" => through::<CancelledParams>(v),
        "CompleteRequestParams" => through::<CompleteParams>(v),
        "CreateMessageRequestParams" => through::<CreateMessageParams>(v),
        "ElicitRequestFormParams" | "ElicitRequestURLParams" | "ElicitRequestParams" => through::<ElicitParams>(v),
        "GetPromptRequestParams" => through::<GetPromptParams>(v),
        "InitializeRequestParams" => through::<InitializeParams>(v),
        "LoggingMessageNotificationParams" => through::<LogMessageParams>(v),
        "NotificationParams" => through::<NotificationParams>(v),
        "PaginatedRequestParams" => through::<ListParams>(v),
        "ProgressNotificationParams" => through::<ProgressParams>(v),
        "ReadResourceRequestParams" => through::<ReadResourceParams>(v),
        "RequestParams" => through::<EmptyParams>(v),
        "ResourceRequestParams" | "SubscribeRequestParams" | "UnsubscribeRequestParams" => {
            through::<ResourceUriParams>(v)
        }
        "ResourceUpdatedNotificationParams" => through::<ResourceUpdatedParams>(v),
        "SetLevelRequestParams" => through::<SetLevelParams>(v),
        "SubscriptionsAcknowledgedNotificationParams" => through::<AcknowledgedParams>(v),
        "SubscriptionsListenRequestParams" => through::<ListenParams>(v),
        _ => return None,
    })
}

/// The method whose plain result a definition is.
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

/// The definition of the result of a method; the opposite of [`method_of_result`].
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

/// Results: by method, out through the wire in the revision's dress.
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
        return Some(input_response(v)); // bare, among the answers of a retry
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

/// Requests, notifications and responses, whole.
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
        return Some(through::<InputRequest>(v)); // what a modern server asks in an answer
    }
    let from_client = |name| ClientRequest::METHODS.iter().any(|known| known.name == name);
    Some(if name.ends_with("Notification") {
        if is_client_notification(method) {
            let said = wire::client_notification(v);
            Out::ClientNotification(said).write(revision, None)
        } else {
            let said = wire::server_notification(v);
            Out::ServerNotification(said).write(revision, None)
        }
    } else if from_client(method) {
        let (id, request) = wire::client_request(v);
        let written = Out::ClientRequest(id, request).write(revision, None);
        if matches!(method, "ping" | "tasks/get" | "tasks/result" | "tasks/list" | "tasks/cancel") {
            let (id, request) = wire::server_request(v); // either side may ask this
            assert_eq!(Out::ServerRequest(id, request).write(revision, None), written);
        }
        written
    } else {
        let (id, request) = wire::server_request(v);
        Out::ServerRequest(id, request).write(revision, None)
    })
}

fn is_client_notification(method: &str) -> bool {
    // What both may say is checked in both directions by the properties; here the client's will do.
    ferromcp_core::ClientNotification::METHODS.iter().any(|known| known.name == method)
        && method != "notifications/progress"
}
