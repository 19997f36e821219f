//! Resources: fixed and behind templates, their kinds, and those that are not there.

use ferromcp_core::model::{Annotations, Icon, ResourceContents, Role};
use ferromcp_core::{Error, Revision};
use ferromcp_server::{Arg, Ctx, File, Json, Resource, Server, Tool, ToolError};
use serde_json::{Value, json};

use crate::client::{Case, Client};

fn server() -> Server {
    Server::new("resources", "0")
        .with_resource(Resource::sync("notes://one", || "1").name("one"))
        .with_resource(Resource::sync("notes://json", || Json(json!({ "a": 1 }))))
        .with_resource(Resource::sync("notes://bytes", || b"\xff\xfe\x00".to_vec()))
        .with_resource(Resource::sync("notes://nul", || b"a\0b".to_vec()))
        .with_resource(Resource::sync("notes://control", || b"a\x01b".to_vec()).mime_type("text/plain"))
        .with_resource(Resource::sync("notes://octets", || b"text".to_vec()).mime_type("application/octet-stream"))
        .with_resource(Resource::sync("notes://file.bin", || File::new("notes://file.bin", *b"\0\0")))
        .with_resource(Resource::sync("notes://logo.png", || b"\x89PNG\r\n\x1a\n____".to_vec()))
        .with_resource(Resource::sync("notes://page", || "<p>").mime_type("text/html"))
        .with_resource(Resource::sync("notes://file", || File::new("notes://file", "x = 1")))
        .with_resource(Resource::sync("notes://two", || {
            vec![ResourceContents::text("notes://two/a", "a"), ResourceContents::blob("notes://two/b", "Yg==")]
        }))
        .with_resource(Resource::sync("notes://empty", Vec::<ResourceContents>::new))
        .with_resource(Resource::sync("notes://gone", || None::<String>))
        .with_resource(Resource::sync("notes://broken", || Err::<String, _>(ToolError::new("disk on fire"))))
        .with_resource(Resource::sync("notes://panics", || -> String { panic!("secret") }))
        .with_resource(Resource::sync("notes://refused", || {
            Err::<String, ToolError>(Error::invalid_params("not today").into())
        }))
        .with_resource(Resource::new("user://{name}", |name: String| async move { name }).name("user").args(["name"]))
        .with_resource(Resource::sync("user://{name}/age", |name: String| format!("age of {name}")).args(["name"]))
        .with_resource(Resource::sync("user://root", || "the root"))
        .with_resource(
            Resource::sync("item://{id}", |id: u32| id.to_string()).args([Arg::new("id").range::<u32>(1..10)]),
        )
        .with_resource(
            Resource::blocking("file:///{+path}", |path: String| path).args(["path"]).mime_type("text/plain"),
        )
        .with_resource(Resource::sync("raw:///{+path}", |path: String| path).args(["path"]).allow_unsafe_paths())
        .with_resource(Resource::sync("tree:{/parts*}", |parts: Vec<String>| parts.join("|")).args(["parts"]))
        .with_resource(
            Resource::sync("find://all{?q,limit}", |q: Option<String>, limit: u8| format!("{q:?} {limit}"))
                .args([Arg::new("q"), Arg::new("limit").default::<u8>(9)]),
        )
}

async fn read(client: &mut Client, uri: &str) -> Value {
    let result = client.result("resources/read", json!({ "uri": uri })).await;
    assert_eq!(result["contents"].as_array().unwrap().len(), 1, "{result}");
    result["contents"][0].clone()
}

#[tokio::test]
async fn contents_have_uri_and_mime_type_when_resource_is_read() {
    // M26-364, M26-370, M26-371, S-277, S-278, S-284, S-286, S-288
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for (uri, mime_type, member, value) in [
            ("notes://one", "text/plain", "text", "1"),
            ("notes://json", "application/json", "text", "{\"a\":1}"),
            ("notes://bytes", "application/octet-stream", "blob", "//4A"),
            ("notes://nul", "application/octet-stream", "blob", "YQBi"),
            ("notes://control", "text/plain", "blob", "YQFi"),
            ("notes://octets", "application/octet-stream", "blob", "dGV4dA=="),
            ("notes://file.bin", "application/octet-stream", "blob", "AAA="),
            ("notes://logo.png", "image/png", "blob", "iVBORw0KGgpfX19f"),
            ("notes://page", "text/html", "text", "<p>"),
            ("notes://file", "text/plain", "text", "x = 1"),
            ("file:///etc/hosts", "text/plain", "text", "etc/hosts"),
        ] {
            let contents = read(&mut client, uri).await;
            assert_eq!(contents, json!({ "uri": uri, "mimeType": mime_type, member: value }), "{uri}");
        }
    }
}

#[tokio::test]
async fn several_contents_are_returned_when_handler_returns_several() {
    // M26-359, S-288
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let result = client.result("resources/read", json!({ "uri": "notes://two" })).await;
        assert_eq!(
            result["contents"],
            json!([{ "uri": "notes://two/a", "text": "a" }, { "uri": "notes://two/b", "blob": "Yg==" }])
        );
    }
}

#[tokio::test]
async fn not_found_error_is_returned_when_resource_is_missing() {
    // M26-026, M26-029, M26-366, M26-369, S-022, S-280
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for uri in ["notes://none", "notes://empty", "notes://gone", "notes://ONE", "notes://one/", "", "://", "no uri"]
        {
            let error = client.error("resources/read", json!({ "uri": uri })).await;
            assert_eq!(error["code"], if case.is_modern() { -32602 } else { -32002 }, "{uri}: {error}");
            assert_eq!(error["data"], json!({ "uri": uri }));
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn internal_error_is_returned_when_resource_fails_or_panics() {
    // M26-367, S-281, M26-428
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let error = client.error("resources/read", json!({ "uri": "notes://broken" })).await;
        assert_eq!((&error["code"], &error["message"]), (&json!(-32603), &json!("disk on fire")));
        let error = client.error("resources/read", json!({ "uri": "notes://panics" })).await;
        assert_eq!(error["code"], -32603);
        assert!(!error.to_string().contains("secret"), "{error}");
        let error = client.error("resources/read", json!({ "uri": "notes://refused" })).await;
        assert_eq!(error["code"], -32602);
    }
}

#[tokio::test]
async fn most_specific_template_is_read_when_several_templates_match() {
    // M26-354, M26-373, S-282, S-289
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for (uri, expected) in [
            ("user://ann", "ann"),
            ("user://root", "the root"),
            ("user://ann/age", "age of ann"),
            ("user://J%C3%BCrgen%20K", "J\u{fc}rgen K"),
            ("item://7", "7"),
            ("file:///a/b/c.txt", "a/b/c.txt"),
            ("tree:/a/b/c", "a|b|c"),
            ("tree:/a%2Cb/c", "a,b|c"),
            ("find://all", "None 9"),
            ("find://all?q=x", "Some(\"x\") 9"),
            ("find://all?q=a%26b&limit=3", "Some(\"a&b\") 3"),
        ] {
            let contents = read(&mut client, uri).await;
            assert_eq!((&contents["text"], &contents["uri"]), (&json!(expected), &json!(uri)));
        }
    }
}

#[tokio::test]
async fn read_is_rejected_when_template_variable_is_an_unsafe_path() {
    // M26-373, M26-376, S-282, S-304
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for uri in [
            "file:///../etc/passwd",
            "file:///a/../../etc/passwd",
            "file:///%2e%2e/etc/passwd",
            "file:///a/%2E%2E%2Fb",
            "file:////etc/passwd",
            "file:///a%00b",
            "file:///..",
            "file:///a\\..\\b",
            "user://..",
            "user://%2e%2e%2fetc",
            "user://a%2fb",
            "tree:/a/../b",
            // Absolute paths of Windows: a drive, and UNC.
            "file:///C:/windows/win.ini",
            "file:///c:/windows",
            "file:///C%3A/windows",
            "file:///C%3a%5Cwindows",
            "file:///C:",
            "file:////server/share/x",
            "file://///server/share/x",
            "file:///%2F%2Fserver%2Fshare/x",
            "file:///\\\\server\\share\\x",
            "file:///%5C%5Cserver%5Cshare%5Cx",
            "file:///%5C%5C%3F%5CC:%5Cwindows",
            "file:///%5C%5C.%5Cpipe%5Cx",
            "user://C:",
            "user://C%3A%5Cwindows",
            "user://%5C%5Cserver%5Cshare",
            "tree:/C:/windows",
        ] {
            let error = client.error("resources/read", json!({ "uri": uri })).await;
            let code = error["code"].as_i64().unwrap();
            assert!(code == -32602 || code == -32002, "{uri}: {error}");
        }
        for path in ["../x", "C:/windows/win.ini", "//server/share"] {
            let contents = read(&mut client, &format!("raw:///{path}")).await;
            assert_eq!(contents["text"], path, "the function said it checks for itself");
        }
    }
}

#[tokio::test]
async fn invalid_params_is_returned_when_template_variable_is_invalid() {
    // M26-373, S-282
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for uri in ["item://x", "item://-1", "item://0", "item://10", "find://all?limit=300"] {
            let error = client.error("resources/read", json!({ "uri": uri })).await;
            assert_eq!(error["code"], -32602, "{uri}: {error}");
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn full_definition_is_returned_when_resources_are_listed() {
    // M26-354, M26-377, M26-378, M26-372, S-060, S-289, S-290, S-291
    for case in Case::all() {
        let mark = |resource: Resource| {
            resource
                .name("logo")
                .title("The Logo")
                .describe("Ours.")
                .mime_type("image/png")
                .size(12)
                .icon(Icon::new("https://example.com/i.png"))
                .priority(3.0)
                .audience([Role::User])
                .meta("com.example/x", &1)
        };
        let server = Server::new("list", "0")
            .with_resource(mark(Resource::sync("logo://fixed", || "x")))
            .with_resource(mark(Resource::sync("logo://{name}", |name: String| name).args(["name"])));
        let mut client = Client::connect(server, case).await;
        let fixed = client.result("resources/list", Value::Null).await["resources"].clone();
        let templates = client.result("resources/templates/list", Value::Null).await["resourceTemplates"].clone();
        assert_eq!((fixed.as_array().unwrap().len(), templates.as_array().unwrap().len()), (1, 1));
        assert_eq!((&fixed[0]["uri"], &fixed[0]["size"]), (&json!("logo://fixed"), &json!(12)));
        assert_eq!((&templates[0]["uriTemplate"], templates[0].get("size")), (&json!("logo://{name}"), None));
        for listed in [&fixed[0], &templates[0]] {
            assert_eq!(
                (&listed["name"], &listed["description"], &listed["mimeType"]),
                (&json!("logo"), &json!("Ours."), &json!("image/png"))
            );
            assert_eq!(listed["annotations"], json!({ "audience": ["user"], "priority": 1.0 }));
            assert_eq!(listed.get("title").is_some(), case.revision >= Revision::V2025_06_18);
            assert_eq!(listed.get("_meta").is_some(), case.revision >= Revision::V2025_06_18);
            assert_eq!(listed.get("icons").is_some(), case.revision >= Revision::V2025_11_25);
        }
    }
    let annotated = Annotations::default().priority(f64::NAN).last_modified("2026-01-01T00:00:00Z");
    assert_eq!(
        serde_json::to_value(annotated).unwrap(),
        json!({ "priority": 0.0, "lastModified": "2026-01-01T00:00:00Z" })
    );
}

#[tokio::test]
async fn resource_list_is_empty_when_server_has_only_templates() {
    // M26-355, M26-356, S-269
    for case in Case::all() {
        let server = Server::new("templates", "0")
            .with_resource(Resource::sync("user://{name}", |name: String| name).args(["name"]));
        let registry = server.registry().clone();
        let mut client = Client::connect(server, case).await;
        assert_eq!(client.result("resources/list", Value::Null).await["resources"], json!([]));
        registry.add_resource(Resource::sync("user://ann", || "Ann")).unwrap();
        assert_eq!(client.result("resources/list", Value::Null).await["resources"][0]["uri"], "user://ann");
        assert_eq!(read(&mut client, "user://ann").await["text"], "Ann");
        assert!(registry.remove_resource("user://ann") && registry.remove_resource("user://{name}"));
        assert_eq!(client.error("resources/list", Value::Null).await["code"], -32601, "nothing is offered any more");
    }
}

#[tokio::test]
async fn handler_receives_contents_when_it_reads_resource() {
    // M26-366, S-280
    for case in Case::all() {
        let server = server().with_tool(
            Tool::new("peek", |uri: String, ctx: Ctx| async move {
                match ctx.read_resource(&uri).await {
                    Ok(result) => result.contents[0].as_text().unwrap_or("a blob").to_owned(),
                    Err(error) => format!("{}", error.code.0),
                }
            })
            .args(["uri", "ctx"]),
        );
        let mut client = Client::connect(server, case).await;
        assert_eq!(client.text("peek", json!({ "uri": "user://ann" })).await, "ann");
        assert_eq!(client.text("peek", json!({ "uri": "notes://none" })).await, "-32002");
    }
}

#[tokio::test]
async fn resource_is_read_when_the_uri_is_equivalent() {
    // S9
    for case in Case::all() {
        let server = Server::new("uris", "0")
            .with_resource(Resource::sync("WordPress://site/X", || "fixed"))
            .with_resource(Resource::sync("https://Example.com", || "home"))
            .with_resource(Resource::sync("notes://a%20b/%C3%BC", || "spaced"))
            .with_resource(Resource::sync("Blog://{Post}/Text", |post: String| post).args(["Post"]))
            .with_resource(Resource::sync("https://API.example.com/{+path}", |path: String| path).args(["path"]))
            .with_resource(
                Resource::sync("http://docs.example.com{?page}", |page: Option<String>| {
                    page.unwrap_or_else(|| "none".into())
                })
                .args(["page"]),
            );
        let mut client = Client::connect(server, case).await;
        for (uri, text) in [
            ("WordPress://site/X", "fixed"),
            ("wordpress://site/X", "fixed"),
            ("https://Example.com", "home"),
            ("https://example.com/", "home"),
            ("HTTPS://EXAMPLE.COM:443", "home"),
            ("notes://a%20b/%c3%bc", "spaced"),
            ("notes://a b/\u{fc}", "spaced"),
            ("blog://Hello/Text", "Hello"),
            ("https://api.example.com/A/b", "A/b"),
            ("https://API.example.com:443/A", "A"),
            ("http://docs.example.com", "none"),
            ("http://docs.example.com/", "none"),
            ("http://docs.example.com/?page=Two", "Two"),
            ("http://DOCS.example.com?page=Two", "Two"),
        ] {
            let contents = read(&mut client, uri).await;
            assert_eq!((&contents["text"], &contents["uri"]), (&json!(text), &json!(uri)), "{uri}");
        }
        for uri in [
            "wordpress://site/x",
            "wordpress://Site/X",
            "https://example.com/x",
            "http://example.com/",
            "blog://Hello/text",
        ] {
            let error = client.error("resources/read", json!({ "uri": uri })).await;
            assert_eq!(error["code"], if case.is_modern() { -32602 } else { -32002 }, "{uri}: {error}");
        }
    }
}

#[tokio::test]
async fn configuration_error_is_reported_when_two_uris_are_equivalent() {
    // S9
    for (one, two) in
        [("a://x", "A://x"), ("https://h", "https://H/"), ("a://%2f", "a://%2F"), ("b://{id}", "B://{id}")]
    {
        let resource = |uri: &str| {
            let resource = Resource::sync(uri, |id: Option<String>| id.unwrap_or_default());
            resource.args(["id"])
        };
        let server = Server::new("twice", "0").with_resource(resource(one)).with_resource(resource(two));
        let words = server.check().unwrap_err().to_string();
        assert!(words.contains(&format!("two resources are at `{two}`")), "{words}");
        let server = Server::new("once", "0").with_resource(resource(one));
        assert!(server.registry().remove_resource(two));
    }
}
