//! Paginated lists.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>.
//!
//! A page of a server is shared: it is serialized once per revision, and each response writes the
//! same bytes. The items are accessible as a slice, or as a `Vec` for modification.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::cache::CacheScope;
use super::prompt::PromptDefinition;
use super::resource::{ResourceDefinition, ResourceTemplate};
use super::tool::ToolDefinition;
use crate::meta_object::Meta;
use crate::request_meta::RequestMeta;
use crate::revision::Revision;
use crate::setters::setters;
use crate::shared_str::Str;

/// The items of a page. Dereferences to a slice.
#[derive(Clone)]
pub struct Items<T>(Repr<T>);

#[derive(Clone)]
enum Repr<T> {
    Owned(Vec<T>),
    Shared(Arc<SharedPage<T>>),
    /// A shared page with cached text for the peer's revision.
    Encoded(Arc<SharedPage<T>>, Revision),
}

/// Items with their serialized text for each revision, computed on first use.
struct SharedPage<T> {
    items: Vec<T>,
    texts: [OnceLock<Box<RawValue>>; Revision::ALL.len()],
}

impl<T> Items<T> {
    /// Creates items that are serialized once per revision and shared by clones.
    pub fn shared(items: Vec<T>) -> Self {
        Self(Repr::Shared(Arc::new(SharedPage { items, texts: Default::default() })))
    }
}

impl<T: Clone> Items<T> {
    /// Returns the items for modification. A shared page is cloned first.
    pub fn to_mut(&mut self) -> &mut Vec<T> {
        if let Repr::Shared(page) | Repr::Encoded(page, _) = &self.0 {
            self.0 = Repr::Owned(page.items.clone());
        }
        match &mut self.0 {
            Repr::Owned(items) => items,
            Repr::Shared(_) | Repr::Encoded(..) => unreachable!("replaced by owned items above"),
        }
    }
}

impl<T: Clone + Serialize> Items<T> {
    /// Downgrades the items for a peer of `revision` by calling `apply` on each item. The result is cached for shared pages.
    pub(crate) fn downgrade(&mut self, revision: Revision, apply: impl Fn(&mut T)) {
        let page = match &mut self.0 {
            Repr::Owned(items) => return items.iter_mut().for_each(apply),
            Repr::Shared(page) | Repr::Encoded(page, _) => Arc::clone(page),
        };
        page.texts[revision.index()].get_or_init(|| {
            let mut items = page.items.clone();
            items.iter_mut().for_each(apply);
            // Serializing items of this crate's model does not fail.
            serde_json::value::to_raw_value(&items).unwrap_or_default()
        });
        self.0 = Repr::Encoded(page, revision);
    }
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Repr::Owned(Vec::new()))
    }
}

impl<T> Deref for Items<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        match &self.0 {
            Repr::Owned(items) => items,
            Repr::Shared(page) | Repr::Encoded(page, _) => &page.items,
        }
    }
}

impl<T> From<Vec<T>> for Items<T> {
    fn from(items: Vec<T>) -> Self {
        Self(Repr::Owned(items))
    }
}

impl<T: fmt::Debug> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: PartialEq> PartialEq for Items<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Serialize> Serialize for Items<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Repr::Encoded(page, revision) = &self.0 {
            if let Some(text) = page.texts[revision.index()].get() {
                return text.serialize(serializer);
            }
        }
        serializer.collect_seq(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

/// The parameters of the list methods.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListParams {
    /// The opaque cursor of the page. The empty string is a valid cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Str>,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

setters!(ListParams {
    cursor: Option<Str>,
    meta: RequestMeta,
});

macro_rules! list_result {
    ($(#[$doc:meta])* $name:ident, $field:ident: $item:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name {
            /// The items of this page.
            pub $field: Items<$item>,
            /// The cursor of the next page. Absent on the last page.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub next_cursor: Option<String>,
            /// The time to live of the result in milliseconds since receipt (since 2026-07-28).
            #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::cache::ttl")]
            pub ttl_ms: Option<u64>,
            /// The clients that the cached result can be reused for (since 2026-07-28).
            /// An unknown value is decoded as `None`.
            #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::known")]
            pub cache_scope: Option<CacheScope>,
            /// The `_meta` of the result.
            #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
            pub meta: Meta,
        }

        impl $name {
            /// Creates a page.
            pub fn new($field: impl Into<Items<$item>>) -> Self {
                Self { $field: $field.into(), ..Self::default() }
            }
        }

        setters!($name {
            next_cursor: Option<String>,
            ttl_ms: Option<u64>,
            cache_scope: Option<CacheScope>,
            meta: Meta,
        });
    };
}

list_result! {
    /// The result of `tools/list`.
    ListToolsResult, tools: ToolDefinition
}
list_result! {
    /// The result of `resources/list`.
    ListResourcesResult, resources: ResourceDefinition
}
list_result! {
    /// The result of `resources/templates/list`.
    ListResourceTemplatesResult, resource_templates: ResourceTemplate
}
list_result! {
    /// The result of `prompts/list`.
    ListPromptsResult, prompts: PromptDefinition
}
