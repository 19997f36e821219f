//! The `setters!` macro, which defines the consuming setters of the public structs.

/// Defines a consuming setter for each listed field. The list repeats the declarations of the fields.
///
/// The setter of an `Option<T>` takes a `T`; strings and JSON are converted with `Into`, and lists are collected from an
/// iterator.
macro_rules! setters {
    ($name:ident { $($fields:tt)* }) => {
        impl $name {
            $crate::setters::setters!(@each $($fields)* ,);
        }
    };
    (@each $(,)?) => {};
    (@each $field:ident: Option<String>, $($rest:tt)*) => {
        $crate::setters::setters!(@define $field, impl Into<String>, Some($field.into()));
        $crate::setters::setters!(@each $($rest)*);
    };
    (@each $field:ident: Option<Str>, $($rest:tt)*) => {
        $crate::setters::setters!(@define $field, impl Into<Str>, Some($field.into()));
        $crate::setters::setters!(@each $($rest)*);
    };
    (@each $field:ident: Option<RawJson>, $($rest:tt)*) => {
        $crate::setters::setters!(@define $field, impl Into<RawJson>, Some($field.into()));
        $crate::setters::setters!(@each $($rest)*);
    };
    (@each $field:ident: Option<Number>, $($rest:tt)*) => {
        $crate::setters::setters!(@define $field, impl Into<Number>, Some($field.into()));
        $crate::setters::setters!(@each $($rest)*);
    };
    (@each $field:ident: Option<Vec<String>>, $($rest:tt)*) => {
        $crate::setters::setters!(@define $field, impl IntoIterator<Item = impl Into<String>>,
            Some($field.into_iter().map(Into::into).collect()));
        $crate::setters::setters!(@each $($rest)*);
    };
    (@each $field:ident: Option<Vec<$item:ty>>, $($rest:tt)*) => {
        $crate::setters::setters!(@define $field, impl IntoIterator<Item = $item>,
            Some($field.into_iter().collect()));
        $crate::setters::setters!(@each $($rest)*);
    };
    (@each $field:ident: Option<$value:ty>, $($rest:tt)*) => {
        $crate::setters::setters!(@define $field, $value, Some($field));
        $crate::setters::setters!(@each $($rest)*);
    };
    (@each $field:ident: Vec<$item:ty>, $($rest:tt)*) => {
        $crate::setters::setters!(@define $field, impl IntoIterator<Item = $item>, $field.into_iter().collect());
        $crate::setters::setters!(@each $($rest)*);
    };
    (@each $field:ident: String, $($rest:tt)*) => {
        $crate::setters::setters!(@define $field, impl Into<String>, $field.into());
        $crate::setters::setters!(@each $($rest)*);
    };
    (@each $field:ident: $value:ty, $($rest:tt)*) => {
        $crate::setters::setters!(@define $field, $value, $field);
        $crate::setters::setters!(@each $($rest)*);
    };
    (@define $field:ident, $argument:ty, $value:expr) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](field@Self::", stringify!($field), ").")]
        pub fn $field(mut self, $field: $argument) -> Self {
            self.$field = $value;
            self
        }
    };
}

pub(crate) use setters;

#[cfg(test)]
mod tests {
    use crate::model::{Choice, FieldType, FormSchema, Icon, Implementation, PrimitiveSchema, Task, TaskStatus};
    use crate::{ProgressToken, RawJson, RequestMeta};

    #[test]
    fn converts_argument_when_setter_is_called() {
        let field = PrimitiveSchema::new(FieldType::String)
            .title("Name")
            .min_length(1)
            .minimum(2)
            .choices(["a", "b"])
            .one_of([Choice::new("a", "A")])
            .default(serde_json::json!("a"));
        let json = concat!(
            r#"{"type":"string","title":"Name","minLength":1,"minimum":2,"enum":["a","b"],"#,
            r#""oneOf":[{"const":"a","title":"A"}],"default":"a"}"#
        );
        assert_eq!(serde_json::to_string(&field).unwrap(), json);
        assert_eq!(FormSchema::new(vec![]).required(["a"]).required, Some(vec!["a".to_owned()]));
        assert_eq!(Implementation::new("n", "1").icons([Icon::new("data:,")]).icons.len(), 1);
        let task = Task::new("t", "now").status(TaskStatus::Failed).last_updated_at("later").ttl(5);
        assert_eq!((task.status, &*task.last_updated_at, task.ttl), (TaskStatus::Failed, "later", Some(5)));
        let meta = RequestMeta::default().protocol_version("x").client_info(RawJson::null()).progress_token(1.into());
        assert_eq!(meta.protocol_version.unwrap(), "x");
        assert_eq!(meta.progress_token, Some(ProgressToken::from(1)));
    }
}
