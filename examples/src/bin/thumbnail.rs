//! A CPU-bound tool that reads and returns images and runs on the blocking thread pool.

use std::io::Cursor;
use std::path::PathBuf;

use ferromcp::prelude::*;
use ferromcp::server::Image;
use image::{ImageFormat, ImageReader};

/// Make a thumbnail of a PNG file
#[tool(blocking, annotations(read_only, open_world = false))]
fn create_thumbnail(
    /// Path of the image
    path: PathBuf,
    /// The longest side of the thumbnail, in pixels
    #[arg(range(1..=512), default = 128)]
    side: u32,
) -> Result<(String, Image), ToolError> {
    let picture = ImageReader::open(path)?.with_guessed_format()?.decode()?;
    let thumbnail = picture.thumbnail(side, side);
    let mut png = Cursor::new(Vec::new());
    thumbnail.write_to(&mut png, ImageFormat::Png)?;
    Ok((format!("{} x {} pixels", thumbnail.width(), thumbnail.height()), Image::new(png.into_inner())?))
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Pictures", "1.0.0").tool::<create_thumbnail>().serve(stdio()).await
}
