//! The `_meta` object of requests, results, notifications and objects.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#meta>.
//! Unknown keys are passed through unchanged; their text and order are preserved.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::json::{RawJson, RawMap};
use crate::meta::key;
use crate::model::implementation::Implementation;
use crate::repair::path::Path;
use crate::repair::policy::Policy;
use crate::repair::{Repairs, repair_object};
use crate::shared_str::Str;

/// The `_meta` of an object, result or notification.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#meta>.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Meta(RawMap);

impl<'de> Deserialize<'de> for Meta {
    /// `null` is the same as an empty object.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::json::or_default(deserializer).map(Self)
    }
}

impl Meta {
    /// Creates an empty `_meta`. An empty `_meta` is omitted on the wire.
    pub const fn new() -> Self {
        Self(RawMap::new())
    }

    /// Deserializes the value of `key`. Returns `None` if the key is absent or its value does not match `T`.
    pub fn read<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        self.get(key)?.decode().ok()
    }

    /// Sets `key` to `value`.
    ///
    /// # Errors
    /// Returns an error if `value` cannot be serialized to JSON.
    pub fn set<T: Serialize + ?Sized>(&mut self, key: impl Into<Str>, value: &T) -> Result<(), serde_json::Error> {
        self.insert(key, RawJson::new(value)?);
        Ok(())
    }

    /// Returns the server that sent this result. Modern servers (2026-07-28) include it in each result. Unreadable optional
    /// fields, such as icons, are ignored.
    pub fn server_info(&self) -> Option<Implementation> {
        let info = self.get(key::SERVER_INFO)?;
        let repaired =
            || repair_object(info.as_str(), &Path::root(key::SERVER_INFO), &Policy::ANY, &mut Repairs::new());
        info.decode().or_else(|_| repaired()).ok()
    }

    /// Returns `true` if `_meta` is omitted. Used with `skip_serializing_if`.
    pub(crate) fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Deref for Meta {
    type Target = RawMap;
    fn deref(&self) -> &RawMap {
        &self.0
    }
}

impl DerefMut for Meta {
    fn deref_mut(&mut self) -> &mut RawMap {
        &mut self.0
    }
}

impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
