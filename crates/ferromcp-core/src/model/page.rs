//! Lists, page by page.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>.
//!
//! A server's page is shared: it is serialised once per revision, and each answer writes those
//! same bytes. Who wants to read or change the items sees a plain slice or takes a `Vec`.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::cache::CacheScope;
use super::prompt::Prompt;
use super::resource::{Resource, ResourceTemplate};
use super::tool::Tool;
use crate::json::Str;
use crate::meta::Meta;
use crate::request_meta::RequestMeta;
use crate::revision::Revision;

/// The items of one page.
#[derive(Clone)]
pub struct Items<T>(Repr<T>);

#[derive(Clone)]
enum Repr<T> {
    Owned(Vec<T>),
    Shared(Arc<SharedPage<T>>),
    /// A shared page dressed for a peer's revision, about to be written.
    Dressed(Arc<SharedPage<T>>, Revision),
}

/// Items with their text for each revision, made when first asked for.
struct SharedPage<T> {
    items: Vec<T>,
    texts: [OnceLock<Box<RawValue>>; Revision::ALL.len()],
}

impl<T> Items<T> {
    /// Items to be written many times: their text is made once per revision.
    pub fn shared(items: Vec<T>) -> Self {
        Self(Repr::Shared(Arc::new(SharedPage { items, texts: Default::default() })))
    }
}

impl<T: Clone> Items<T> {
    /// The items for changing; a shared page is copied first.
    pub fn to_mut(&mut self) -> &mut Vec<T> {
        if let Repr::Shared(page) | Repr::Dressed(page, _) = &self.0 {
            self.0 = Repr::Owned(page.items.clone());
        }
        match &mut self.0 {
            Repr::Owned(items) => items,
            Repr::Shared(_) | Repr::Dressed(..) => unreachable!("was just made owned"),
        }
    }
}

impl<T: Clone + Serialize> Items<T> {
    /// Makes the items fit for a peer of `revision`: `step` is applied to each, for shared pages
    /// only the first time.
    pub(crate) fn dress(&mut self, revision: Revision, step: impl Fn(&mut T)) {
        let page = match &mut self.0 {
            Repr::Owned(items) => return items.iter_mut().for_each(step),
            Repr::Shared(page) | Repr::Dressed(page, _) => Arc::clone(page),
        };
        page.texts[revision.index()].get_or_init(|| {
            let mut items = page.items.clone();
            items.iter_mut().for_each(step);
            // The items are our own model's, which always serialises.
            serde_json::value::to_raw_value(&items).unwrap_or_default()
        });
        self.0 = Repr::Dressed(page, revision);
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
            Repr::Shared(page) | Repr::Dressed(page, _) => &page.items,
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
        if let Repr::Dressed(page, revision) = &self.0 {
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

/// The parameters of every list method.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListParams {
    /// Where to go on; opaque, and `""` is one too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Str>,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

macro_rules! list_result {
    ($(#[$doc:meta])* $name:ident, $field:ident: $item:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name {
            /// The items of this page.
            pub $field: Items<$item>,
            /// Where the next page begins; absent at the end.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub next_cursor: Option<String>,
            /// Freshness in milliseconds from receipt (from 2026-07-28).
            #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::cache::ttl")]
            pub ttl_ms: Option<u64>,
            /// Who may be served a stored copy (from 2026-07-28).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub cache_scope: Option<CacheScope>,
            /// Foreign keys.
            #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
            pub meta: Meta,
        }

        impl $name {
            /// A page.
            pub fn new($field: impl Into<Items<$item>>) -> Self {
                Self { $field: $field.into(), ..Self::default() }
            }
        }
    };
}

list_result! {
    /// The answer to `tools/list`.
    ListToolsResult, tools: Tool
}
list_result! {
    /// The answer to `resources/list`.
    ListResourcesResult, resources: Resource
}
list_result! {
    /// The answer to `resources/templates/list`.
    ListResourceTemplatesResult, resource_templates: ResourceTemplate
}
list_result! {
    /// The answer to `prompts/list`.
    ListPromptsResult, prompts: Prompt
}
