//! Any message encoded for any revision is valid according to the schema of the revision, contains no
//! unsupported features, and decodes to the same value.

use ferromcp_core::Method;
use ferromcp_core::model::{InputRequired, Items};
use ferromcp_core::wire::{FromClient, FromServer};
use ferromcp_core::{
    ClientNotification, ClientRequest, ClientResult, Error, RawJson, RequestId, Revision, ServerNotification,
    ServerRequest, ServerResult,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

use crate::definitions::result_of_method;
use crate::downgrade::unsupported_features;
use crate::official::Official;
use crate::strategies::elicit::ElicitPeer;
use crate::strategies::{Fill, MethodJson, basic, client, server};
use crate::wire::{self, Out, difference};

/// The number of messages of each kind per revision and fill.
const CASES: u32 = 192;

/// Runs `test` with many values, and panics with the report of proptest.
pub(crate) fn try_many<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4096, ..Config::default() };
    if let Err(failure) = TestRunner::new(config).run(strategy, test) {
        panic!("{failure}");
    }
}

/// Calls `test` for each revision with a suitable fill. The flag is `true` if the encoded message must equal
/// the decoded one, because no feature has to be removed.
fn for_each_peer(mut test: impl FnMut(Revision, Fill, bool)) {
    for revision in Revision::ALL {
        test(revision, Fill::Both, false);
    }
    test(Revision::LATEST_LEGACY, Fill::Legacy, true);
    test(Revision::LATEST, Fill::Modern, true);
}

fn known(table: &[Method], method: &str, revision: Revision) -> bool {
    table.iter().any(|known| known.name == method && known.exists_in(revision))
}

fn check(fine: bool, why: impl FnOnce() -> String) -> Result<(), TestCaseError> {
    if fine { Ok(()) } else { Err(TestCaseError::fail(why())) }
}

/// Whether the written message is valid and unsupported. `of` is the part of it that `definition` is for.
fn check_message(revision: Revision, definition: &str, of: &str, written: &Value) -> Result<(), TestCaseError> {
    let part = if of.is_empty() { written } else { &written[of] };
    if let Some(schema) = Official::of(revision, "validity in the properties of schema_validity.rs") {
        let validation_errors = schema.validation_errors(definition, part);
        check(validation_errors.is_empty(), || format!("{validation_errors}\nin {written}"))?;
        let validation_errors = schema.validation_errors("JSONRPCMessage", written);
        check(validation_errors.is_empty(), || format!("{validation_errors}\nin {written}"))?;
    }
    let unsupported_features = unsupported_features(revision, written);
    check(unsupported_features.is_empty(), || format!("{unsupported_features:?}\nin {written}"))
}

fn same(ours: &Value, theirs: &Value) -> Result<(), TestCaseError> {
    match difference(ours, theirs) {
        None => Ok(()),
        Some(difference) => Err(TestCaseError::fail(format!("{difference}\nin {ours}"))),
    }
}

fn raw(json: &Value) -> RawJson {
    RawJson::parse(json.to_string()).unwrap()
}

fn definition_of(revision: Revision, method: &str) -> String {
    let schema = Official::of(revision, "validity in the properties of schema_validity.rs");
    schema.map_or_else(String::new, |schema| schema.message(method).unwrap_or_else(|| panic!("{method}")).to_owned())
}

#[test]
fn encodes_valid_client_requests_for_any_revision() {
    // M26-002, M26-003, M26-051, M26-052, M26-053, M26-264, M26-280, S-001, S-004, S-007, S-038, S-297, S-307, S-323
    for_each_peer(|revision, fill, exact| {
        try_many(CASES, &(basic::id(), client::request(fill)), |(id, (method, params))| {
            if !known(ClientRequest::METHODS, method, revision) {
                return Ok(());
            }
            let sent = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
            let (id, request) = wire::client_request(&sent);
            let written = Out::ClientRequest(id.clone(), request.clone()).write(revision, None);
            check_message(revision, &definition_of(revision, method), "", &written)?;
            let (again_id, again) = wire::client_request(&written);
            prop_assert_eq!(&again_id, &id);
            same(&Out::ClientRequest(id, again.clone()).write(revision, None), &written)?;
            if exact {
                prop_assert_eq!(again, request);
                if params != json!({}) {
                    same(&written["params"], &params)?;
                }
            }
            Ok(())
        });
    });
}

#[test]
fn encodes_valid_client_notifications_for_any_revision() {
    // M26-020, M26-280, S-013, S-209, S-214, S-215
    for revision in Revision::ALL {
        try_many(CASES, &client::notification(), |(method, params)| {
            if !known(ClientNotification::METHODS, method, revision) {
                return Ok(());
            }
            let notification =
                wire::client_notification(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
            let written = Out::ClientNotification(notification.clone()).write(revision, None);
            check_message(revision, &definition_of(revision, method), "", &written)?;
            check(written.get("id").is_none(), || "a notification with an id".into())?;
            let again = wire::client_notification(&written);
            if revision > Revision::V2024_11_05 {
                prop_assert_eq!(again, notification);
            }
            Ok(())
        });
    }
}

#[test]
fn encodes_valid_client_results_for_any_revision() {
    // S-007, S-010, S-011, S-389, S-390, S-392, S-435
    for revision in Revision::ALL.into_iter().filter(|revision| !revision.is_modern()) {
        for fill in [Fill::Legacy, Fill::Both] {
            let several = revision >= Revision::V2025_11_25;
            try_many(CASES, &(basic::id(), client::result(fill, several)), |(id, (method, result))| {
                if !known(ServerRequest::METHODS, method, revision) {
                    return Ok(());
                }
                let id: RequestId = raw(&id).decode().unwrap();
                let ours = ClientResult::decode(method, &raw(&result)).unwrap();
                let written = Out::ClientResult(id.clone(), ours.clone()).write(revision, None);
                check_message(revision, result_of_method(method), "result", &written)?;
                let (again_id, outcome) = wire::response::<FromClient>(&written);
                prop_assert_eq!(again_id, Some(id));
                let again = ClientResult::decode(method, &outcome.unwrap()).unwrap();
                if fill == Fill::Legacy && revision == Revision::LATEST_LEGACY {
                    prop_assert_eq!(again, ours);
                    same(&written["result"], &result)?;
                }
                Ok(())
            });
        }
    }
}

/// Returns the same result with a shared page, or `None` if the result is not a page.
fn shared_page(mut result: ServerResult) -> Option<ServerResult> {
    match &mut result {
        ServerResult::ListTools(list) => list.tools = Items::shared(list.tools.to_mut().clone()),
        ServerResult::ListResources(list) => list.resources = Items::shared(list.resources.to_mut().clone()),
        ServerResult::ListResourceTemplates(list) => {
            list.resource_templates = Items::shared(list.resource_templates.to_mut().clone());
        }
        ServerResult::ListPrompts(list) => list.prompts = Items::shared(list.prompts.to_mut().clone()),
        _ => return None,
    }
    Some(result)
}

#[test]
fn encodes_valid_server_results_for_any_revision() {
    // M26-006, M26-007, M26-008, M26-057, M26-084, M26-086, M26-275, M26-320, M26-321, M26-332, M26-337, M26-377,
    // M26-440, M26-450, S-007, S-010, S-011, S-232, S-243, S-244, S-245, S-246, S-251, S-288, S-289, S-290, S-350
    let info = RawJson::parse(r#"{"name":"s","version":"1"}"#).unwrap();
    for_each_peer(|revision, fill, exact| {
        try_many(CASES, &(basic::id(), server::result(fill)), |(id, (method, result))| {
            if !known(ClientRequest::METHODS, method, revision) {
                return Ok(());
            }
            let id: RequestId = raw(&id).decode().unwrap();
            let ours = ServerResult::decode(method, &raw(&result)).unwrap();
            let written = Out::ServerResult(id.clone(), ours.clone()).write(revision, None);
            check_message(revision, result_of_method(method), "result", &written)?;
            let with_info = Out::ServerResult(id.clone(), ours.clone()).write(revision, Some(&info));
            check_message(revision, result_of_method(method), "result", &with_info)?;
            let server_info = with_info["result"]["_meta"].get("io.modelcontextprotocol/serverInfo");
            prop_assert_eq!(server_info.is_some(), revision.is_modern());
            let (again_id, outcome) = wire::response::<FromServer>(&written);
            prop_assert_eq!(again_id, Some(id.clone()));
            let again = ServerResult::decode(method, &outcome.unwrap()).unwrap();
            if exact {
                prop_assert_eq!(&again, &ours);
                let mut expected = result;
                if revision.is_modern() {
                    expected["resultType"] = json!("complete");
                }
                same(&written["result"], &expected)?;
            }
            // A shared page is encoded like an owned page, also when its text is cached.
            if let Some(shared) = shared_page(ours) {
                for _ in 0..2 {
                    same(&Out::ServerResult(id.clone(), shared.clone()).write(revision, None), &written)?;
                }
            }
            same(&Out::ServerResult(id, again).write(revision, None), &written)
        });
    });
}

#[test]
fn encodes_valid_result_when_call_becomes_task() {
    // S-494
    try_many(CASES, &server::create_task(), |result| {
        let ours = ServerResult::decode("tools/call", &raw(&result)).unwrap();
        prop_assert!(matches!(ours, ServerResult::CreateTask(_)));
        let written = Out::ServerResult(1.into(), ours).write(Revision::LATEST_LEGACY, None);
        check_message(Revision::LATEST_LEGACY, "CreateTaskResult", "result", &written)?;
        same(&written["result"], &result)
    });
}

#[test]
fn encodes_valid_input_required_results() {
    // M26-238, M26-240, M26-441, M26-482, M26-484, M26-485, M26-486, M26-487, M26-489
    for fill in [Fill::Modern, Fill::Both] {
        try_many(CASES, &server::input_required(fill), |result| {
            let ours: InputRequired = raw(&result).decode().unwrap();
            let written = Out::InputRequired(1.into(), ours.clone()).write(Revision::LATEST, None);
            check_message(Revision::LATEST, "InputRequiredResult", "result", &written)?;
            prop_assert_eq!(&written["result"]["resultType"], "input_required");
            prop_assert!(written["result"].get("ttlMs").is_none());
            if fill == Fill::Modern {
                let again: InputRequired = raw(&written["result"]).decode().unwrap();
                prop_assert_eq!(again, ours);
                let mut expected = result;
                expected["resultType"] = json!("input_required");
                same(&written["result"], &expected)?;
            }
            Ok(())
        });
    }
}

#[test]
fn encodes_valid_server_requests_for_any_revision() {
    // S-001, S-004, S-389, S-390, S-391, S-428, S-429
    for revision in Revision::ALL.into_iter().filter(|revision| !revision.is_modern()) {
        for fill in [Fill::Legacy, Fill::Both] {
            // URL elicitation is never sent to a client without this capability.
            let peer = if revision < Revision::V2025_11_25 { ElicitPeer::FormOnly } else { ElicitPeer::Legacy };
            try_many(
                CASES,
                &(basic::id(), server::request(fill, peer)),
                |(id, (method, params)): (Value, MethodJson)| {
                    if !known(ServerRequest::METHODS, method, revision) {
                        return Ok(());
                    }
                    let sent = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
                    let (id, request) = wire::server_request(&sent);
                    let written = Out::ServerRequest(id.clone(), request.clone()).write(revision, None);
                    check_message(revision, &definition_of(revision, method), "", &written)?;
                    let (again_id, again) = wire::server_request(&written);
                    prop_assert_eq!(again_id, id);
                    if fill == Fill::Legacy && revision == Revision::LATEST_LEGACY {
                        prop_assert_eq!(again, request);
                        same(&written["params"], &params)?;
                    }
                    Ok(())
                },
            );
        }
    }
}

#[test]
fn encodes_valid_server_notifications_for_any_revision() {
    // M26-020, M26-271, M26-272, M26-280, S-013, S-209, S-215, S-328
    for revision in Revision::ALL {
        try_many(CASES, &server::notification(), |(method, params)| {
            if !known(ServerNotification::METHODS, method, revision) {
                return Ok(());
            }
            let notification =
                wire::server_notification(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
            let written = Out::ServerNotification(notification.clone()).write(revision, None);
            check_message(revision, &definition_of(revision, method), "", &written)?;
            check(written.get("id").is_none(), || "a notification with an id".into())?;
            if revision > Revision::V2024_11_05 {
                prop_assert_eq!(wire::server_notification(&written), notification);
                same(&written["params"], &params)?;
            }
            Ok(())
        });
    }
}

#[test]
fn encodes_valid_errors_for_any_revision() {
    // M26-014, M26-015, M26-016, M26-017, M26-024, M26-027, M26-029, M26-030, M26-063, S-008, S-009, S-018, S-019,
    // S-021, S-022
    for revision in Revision::ALL {
        try_many(CASES, &(basic::id(), server::error()), |(id, error)| {
            let ours: Error = raw(&error).decode().unwrap();
            let id: RequestId = raw(&id).decode().unwrap();
            let written = Out::Error(Some(id.clone()), ours.clone()).write(revision, None);
            let definition = match (revision, written["error"]["code"].as_i64()) {
                (Revision::V2026_07_28, Some(-32020)) => "HeaderMismatchError",
                (Revision::V2026_07_28, Some(-32021)) => "MissingRequiredClientCapabilityError",
                (Revision::V2026_07_28, Some(-32022)) => "UnsupportedProtocolVersionError",
                (Revision::V2025_11_25, Some(-32042)) => "URLElicitationRequiredError",
                (Revision::V2026_07_28 | Revision::V2025_11_25, _) => "JSONRPCErrorResponse",
                _ => "JSONRPCError",
            };
            check_message(revision, definition, "", &written)?;
            let (again_id, outcome) = wire::response::<FromServer>(&written);
            prop_assert_eq!(again_id, Some(id));
            let again = outcome.unwrap_err();
            prop_assert_eq!((&again.message, &again.data), (&ours.message, &ours.data));
            if server::CODES.contains(&ours.code.0) {
                prop_assert_eq!(again.code, ours.code);
            }
            // An unreadable id is omitted, never null. Older schemas do not allow errors without id.
            let without = Out::Error(None, ours).write(revision, None);
            prop_assert!(without.get("id").is_none());
            if revision >= Revision::V2025_11_25 {
                check_message(revision, definition, "", &without)?;
            }
            Ok(())
        });
    }
}
