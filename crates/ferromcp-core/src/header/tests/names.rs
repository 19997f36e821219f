//! Tests of header names and the `Mcp-Name` header.

use crate::error::{Error, ErrorCode};
use crate::header::{HeaderError, MismatchReason, check_name, encode, field, name_of};
use crate::json::RawJson;
use crate::methods::{ClientRequest, Custom};
use crate::model::{CallToolParams, GetPromptParams, ListParams, ReadResourceParams};

fn tool(name: &str) -> ClientRequest {
    ClientRequest::CallTool(CallToolParams::new(name))
}

fn reason(request: &ClientRequest, header: Option<&str>) -> Option<MismatchReason> {
    check_name(request, header.map(str::as_bytes)).err().map(|mismatch| {
        assert_eq!(mismatch.header(), "Mcp-Name");
        mismatch.reason()
    })
}

#[test]
fn lowercase_names_match_names() {
    // M26-180
    for (name, lower) in [
        (field::SESSION_ID, field::lower::SESSION_ID),
        (field::PROTOCOL_VERSION, field::lower::PROTOCOL_VERSION),
        (field::METHOD, field::lower::METHOD),
        (field::NAME, field::lower::NAME),
        (field::PARAM_PREFIX, field::lower::PARAM_PREFIX),
    ] {
        assert_eq!(name.to_ascii_lowercase(), lower);
    }
}

#[test]
fn returns_name_for_three_methods() {
    // M26-178
    assert_eq!(name_of(&tool("add")), Some("add"));
    assert_eq!(name_of(&ClientRequest::GetPrompt(GetPromptParams::new("greet"))), Some("greet"));
    assert_eq!(name_of(&ClientRequest::ReadResource(ReadResourceParams::new("file:///a"))), Some("file:///a"));
    assert_eq!(name_of(&ClientRequest::ListTools(ListParams::default())), None);
    let own = Custom::new("acme/call", RawJson::parse(r#"{"name":"x"}"#).unwrap());
    assert_eq!(name_of(&ClientRequest::Custom(own)), None);
}

#[test]
fn compares_name_after_trimming_and_decoding() {
    // M26-181, M26-182, M26-187
    assert_eq!(reason(&tool("add"), Some(" add\t")), None);
    assert_eq!(reason(&tool("add"), Some("=?base64?YWRk?=")), None);
    assert_eq!(reason(&tool("add"), Some("Add")), Some(MismatchReason::Different));
    assert_eq!(reason(&tool("add"), Some("")), Some(MismatchReason::Different));
    let uri = "file:///Größe.txt";
    let read = ClientRequest::ReadResource(ReadResourceParams::new(uri));
    assert_eq!(reason(&read, Some(&encode(uri))), None);
    assert_eq!(reason(&read, Some(uri)), Some(MismatchReason::Invalid(HeaderError::Character)));
}

#[test]
fn returns_error_when_required_name_is_missing_or_invalid() {
    // M26-185, M26-186
    assert_eq!(reason(&tool("add"), None), Some(MismatchReason::Missing));
    assert_eq!(reason(&tool("add"), Some("=?base64?YWRk")), Some(MismatchReason::Different));
    assert_eq!(reason(&tool("add"), Some("=?base64?YWR?=")), Some(MismatchReason::Invalid(HeaderError::Base64)));
}

#[test]
fn ignores_header_when_method_has_no_name() {
    // M26-178
    let list = ClientRequest::ListTools(ListParams::default());
    assert_eq!(reason(&list, None), None);
    assert_eq!(reason(&list, Some("whatever")), None);
}

#[test]
fn mismatch_converts_to_error_without_values() {
    // M26-184
    let error = Error::from(check_name(&tool("secret"), Some(b"other")).unwrap_err());
    assert_eq!(error.code, ErrorCode::HEADER_MISMATCH);
    assert_eq!(error.message, "Header mismatch: Mcp-Name does not match the body");
}
