//! The limits of hosts, which `profiles.toml` contains.

use std::sync::LazyLock;

use ferromcp_core::text::excerpt;
use serde::Deserialize;

use crate::exit::Failure;
use crate::suggestion::closest;

/// The limits of a host or a model provider.
#[derive(Debug, Default, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the table")]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Profile {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) name_characters: Option<String>,
    pub(super) name_start: bool,
    pub(super) name_length: Option<usize>,
    pub(super) qualified_length: Option<usize>,
    pub(super) qualified_extra: usize,
    pub(super) tools: Option<usize>,
    pub(super) root_keywords: Vec<String>,
    pub(super) keywords: Vec<String>,
    /// The formats that the host accepts; empty if it accepts all.
    pub(super) formats: Vec<String>,
    pub(super) argument_characters: Option<String>,
    pub(super) argument_length: Option<usize>,
    pub(super) array_items: bool,
    pub(super) closed_objects: bool,
    pub(super) all_required: bool,
    pub(super) recursion: bool,
    pub(super) one_type: bool,
    pub(super) enum_strings: bool,
    pub(super) open_arguments: bool,
    pub(super) depth: Option<usize>,
    pub(super) properties: Option<usize>,
    pub(super) enum_values: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    profile: Vec<Profile>,
}

static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let table: Table = toml_edit::de::from_str(include_str!("profiles.toml")).expect("a test parses profiles.toml");
    table.profile
});

/// Returns all profiles.
pub(crate) fn all() -> &'static [Profile] {
    &PROFILES
}

/// Returns the profile with this id, alias or name.
///
/// # Errors
/// Fails if no profile has the name.
pub(crate) fn find(name: &str) -> Result<&'static Profile, Failure> {
    let is_name = |other: &String| other.eq_ignore_ascii_case(name);
    let found = all().iter().find(|it| is_name(&it.id) || is_name(&it.name) || it.aliases.iter().any(is_name));
    found.ok_or_else(|| {
        let ids: Vec<&str> = all().iter().map(|profile| profile.id.as_str()).collect();
        let remedy = closest(name, ids.iter().copied())
            .map_or_else(|| format!("write one of {}", ids.join(", ")), |id| format!("did you mean `{id}`?"));
        Failure::usage(format!("cannot find the profile of the host `{}`; {remedy}", excerpt(name)))
    })
}
