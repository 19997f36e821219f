//! Content of results: printed as text, or saved to a file.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ferromcp_core::model::{ContentBlock, ResourceBody, ResourceContents};
use ferromcp_core::text::excerpt;

use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::terminal_image;

/// Binary content, or text.
#[derive(Debug, Clone, Copy)]
enum Body<'a> {
    Text(&'a str),
    /// Base64.
    Binary(&'a str),
}

/// Prints a content block, followed by a line feed.
pub(crate) fn print_block(block: &ContentBlock, out: &mut Output) -> Result<(), Failure> {
    match block {
        ContentBlock::Text(text) => out.line(&text.text),
        ContentBlock::Image(image) => {
            terminal_image::show(&image.mime_type, &image.data, out)?;
            placeholder("image", Some(&image.mime_type), &image.data, out)
        }
        ContentBlock::Audio(audio) => placeholder("audio", Some(&audio.mime_type), &audio.data, out),
        ContentBlock::ResourceLink(link) => {
            let title = link.title.as_deref().unwrap_or(&link.name);
            out.line(&format!("[{title}] {}", link.uri))
        }
        ContentBlock::Resource(embedded) => print_contents(&embedded.resource, out),
        _ => out.line("[content of an unknown type]"),
    }
}

/// Prints the contents of a resource, followed by a line feed.
pub(crate) fn print_contents(contents: &ResourceContents, out: &mut Output) -> Result<(), Failure> {
    match &contents.body {
        ResourceBody::Text(text) => out.line(text),
        ResourceBody::Blob(data) => {
            terminal_image::show(contents.mime_type.as_deref().unwrap_or_default(), data, out)?;
            placeholder("binary content", contents.mime_type.as_deref(), data, out)
        }
        _ => out.line("[contents of an unknown type]"),
    }
}

fn placeholder(kind: &str, mime_type: Option<&str>, data: &str, out: &mut Output) -> Result<(), Failure> {
    let mime_type = mime_type.map(|name| format!(", {}", excerpt(name))).unwrap_or_default();
    out.line(&format!("[{kind}{mime_type}, {} bytes; save it with `-o FILE`]", decoded_length(data)))
}

fn decoded_length(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

/// Saves the content of a tool result: the binary content if there is any, else the text.
pub(crate) fn save_blocks(blocks: &[ContentBlock], path: &Path) -> Result<(), Failure> {
    fn body(block: &ContentBlock) -> Option<Body<'_>> {
        match block {
            ContentBlock::Text(text) => Some(Body::Text(&text.text)),
            ContentBlock::Image(image) => Some(Body::Binary(&image.data)),
            ContentBlock::Audio(audio) => Some(Body::Binary(&audio.data)),
            ContentBlock::Resource(embedded) => body_of(&embedded.resource),
            _ => None,
        }
    }
    save(blocks.iter().filter_map(body).collect(), path)
}

/// Saves the contents of a resource: the binary contents if there are any, else the text.
pub(crate) fn save_contents(contents: &[ResourceContents], path: &Path) -> Result<(), Failure> {
    save(contents.iter().filter_map(body_of).collect(), path)
}

fn body_of(contents: &ResourceContents) -> Option<Body<'_>> {
    match &contents.body {
        ResourceBody::Text(text) => Some(Body::Text(text)),
        ResourceBody::Blob(data) => Some(Body::Binary(data)),
        _ => None,
    }
}

fn save(mut bodies: Vec<Body<'_>>, path: &Path) -> Result<(), Failure> {
    if bodies.iter().any(|body| matches!(body, Body::Binary(_))) {
        bodies.retain(|body| matches!(body, Body::Binary(_)));
    }
    if bodies.is_empty() {
        return Err(Failure::new(Exit::Protocol, "cannot save the result: it has no content"));
    }
    if path == Path::new("-") {
        let mut stdout = io::stdout().lock();
        for body in bodies {
            stdout.write_all(&bytes(body)?)?;
        }
        return Ok(stdout.flush()?);
    }
    for (index, body) in bodies.into_iter().enumerate() {
        let path = numbered(path, index);
        let bytes = bytes(body)?;
        File::create(&path)
            .and_then(|mut file| file.write_all(&bytes))
            .map_err(|error| Failure::usage(format!("cannot write `{}`: {error}", path.display())))?;
        crate::terminal::message(format_args!("saved {} ({} bytes)", path.display(), bytes.len()));
    }
    Ok(())
}

/// Returns the path of the content with this index: `image.png`, `image-2.png`, ….
fn numbered(path: &Path, index: usize) -> PathBuf {
    if index == 0 {
        return path.to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{}", index + 1));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

fn bytes(body: Body<'_>) -> Result<Vec<u8>, Failure> {
    match body {
        Body::Text(text) => Ok(text.as_bytes().to_vec()),
        Body::Binary(data) => STANDARD.decode(data).map_err(|error| {
            Failure::new(Exit::Protocol, format!("cannot save the result: the server sent invalid base64: {error}"))
        }),
    }
}

#[cfg(test)]
mod tests {
    use ferromcp_core::model::ImageContent;

    use super::*;

    #[test]
    fn binary_content_is_saved_before_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.x.png");
        let image = |data: &str| ContentBlock::Image(ImageContent::new(data, "image/png"));
        let blocks = [ContentBlock::text("caption"), image("AAE="), image("Ag==")];
        save_blocks(&blocks, &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), [0, 1]);
        assert_eq!(std::fs::read(folder.path().join("out.x-2.png")).unwrap(), [2]);
        save_blocks(&blocks[..1], &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"caption");
        assert_eq!(save_blocks(&[], &path).unwrap_err().exit, Exit::Protocol);
        assert_eq!(save_blocks(&[image("?")], &path).unwrap_err().exit, Exit::Protocol);
        assert_eq!(decoded_length("AAE="), 2);
    }
}
