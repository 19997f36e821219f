//! Arguments of foreign types.

use serde_json::json;

use crate::peer::in_both_eras;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dates_uuids_urls");
const CUSTOMER: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

#[test]
fn schema_has_formats_of_foreign_types() {
    in_both_eras(PROGRAM, |peer| {
        let tool = peer.ask("tools/list", json!({}))["tools"][0].take();
        let text =
            |format: &str, description: &str| json!({ "type": "string", "format": format, "description": description });
        assert_eq!(
            tool["inputSchema"]["properties"],
            json!({
                "customer": text("uuid", "The customer's id"),
                "day": text("date", "The day of the visit"),
                "reminder": text("date-time", "When to send the reminder"),
                "page": { "type": "string", "description": "A page with directions" }, // some hosts reject `uri`
            })
        );
        assert_eq!(tool["inputSchema"]["required"], json!(["customer", "day", "reminder"]));
        assert_eq!(tool["outputSchema"]["properties"]["page"]["format"], "uri");
    });
}

#[test]
fn values_are_parsed_and_returned() {
    in_both_eras(PROGRAM, |peer| {
        let given = json!({ "customer": CUSTOMER, "day": "2026-12-24", "reminder": "2026-12-23T18:00:00+01:00" });
        let booked = peer.call("book_visit", given.clone());
        assert_eq!(
            booked["structuredContent"],
            json!({ "customer": CUSTOMER, "day": "2026-12-24", "reminder": "2026-12-23T17:00:00Z", "page": null })
        );
        let mut with_page = given;
        with_page["page"] = json!("https://example.com");
        let booked = peer.call("book_visit", with_page);
        assert_eq!(booked["structuredContent"]["page"], "https://example.com/");
    });
}

#[test]
fn error_names_every_argument_when_values_are_invalid() {
    in_both_eras(PROGRAM, |peer| {
        let wrong = json!({ "customer": "42", "day": "tomorrow", "reminder": "soon", "page": "example.com" });
        let text = peer.call_in_vain("book_visit", wrong);
        let page = include_str!("../../../docs/guide/dates-uuids-urls.md");
        assert!(page.contains(&format!("```text\n{text}\n```")), "the page must contain: {text}");
        let late = json!({ "customer": CUSTOMER, "day": "2026-12-24", "reminder": "2027-01-01T00:00:00Z" });
        let text = peer.call_in_vain("book_visit", late);
        assert_eq!(text, "the reminder is after the visit; choose a time before 2026-12-24");
    });
}
