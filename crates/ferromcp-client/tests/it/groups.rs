//! Many servers as one.

use ferromcp_client::{ClientGroup, ErrorKind};
use serde_json::json;

use crate::script::{builder, modern, soon, text};

#[tokio::test]
async fn a_server_that_fails_spoils_nothing_but_itself() {
    let (files, mut far) = modern(builder()).await;
    let (broken, gone) = modern(builder()).await;
    drop(gone);
    let group = ClientGroup::new().with("files", files).unwrap().with("broken", broken).unwrap();
    let script = async {
        let list = far.expect("tools/list").await;
        far.answer(&list, json!({ "tools": [{ "name": "read_it", "inputSchema": {} }] })).await;
        let call = far.expect("tools/call").await;
        assert_eq!(call["params"]["name"], "read_it");
        far.answer(&call, text("ok")).await;
    };
    let calling = async {
        let listing = group.tools().await;
        assert_eq!(listing.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["files_read_it"]);
        assert_eq!(listing.failures.len(), 1);
        assert_eq!(listing.failures[0].0, "broken");
        group.call("files_read_it", ()).unwrap().await.unwrap();
        assert!(group.call("broken_x", ()).unwrap().await.is_err());
        assert_eq!(group.call("nobody_x", ()).unwrap_err().kind(), ErrorKind::Invalid);
    };
    soon(async { tokio::join!(calling, script) }).await;
    soon(group.close()).await;
}

#[tokio::test]
async fn names_are_checked() {
    let (client, _far) = modern(builder()).await;
    for name in ["", "a_b", "a b", "\u{e9}"] {
        assert!(ClientGroup::new().with(name, client.clone()).is_err(), "{name}");
    }
    let group = ClientGroup::new().with("a", client.clone()).unwrap();
    assert!(group.with("a", client).is_err());
}
