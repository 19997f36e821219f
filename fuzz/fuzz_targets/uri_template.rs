//! Any template and any URI: parsing, matching and expanding return within the limits, and do not panic.
//!
//! `cargo +nightly fuzz run uri_template`. The input is a template and a URI, separated by a NUL byte. Spec:
//! <https://www.rfc-editor.org/rfc/rfc6570>.
#![no_main]

use ferromcp_uri_template::{LinkTemplate, UriTemplate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (template, uri) = text.split_once('\0').unwrap_or((text, text));
    let _ = LinkTemplate::parse(template).map(|template| template.expand(|_| Some(uri.into())));
    let Ok(template) = UriTemplate::parse(template) else { return };
    let template = template.allow_unsafe_paths();
    let Ok(Some(captures)) = template.matches(uri) else { return };
    assert_eq!(captures.len(), template.variables().len());
    let _ = template.expand(|name| captures.value(name));
});
