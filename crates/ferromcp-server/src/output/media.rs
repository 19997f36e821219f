//! Images, audio and files as content, with MIME type detection.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ferromcp_core::model::{AudioContent, ContentBlock, EmbeddedResource, ImageContent, ResourceContents};

use super::content::IntoContent;
use crate::mime;

/// The error for data that is not of the expected media type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaError {
    wanted: &'static str,
    found: String,
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} data, but the bytes are {}", self.wanted, self.found)
    }
}

impl std::error::Error for MediaError {}

macro_rules! media {
    ($(#[$doc:meta])* $name:ident, $content:ident, $block:ident, $family:literal, $wanted:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            bytes: Vec<u8>,
            mime_type: String,
        }

        impl $name {
            /// Creates a value from bytes and detects the MIME type.
            ///
            /// # Errors
            /// Fails if the bytes are of another media type.
            pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, MediaError> {
                let bytes = bytes.into();
                let found = mime::guess(None, &bytes).into_owned();
                if found.starts_with($family) {
                    Ok(Self { bytes, mime_type: found })
                } else {
                    Err(MediaError { wanted: $wanted, found })
                }
            }

            /// Creates a value with this MIME type, without detection.
            pub fn with_mime_type(bytes: impl Into<Vec<u8>>, mime_type: impl Into<String>) -> Self {
                Self { bytes: bytes.into(), mime_type: mime_type.into() }
            }

            /// Returns the MIME type.
            pub fn mime_type(&self) -> &str {
                &self.mime_type
            }
        }

        impl From<$name> for ContentBlock {
            fn from(media: $name) -> Self {
                Self::$block($content::new(STANDARD.encode(media.bytes), media.mime_type))
            }
        }

        impl IntoContent for $name {
            fn push_into(self, content: &mut Vec<ContentBlock>) {
                content.push(self.into());
            }
        }
    };
}

media! {
    /// An image, returned by a tool or used in a prompt.
    ///
    /// ```
    /// use ferromcp_server::Image;
    /// let png = Image::new(*b"\x89PNG\r\n\x1a\n____")?;
    /// assert_eq!(png.mime_type(), "image/png");
    /// # Ok::<_, ferromcp_server::MediaError>(())
    /// ```
    Image, ImageContent, Image, "image/", "image"
}
media! {
    /// Audio, returned by a tool or used in a prompt.
    Audio, AudioContent, Audio, "audio/", "audio"
}

/// A file as an embedded resource: text if it is valid text, otherwise base64.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    contents: ResourceContents,
}

impl File {
    /// Creates a file at `uri`. The MIME type is detected from the bytes and the extension of the URI.
    pub fn new(uri: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let (uri, bytes) = (uri.into(), bytes.into());
        let mime_type = mime::guess(Some(Path::new(&uri)), &bytes).into_owned();
        Self { contents: contents(uri, bytes, mime_type) }
    }

    /// Sets the MIME type.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.contents = self.contents.mime_type(mime_type);
        self
    }

    /// Returns the file as resource contents.
    pub fn into_contents(self) -> ResourceContents {
        self.contents
    }
}

/// Creates resource contents at `uri`: text if the bytes are text and the MIME type is not binary.
///
/// Valid UTF-8 with NUL or other control characters is binary data. As JSON text, each would take six bytes.
pub(super) fn contents(uri: String, bytes: Vec<u8>, mime_type: String) -> ResourceContents {
    let binary = (["image/", "audio/", "video/", "font/"].iter().any(|family| mime_type.starts_with(family))
        && mime_type != "image/svg+xml")
        || mime_type.starts_with("application/octet-stream")
        || !mime::is_text(&bytes);
    let contents = match String::from_utf8(bytes) {
        Ok(text) if !binary => ResourceContents::text(uri, text),
        Ok(text) => ResourceContents::blob(uri, STANDARD.encode(text)),
        Err(error) => ResourceContents::blob(uri, STANDARD.encode(error.into_bytes())),
    };
    contents.mime_type(mime_type)
}

impl From<File> for ContentBlock {
    fn from(file: File) -> Self {
        Self::Resource(EmbeddedResource::new(file.contents))
    }
}

impl IntoContent for File {
    fn push_into(self, content: &mut Vec<ContentBlock>) {
        content.push(self.into());
    }
}
