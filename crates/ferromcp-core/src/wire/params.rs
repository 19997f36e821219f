//! Decodes the parameters of each method from a frame.
//!
//! Parameters of frequent methods hold slices of the frame. All others use plain serde.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::cow_key::CowKey;
use crate::json::{RawJson, RawMap};
use crate::model::{
    AcknowledgedParams, CallToolParams, CancelledParams, CompleteParams, CreateMessageParams, ElicitParams,
    ElicitationCompleteParams, EmptyParams, GetPromptParams, InitializeParams, ListParams, ListenParams,
    LogMessageParams, NotificationParams, ProgressParams, ReadResourceParams, ResourceUpdatedParams, ResourceUriParams,
    SetLevelParams, Task, TaskIdParams, TaskMetadata,
};
use crate::request_meta::{RequestMetaSlices, slice_str};
use crate::shared_str::Str;

/// Parameters that can be decoded from a frame.
pub(crate) trait WireParams: Sized {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error>;
}

/// Parameters as an object. Absent and `null` decode as an empty object; an array is an error.
struct Params<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Params<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ParamsVisitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ParamsVisitor<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object as `params`")
            }
            fn visit_unit<E: serde::de::Error>(self) -> Result<T, E> {
                let empty = serde::de::value::MapDeserializer::new(std::iter::empty::<((), ())>());
                T::deserialize(empty)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(ParamsVisitor(std::marker::PhantomData)).map(Params)
    }
}

impl WireParams for RawJson {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error> {
        Ok(match Option::<&RawValue>::deserialize(params)? {
            Some(raw) => Self::slice_of(frame, raw),
            None => Self::empty_object(),
        })
    }
}

impl<T: WireParams> WireParams for Box<T> {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error> {
        T::read(params, frame).map(Self::new)
    }
}

macro_rules! plain {
    ($($params:ty),* $(,)?) => {
        $(impl WireParams for $params {
            fn read<'de, D: Deserializer<'de>>(params: D, _frame: &Str) -> Result<Self, D::Error> {
                Params::<Self>::deserialize(params).map(|params| params.0)
            }
        })*
    };
}

plain! {
    InitializeParams, CompleteParams, SetLevelParams, ListenParams, TaskIdParams, ResourceUriParams,
    NotificationParams, CancelledParams, ProgressParams, Task, CreateMessageParams, ElicitParams,
    LogMessageParams, ResourceUpdatedParams, AcknowledgedParams, ElicitationCompleteParams,
}

/// The parameters of `tools/call`, `prompts/get` and `resources/read`, borrowed from the frame.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestTarget<'a> {
    #[serde(borrow, default)]
    name: Option<CowKey<'a>>,
    #[serde(borrow, default)]
    uri: Option<CowKey<'a>>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(default)]
    task: Option<TaskMetadata>,
    #[serde(default)]
    input_responses: Option<RawMap>,
    #[serde(borrow, default)]
    request_state: Option<CowKey<'a>>,
    #[serde(borrow, rename = "_meta", default)]
    meta: RequestMetaSlices<'a>,
}

impl<'a> RequestTarget<'a> {
    /// Decodes the parameters. Returns an error if `arguments` is present and not an object.
    fn read<'de: 'a, D: Deserializer<'de>>(params: D) -> Result<Self, D::Error> {
        let target = Params::<Self>::deserialize(params)?.0;
        match target.arguments {
            Some(raw) if !raw.get().starts_with('{') => Err(serde::de::Error::custom("`arguments` must be an object")),
            _ => Ok(target),
        }
    }

    fn require<E: serde::de::Error>(field: Option<CowKey<'a>>, name: &'static str) -> Result<Cow<'a, str>, E> {
        field.map(|text| text.0).ok_or_else(|| E::missing_field(name))
    }
}

impl WireParams for CallToolParams {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error> {
        let target = RequestTarget::read(params)?;
        let mut call = Self::new(slice_str(RequestTarget::require(target.name, "name")?, frame));
        call.arguments = target.arguments.map(|raw| RawJson::slice_of(frame, raw));
        call.task = target.task;
        call.input_responses = target.input_responses;
        call.request_state = target.request_state.map(|text| slice_str(text.0, frame));
        call.meta = target.meta.into_meta(frame);
        Ok(call)
    }
}

impl WireParams for GetPromptParams {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error> {
        let target = RequestTarget::read(params)?;
        let mut get = Self::new(slice_str(RequestTarget::require(target.name, "name")?, frame));
        get.arguments = target.arguments.map(|raw| RawJson::slice_of(frame, raw));
        get.input_responses = target.input_responses;
        get.request_state = target.request_state.map(|text| slice_str(text.0, frame));
        get.meta = target.meta.into_meta(frame);
        Ok(get)
    }
}

impl WireParams for ReadResourceParams {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error> {
        let target = RequestTarget::read(params)?;
        let mut read = Self::new(slice_str(RequestTarget::require(target.uri, "uri")?, frame));
        read.input_responses = target.input_responses;
        read.request_state = target.request_state.map(|text| slice_str(text.0, frame));
        read.meta = target.meta.into_meta(frame);
        Ok(read)
    }
}

/// The parameters of list methods and of methods without parameters, borrowed from the frame.
#[derive(Deserialize)]
struct CursorParams<'a> {
    #[serde(borrow, default)]
    cursor: Option<CowKey<'a>>,
    #[serde(borrow, rename = "_meta", default)]
    meta: RequestMetaSlices<'a>,
}

impl WireParams for ListParams {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error> {
        let params = Params::<CursorParams<'de>>::deserialize(params)?.0;
        Ok(Self { cursor: params.cursor.map(|text| slice_str(text.0, frame)), meta: params.meta.into_meta(frame) })
    }
}

impl WireParams for EmptyParams {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error> {
        let params = Params::<CursorParams<'de>>::deserialize(params)?.0;
        Ok(Self { meta: params.meta.into_meta(frame) })
    }
}
