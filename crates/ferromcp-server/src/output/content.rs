//! Conversion of values to content blocks.

use ferromcp_core::model::{AudioContent, ContentBlock, EmbeddedResource, ImageContent, ResourceLink, TextContent};

/// A value that converts to any number of content blocks.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be converted to content",
    label = "not text, not content",
    note = "content is text, `Image`, `Audio`, `File`, `ResourceLink`, `ContentBlock`, or a `Vec`, `Option` or tuple of these",
    note = "wrap lists of numbers, maps and other data as a whole in `Json<..>`"
)]
pub trait IntoContent: Send + 'static {
    /// Appends the blocks.
    fn push_into(self, content: &mut Vec<ContentBlock>);

    /// Returns the blocks.
    fn into_content(self) -> Vec<ContentBlock>
    where
        Self: Sized,
    {
        let mut content = Vec::new();
        self.push_into(&mut content);
        content
    }
}

macro_rules! one_block {
    ($($type:ty: $value:ident => $block:expr,)*) => {
        $(impl IntoContent for $type {
            fn push_into(self, content: &mut Vec<ContentBlock>) {
                let $value = self;
                content.push($block);
            }
        })*
    };
}

one_block! {
    ContentBlock: block => block,
    TextContent: text => ContentBlock::Text(text),
    ImageContent: image => ContentBlock::Image(image),
    AudioContent: audio => ContentBlock::Audio(audio),
    ResourceLink: link => ContentBlock::ResourceLink(link),
    EmbeddedResource: resource => ContentBlock::Resource(resource),
    String: text => ContentBlock::text(text),
    &'static str: text => ContentBlock::text(text),
    char: text => ContentBlock::text(text),
}

impl IntoContent for () {
    fn push_into(self, _: &mut Vec<ContentBlock>) {}
}

impl<T: IntoContent> IntoContent for Option<T> {
    fn push_into(self, content: &mut Vec<ContentBlock>) {
        if let Some(value) = self {
            value.push_into(content);
        }
    }
}

impl<T: IntoContent> IntoContent for Vec<T> {
    fn push_into(self, content: &mut Vec<ContentBlock>) {
        for value in self {
            value.push_into(content);
        }
    }
}

macro_rules! tuple {
    ($($T:ident $index:tt),*) => {
        impl<$($T: IntoContent),*> IntoContent for ($($T,)*) {
            fn push_into(self, content: &mut Vec<ContentBlock>) {
                $(self.$index.push_into(content);)*
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
