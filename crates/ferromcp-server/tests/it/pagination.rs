//! Pagination of lists with opaque, stable, validated cursors.

use ferromcp_server::{Prompt, Resource, Server, ServerLimits, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client};

const LISTS: [(&str, &str); 4] = [
    ("tools/list", "tools"),
    ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
    ("prompts/list", "prompts"),
];

fn server(count: usize) -> Server {
    let limits = ServerLimits::new().page_size(3);
    (0..count).fold(Server::new("pages", "0").limits(limits), |server, n| {
        server
            .with_tool(Tool::sync(format!("n{n}"), || ""))
            .with_resource(Resource::sync(format!("n://{n}"), || "").name(format!("n{n}")))
            .with_resource(Resource::sync(format!("t{n}://{{x}}"), |x: String| x).name(format!("n{n}")).args(["x"]))
            .with_prompt(Prompt::sync(format!("n{n}"), || ""))
    })
}

/// Follows all cursors of a list and returns the names.
async fn collect_names(client: &mut Client, method: &str, member: &str) -> Vec<String> {
    let (mut names, mut params) = (Vec::new(), json!({}));
    loop {
        let result = client.result(method, params).await;
        let page = result[member].as_array().unwrap();
        assert!(page.len() <= 3, "{result}");
        names.extend(page.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        match result.get("nextCursor") {
            None => return names,
            Some(cursor) => {
                assert_eq!(page.len(), 3, "{result}");
                assert!(cursor.as_str().is_some_and(|cursor| !cursor.is_empty()), "{result}");
                params = json!({ "cursor": cursor });
            }
        }
    }
}

#[tokio::test]
async fn pages_cover_list_once_in_order_when_all_cursors_are_followed() {
    // M26-313, M26-354, M26-380, M26-432, M26-435, M26-436, S-349, S-350
    for count in [1, 3, 4, 9, 10] {
        for case in Case::all() {
            let mut client = Client::connect(server(count), case).await;
            let expected: Vec<String> = (0..count).map(|n| format!("n{n}")).collect();
            for (method, member) in LISTS {
                assert_eq!(collect_names(&mut client, method, member).await, expected, "{method}");
            }
        }
    }
}

#[tokio::test]
async fn cursor_is_valid_when_reused_or_sent_on_another_connection() {
    // M26-037, M26-039, M26-433, S-342
    for case in Case::all() {
        let server = server(7);
        let (mut first, mut second) =
            (Client::connect(server.clone(), case).await, Client::connect(server, case).await);
        for (method, member) in LISTS {
            let cursor = first.result(method, json!({})).await["nextCursor"].clone();
            let pages = [
                first.result(method, json!({ "cursor": cursor })).await,
                first.result(method, json!({ "cursor": cursor })).await,
                second.result(method, json!({ "cursor": cursor })).await,
            ];
            assert_eq!(pages[0][member][0]["name"], "n3");
            assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
        }
    }
}

#[tokio::test]
async fn cursor_stays_valid_when_list_changes() {
    // M26-433, S-342
    for case in Case::all() {
        let server = server(7);
        let registry = server.registry().clone();
        let mut client = Client::connect(server, case).await;
        let cursor = client.result("tools/list", json!({})).await["nextCursor"].clone();
        assert!(registry.remove_tool("n0") && registry.remove_tool("n2") && registry.remove_tool("n4"));
        registry.add_tool(Tool::sync("n7", || "")).unwrap();
        let page = client.result("tools/list", json!({ "cursor": cursor })).await;
        let names: Vec<&str> =
            page["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["n3", "n5", "n6"]);
        let rest = client.result("tools/list", json!({ "cursor": page["nextCursor"] })).await;
        assert_eq!((&rest["tools"][0]["name"], rest.get("nextCursor")), (&json!("n7"), None));
    }
}

#[tokio::test]
async fn invalid_params_is_returned_when_cursor_is_invalid() {
    // M26-434, M26-439, S-343, S-344
    for case in Case::all() {
        let mut client = Client::connect(server(7), case).await;
        let foreign = client.result("prompts/list", json!({})).await["nextCursor"].clone();
        let cursor = client.result("tools/list", json!({})).await["nextCursor"].as_str().unwrap().to_owned();
        let mut damaged = cursor.clone().into_bytes();
        damaged[5] ^= 1;
        let damaged = String::from_utf8(damaged).unwrap();
        for bad in [
            json!(""),
            json!("x"),
            json!("1"),
            foreign,
            json!(damaged),
            json!(format!("{cursor}A")),
            json!(cursor[1..]),
            json!(7),
            json!([]),
        ] {
            let error = client.error("tools/list", json!({ "cursor": bad })).await;
            assert_eq!(error["code"], -32602, "{bad}: {error}");
        }
        let first = client.result("tools/list", json!({ "cursor": null })).await;
        assert_eq!(first["tools"][0]["name"], "n0");
    }
}

#[tokio::test]
async fn list_has_one_page_when_page_size_is_default() {
    // M26-313, S-350
    for case in Case::eras() {
        let mut client = Client::connect(server(300).limits(ServerLimits::default()), case).await;
        for (method, member) in LISTS {
            let result = client.result(method, Value::Null).await;
            assert_eq!((result[member].as_array().unwrap().len(), result.get("nextCursor")), (300, None), "{method}");
        }
    }
}
