//! Resources that can be read and reads that are rejected.

use std::fs;
use std::path::PathBuf;

use ferromcp::core::Revision;
use serde_json::json;

use crate::peer::Peer;

fn in_both_eras(test: impl Fn(&mut Peer)) {
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("shop-{revision}"));
        fs::create_dir_all(folder.join("manual/saws")).expect("a folder");
        fs::write(folder.join("secret.txt"), "do not read").expect("a file");
        fs::write(folder.join("manual/saws/care of.md"), "Oil it.").expect("a file");
        let mut peer = Peer::start(env!("CARGO_BIN_EXE_resources"), &[folder.join("manual").as_os_str()], revision);
        test(&mut peer);
        assert_eq!(peer.end(), "");
    }
}

// M26-371, S-284
#[test]
fn resources_return_text_json_and_bytes() {
    in_both_eras(|peer| {
        assert_eq!(
            peer.names("resources/list", "resources"),
            ["config", "article 0", "article 1", "article 2", "pixel"]
        );
        assert_eq!(peer.names("resources/templates/list", "resourceTemplates"), ["article", "page"]);
        let config = peer.read("config://app");
        assert_eq!(config["mimeType"], "application/toml");
        assert_eq!(config["text"], "theme = \"dark\"\n");
        let article = peer.read("stock://top%20left/1");
        assert_eq!(article["mimeType"], "application/json");
        let value: serde_json::Value = serde_json::from_str(article["text"].as_str().expect("text")).expect("JSON");
        assert_eq!(value, json!({ "shelf": "top left", "number": 1, "name": "saw" }));
        let pixel = peer.read("picture://pixel");
        assert_eq!(pixel["mimeType"], "image/png");
        assert!(pixel["blob"].as_str().is_some_and(|blob| blob.starts_with("iVBORw0KGgo")), "{pixel}");
        assert_eq!(peer.read("manual:///saws/care%20of.md")["text"], "Oil it.");
    });
}

#[test]
fn ttl_is_sent_when_revision_has_caching_hints() {
    in_both_eras(|peer| {
        let result = peer.ask("resources/read", json!({ "uri": "config://app" }));
        let expected = if peer.is_modern() { json!(60_000) } else { json!(null) };
        assert_eq!(result["ttlMs"], expected);
    });
}

// M26-366
#[test]
fn read_fails_when_resource_does_not_exist() {
    in_both_eras(|peer| {
        let not_found = if peer.is_modern() { -32602 } else { -32002 };
        for uri in ["stock://top/7", "nothing://here"] {
            let error = peer.fail("resources/read", json!({ "uri": uri }));
            assert_eq!(error["code"], not_found, "{error}");
            assert_eq!(error["data"]["uri"], uri, "{error}");
        }
        let error = peer.fail("resources/read", json!({ "uri": "stock://top/two" }));
        assert_eq!(error["code"], -32602, "an invalid number is an invalid params error: {error}");
    });
}

#[test]
fn read_is_rejected_when_path_leaves_directory() {
    in_both_eras(|peer| {
        for path in [
            "../secret.txt",
            "saws/../../secret.txt",
            "%2e%2e/secret.txt",
            "/etc/passwd",
            "saws%5C..%5C..%5Csecret.txt",
        ] {
            let error = peer.fail("resources/read", json!({ "uri": format!("manual:///{path}") }));
            assert_eq!(error["code"], -32602, "{path}: {error}");
            let words = error["message"].as_str().expect("words");
            assert!(words.starts_with("the URI's value for `path` is refused: it "), "{path}: {words}");
        }
    });
}
