//! A real picture in, a real picture out.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ferromcp::core::Revision;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::json;

use crate::peer::Peer;

#[test]
fn thumbnail_is_returned_as_image() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("large.png");
    let red = Rgb([200, 10, 10]);
    RgbImage::from_pixel(400, 100, red).save_with_format(&path, ImageFormat::Png).expect("a picture");
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let mut peer = Peer::start(env!("CARGO_BIN_EXE_thumbnail"), &[], revision);
        let result = peer.call("create_thumbnail", json!({ "path": path, "side": 40 }));
        assert_eq!(result["content"][0]["text"], "40 x 10 pixels");
        assert_eq!(result["content"][1]["type"], "image");
        assert_eq!(result["content"][1]["mimeType"], "image/png");
        let png = STANDARD.decode(result["content"][1]["data"].as_str().expect("data")).expect("base64");
        let thumbnail = image::load_from_memory_with_format(&png, ImageFormat::Png).expect("a PNG").to_rgb8();
        assert_eq!(thumbnail.dimensions(), (40, 10));
        assert_eq!(thumbnail.get_pixel(20, 5), &red);

        let words = peer.call_in_vain("create_thumbnail", json!({ "path": path.with_extension("txt") }));
        assert!(words.contains("No such file") || words.contains("cannot find"), "{words}");
        assert_eq!(peer.end(), "");
    }
}
