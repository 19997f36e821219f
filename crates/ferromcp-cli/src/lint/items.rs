//! Checks of prompts, resources, templates and instructions.

use std::collections::HashSet;

use ferromcp_core::text::excerpt;
use ferromcp_uri_template::UriTemplate;
use url::Url;

use super::finding::Findings;
use super::text::{self, MAX_DESCRIPTION, over};
use crate::surface::Surface;

/// Checks all items but tools.
pub(super) fn check(surface: &Surface, findings: &mut Findings) {
    instructions(surface, findings);
    prompts(surface, findings);
    resources(surface, findings);
    templates(surface, findings);
}

fn instructions(surface: &Surface, findings: &mut Findings) {
    let Some(instructions) = &surface.instructions else { return };
    let (item, pointer) = ("server", "/instructions");
    if let Some(count) = over(instructions, MAX_DESCRIPTION) {
        findings.add("instructions-long", item, pointer, format!("the instructions have {count} characters"));
    }
    text::check(instructions, item, pointer, "the instructions", findings);
}

/// Returns whether a text is missing or blank.
pub(super) fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

fn prompts(surface: &Surface, findings: &mut Findings) {
    let mut names = HashSet::new();
    for (index, prompt) in surface.prompts.iter().enumerate() {
        let (item, pointer) = (format!("prompt `{}`", excerpt(&prompt.name)), format!("/prompts/{index}"));
        if !names.insert(prompt.name.as_str()) {
            let message = "another prompt has the same name".to_owned();
            findings.add("prompt-name-duplicate", &item, &format!("{pointer}/name"), message);
        }
        if is_blank(prompt.title.as_deref()) {
            findings.add("title-missing", &item, &pointer, "the prompt has no title".to_owned());
        }
        text::check(&prompt.name, &item, &format!("{pointer}/name"), "the name", findings);
        match prompt.description.as_deref() {
            Some(description) if !is_blank(Some(description)) => {
                text::check(description, &item, &format!("{pointer}/description"), "the description", findings);
            }
            _ => {
                findings.add("prompt-description-missing", &item, &pointer, "the prompt has no description".to_owned());
            }
        }
        for (number, argument) in prompt.arguments.iter().enumerate() {
            let pointer = format!("{pointer}/arguments/{number}");
            let name = excerpt(&argument.name);
            match argument.description.as_deref() {
                Some(description) if !is_blank(Some(description)) => {
                    let what = format!("the description of the argument `{name}`");
                    text::check(description, &item, &format!("{pointer}/description"), &what, findings);
                }
                _ => {
                    let message = format!("the argument `{name}` has no description");
                    findings.add("prompt-description-missing", &item, &pointer, message);
                }
            }
        }
    }
}

fn resources(surface: &Surface, findings: &mut Findings) {
    let mut uris = HashSet::new();
    for (index, resource) in surface.resources.iter().enumerate() {
        let (item, pointer) = (format!("resource `{}`", excerpt(&resource.uri)), format!("/resources/{index}"));
        if !uris.insert(resource.uri.as_str()) {
            let message = "another resource has the same URI".to_owned();
            findings.add("resource-uri-duplicate", &item, &format!("{pointer}/uri"), message);
        }
        if let Err(error) = Url::parse(&resource.uri) {
            findings.add("uri-invalid", &item, &format!("{pointer}/uri"), format!("the URI is invalid: {error}"));
        }
        let (mime_type, description) = (resource.mime_type.as_deref(), resource.description.as_deref());
        content(&item, &pointer, mime_type, description, findings);
        text::check(&resource.name, &item, &format!("{pointer}/name"), "the name", findings);
    }
}

fn templates(surface: &Surface, findings: &mut Findings) {
    let mut uris = HashSet::new();
    for (index, template) in surface.resource_templates.iter().enumerate() {
        let uri = &template.uri_template;
        let (item, pointer) = (format!("template `{}`", excerpt(uri)), format!("/resourceTemplates/{index}"));
        if !uris.insert(uri.as_str()) {
            let message = "another template has the same URI".to_owned();
            findings.add("resource-uri-duplicate", &item, &format!("{pointer}/uriTemplate"), message);
        }
        if let Err(error) = UriTemplate::parse(uri) {
            let message = format!("the URI template is invalid: {}", excerpt(&error.to_string()));
            findings.add("uri-template-invalid", &item, &format!("{pointer}/uriTemplate"), message);
        }
        let (mime_type, description) = (template.mime_type.as_deref(), template.description.as_deref());
        content(&item, &pointer, mime_type, description, findings);
        text::check(&template.name, &item, &format!("{pointer}/name"), "the name", findings);
    }
}

/// Checks the members that resources and templates share.
fn content(item: &str, pointer: &str, mime_type: Option<&str>, description: Option<&str>, findings: &mut Findings) {
    if is_blank(mime_type) {
        findings.add("mime-type-missing", item, pointer, "the `mimeType` is missing".to_owned());
    }
    match description {
        Some(text) if !is_blank(Some(text)) => {
            text::check(text, item, &format!("{pointer}/description"), "the description", findings);
        }
        _ => findings.add("resource-description-missing", item, pointer, "the description is missing".to_owned()),
    }
}
