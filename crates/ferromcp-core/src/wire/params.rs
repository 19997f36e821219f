//! How each method's parameters are read from where they stand in the frame.
//!
//! The frequent ones keep slices of the frame; the others are plain serde.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::json::{RawJson, RawMap, Str};
use crate::model::{
    AcknowledgedParams, CallToolParams, CancelledParams, CompleteParams, CreateMessageParams, ElicitParams,
    ElicitationCompleteParams, EmptyParams, GetPromptParams, InitializeParams, ListParams, ListenParams,
    LogMessageParams, NotificationParams, ProgressParams, ReadResourceParams, ResourceUpdatedParams, ResourceUriParams,
    SetLevelParams, Task, TaskIdParams, TaskMetadata,
};
use crate::request_meta::{CowKey, RequestMetaSlices, keep_str};

/// Parameters that can be read out of a frame.
pub(crate) trait WireParams: Sized {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error>;
}

/// Parameters as an object; absent and `null` count as empty, an array is refused.
struct Params<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Params<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ParamsVisitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ParamsVisitor<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`params` to be an object")
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

/// The parameters of `tools/call`, `prompts/get` and `resources/read`, in the frame.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asking<'a> {
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

impl<'a> Asking<'a> {
    /// Reads the parameters; `arguments`, where given, are to be an object.
    fn of<'de: 'a, D: Deserializer<'de>>(params: D) -> Result<Self, D::Error> {
        let asking = Params::<Self>::deserialize(params)?.0;
        match asking.arguments {
            Some(raw) if !raw.get().starts_with('{') => Err(serde::de::Error::custom("`arguments` is to be an object")),
            _ => Ok(asking),
        }
    }

    fn need<E: serde::de::Error>(field: Option<CowKey<'a>>, name: &'static str) -> Result<Cow<'a, str>, E> {
        field.map(|text| text.0).ok_or_else(|| E::missing_field(name))
    }
}

impl WireParams for CallToolParams {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error> {
        let asking = Asking::of(params)?;
        let mut call = Self::new(keep_str(Asking::need(asking.name, "name")?, frame));
        call.arguments = asking.arguments.map(|raw| RawJson::slice_of(frame, raw));
        call.task = asking.task;
        call.input_responses = asking.input_responses;
        call.request_state = asking.request_state.map(|text| keep_str(text.0, frame));
        call.meta = asking.meta.keep(frame);
        Ok(call)
    }
}

impl WireParams for GetPromptParams {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error> {
        let asking = Asking::of(params)?;
        let mut get = Self::new(keep_str(Asking::need(asking.name, "name")?, frame));
        get.arguments = asking.arguments.map(|raw| RawJson::slice_of(frame, raw));
        get.input_responses = asking.input_responses;
        get.request_state = asking.request_state.map(|text| keep_str(text.0, frame));
        get.meta = asking.meta.keep(frame);
        Ok(get)
    }
}

impl WireParams for ReadResourceParams {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error> {
        let asking = Asking::of(params)?;
        let mut read = Self::new(keep_str(Asking::need(asking.uri, "uri")?, frame));
        read.input_responses = asking.input_responses;
        read.request_state = asking.request_state.map(|text| keep_str(text.0, frame));
        read.meta = asking.meta.keep(frame);
        Ok(read)
    }
}

/// The parameters of the list methods and of those that take none, in the frame.
#[derive(Deserialize)]
struct Listing<'a> {
    #[serde(borrow, default)]
    cursor: Option<CowKey<'a>>,
    #[serde(borrow, rename = "_meta", default)]
    meta: RequestMetaSlices<'a>,
}

impl WireParams for ListParams {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error> {
        let listing = Params::<Listing<'de>>::deserialize(params)?.0;
        Ok(Self { cursor: listing.cursor.map(|text| keep_str(text.0, frame)), meta: listing.meta.keep(frame) })
    }
}

impl WireParams for EmptyParams {
    fn read<'de, D: Deserializer<'de>>(params: D, frame: &Str) -> Result<Self, D::Error> {
        let listing = Params::<Listing<'de>>::deserialize(params)?.0;
        Ok(Self { meta: listing.meta.keep(frame) })
    }
}
