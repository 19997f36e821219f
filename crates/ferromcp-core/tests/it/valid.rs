//! Any message, written for any revision, is what that revision's schema says, spares the peer what
//! it does not know, and is read as the same again.

use ferromcp_core::methods::Method;
use ferromcp_core::model::{InputRequired, Items};
use ferromcp_core::{
    ClientNotification, ClientRequest, ClientResult, Error, FromClient, FromServer, RawJson, RequestId, Revision,
    ServerNotification, ServerRequest, ServerResult,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

use crate::kinds::result_of_method;
use crate::official::Official;
use crate::polite::impolite;
use crate::strategies::elicit::Asked;
use crate::strategies::{Fill, Said, basic, client, server};
use crate::wire::{self, Out, difference};

/// How many messages of a kind are tried for each revision and fill.
const CASES: u32 = 192;

/// Tries `test` on many values; proptest's own way of saying what failed.
pub(crate) fn try_many<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4096, ..Config::default() };
    if let Err(failure) = TestRunner::new(config).run(strategy, test) {
        panic!("{failure}");
    }
}

/// For each revision and each fill that makes sense for it. The flag says whether what is written is
/// to be exactly what was read: so it is where nothing has to be taken out.
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

/// Whether the written message is valid and polite. `of` is the part of it that `definition` is for.
fn proper(revision: Revision, definition: &str, of: &str, written: &Value) -> Result<(), TestCaseError> {
    let part = if of.is_empty() { written } else { &written[of] };
    if let Some(schema) = Official::of(revision, "validity in the properties of valid.rs") {
        let complaints = schema.complaints(definition, part);
        check(complaints.is_empty(), || format!("{complaints}\nin {written}"))?;
        let complaints = schema.complaints("JSONRPCMessage", written);
        check(complaints.is_empty(), || format!("{complaints}\nin {written}"))?;
    }
    let impolite = impolite(revision, written);
    check(impolite.is_empty(), || format!("{impolite:?}\nin {written}"))
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
    let schema = Official::of(revision, "validity in the properties of valid.rs");
    schema.map_or_else(String::new, |schema| schema.message(method).unwrap_or_else(|| panic!("{method}")).to_owned())
}

#[test]
fn any_client_request() {
    // M26-002, M26-003, M26-051, M26-052, M26-053, M26-264, M26-280, S-001, S-004, S-007, S-038, S-297, S-307, S-323
    for_each_peer(|revision, fill, exact| {
        try_many(CASES, &(basic::id(), client::request(fill)), |(id, (method, params))| {
            if !known(ClientRequest::METHODS, method, revision) {
                return Ok(());
            }
            let sent = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
            let (id, request) = wire::client_request(&sent);
            let written = Out::ClientRequest(id.clone(), request.clone()).write(revision, None);
            proper(revision, &definition_of(revision, method), "", &written)?;
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
fn any_client_notification() {
    // M26-020, M26-280, S-013, S-209, S-214, S-215
    for revision in Revision::ALL {
        try_many(CASES, &client::notification(), |(method, params)| {
            if !known(ClientNotification::METHODS, method, revision) {
                return Ok(());
            }
            let said = wire::client_notification(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
            let written = Out::ClientNotification(said.clone()).write(revision, None);
            proper(revision, &definition_of(revision, method), "", &written)?;
            check(written.get("id").is_none(), || "a notification with an id".into())?;
            let again = wire::client_notification(&written);
            if revision > Revision::V2024_11_05 {
                prop_assert_eq!(again, said);
            }
            Ok(())
        });
    }
}

#[test]
fn any_client_result() {
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
                proper(revision, result_of_method(method), "result", &written)?;
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

/// The same page as many peers share it; `None` for what is no page.
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
fn any_server_result() {
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
            proper(revision, result_of_method(method), "result", &written)?;
            let dressed = Out::ServerResult(id.clone(), ours.clone()).write(revision, Some(&info));
            proper(revision, result_of_method(method), "result", &dressed)?;
            let identity = dressed["result"]["_meta"].get("io.modelcontextprotocol/serverInfo");
            prop_assert_eq!(identity.is_some(), revision.is_modern());
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
            // A page that is shared by many peers is written like one that is not, also the second time.
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
fn a_call_that_became_a_task() {
    // S-494
    try_many(CASES, &server::create_task(), |result| {
        let ours = ServerResult::decode("tools/call", &raw(&result)).unwrap();
        prop_assert!(matches!(ours, ServerResult::CreateTask(_)));
        let written = Out::ServerResult(1.into(), ours).write(Revision::LATEST_LEGACY, None);
        proper(Revision::LATEST_LEGACY, "CreateTaskResult", "result", &written)?;
        same(&written["result"], &result)
    });
}

#[test]
fn any_questions_in_an_answer() {
    // M26-238, M26-240, M26-441, M26-482, M26-484, M26-485, M26-486, M26-487, M26-489
    for fill in [Fill::Modern, Fill::Both] {
        try_many(CASES, &server::input_required(fill), |result| {
            let ours: InputRequired = raw(&result).decode().unwrap();
            let written = Out::InputRequired(1.into(), ours.clone()).write(Revision::LATEST, None);
            proper(Revision::LATEST, "InputRequiredResult", "result", &written)?;
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
fn any_server_request() {
    // S-001, S-004, S-389, S-390, S-391, S-428, S-429
    for revision in Revision::ALL.into_iter().filter(|revision| !revision.is_modern()) {
        for fill in [Fill::Legacy, Fill::Both] {
            // A URL is never sent to who knows forms only: `ClientCapabilities` tells the caller.
            let asked = if revision < Revision::V2025_11_25 { Asked::FormOnly } else { Asked::Legacy };
            try_many(CASES, &(basic::id(), server::request(fill, asked)), |(id, (method, params)): (Value, Said)| {
                if !known(ServerRequest::METHODS, method, revision) {
                    return Ok(());
                }
                let sent = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
                let (id, request) = wire::server_request(&sent);
                let written = Out::ServerRequest(id.clone(), request.clone()).write(revision, None);
                proper(revision, &definition_of(revision, method), "", &written)?;
                let (again_id, again) = wire::server_request(&written);
                prop_assert_eq!(again_id, id);
                if fill == Fill::Legacy && revision == Revision::LATEST_LEGACY {
                    prop_assert_eq!(again, request);
                    same(&written["params"], &params)?;
                }
                Ok(())
            });
        }
    }
}

#[test]
fn any_server_notification() {
    // M26-020, M26-271, M26-272, M26-280, S-013, S-209, S-215, S-328
    for revision in Revision::ALL {
        try_many(CASES, &server::notification(), |(method, params)| {
            if !known(ServerNotification::METHODS, method, revision) {
                return Ok(());
            }
            let said = wire::server_notification(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
            let written = Out::ServerNotification(said.clone()).write(revision, None);
            proper(revision, &definition_of(revision, method), "", &written)?;
            check(written.get("id").is_none(), || "a notification with an id".into())?;
            if revision > Revision::V2024_11_05 {
                prop_assert_eq!(wire::server_notification(&written), said);
                same(&written["params"], &params)?;
            }
            Ok(())
        });
    }
}

#[test]
fn any_error() {
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
            proper(revision, definition, "", &written)?;
            let (again_id, outcome) = wire::response::<FromServer>(&written);
            prop_assert_eq!(again_id, Some(id));
            let again = outcome.unwrap_err();
            prop_assert_eq!((&again.message, &again.data), (&ours.message, &ours.data));
            if server::CODES.contains(&ours.code.0) {
                prop_assert_eq!(again.code, ours.code);
            }
            // Where the id could not be read it is left out, never null; older schemas know no such error.
            let without = Out::Error(None, ours).write(revision, None);
            prop_assert!(without.get("id").is_none());
            if revision >= Revision::V2025_11_25 {
                proper(revision, definition, "", &without)?;
            }
            Ok(())
        });
    }
}
