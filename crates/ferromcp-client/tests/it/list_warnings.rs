//! Warnings in the log about lists: repaired items, and cursors that never end.

use ferromcp_client::Client;
use serde_json::{Value, json};

use crate::recorder::Recorder;
use crate::script::{ScriptedServer, builder, legacy, modern, soon};

fn item(list: &str, name: &str) -> Value {
    match list {
        "tools" => json!({ "name": name, "inputSchema": { "type": "object" } }),
        "resources" => json!({ "name": name, "uri": format!("x:{name}") }),
        "resourceTemplates" => json!({ "name": name, "uriTemplate": format!("x:{name}/{{a}}") }),
        _ => json!({ "name": name }),
    }
}

async fn answer(peer: &mut ScriptedServer, list: &str, items: &[Value], next: Option<String>) -> bool {
    let Some(request) = peer.try_recv().await else { return false };
    let mut page = json!({ "resultType": "complete", list: items, "ttlMs": 0, "cacheScope": "private" });
    if let Some(next) = next {
        page["nextCursor"] = next.into();
    }
    peer.answer(&request, page).await;
    true
}

/// Lists items of one kind. Returns their number.
async fn count(client: Client, list: &str) -> usize {
    match list {
        "tools" => client.tools().await.unwrap().len(),
        "resources" => client.resources().await.unwrap().len(),
        "resourceTemplates" => client.resource_templates().await.unwrap().len(),
        _ => client.prompts().await.unwrap().len(),
    }
}

const LISTS: [&str; 4] = ["tools", "resources", "resourceTemplates", "prompts"];

#[tokio::test]
async fn warning_is_logged_when_cursor_repeats() {
    // C8
    for list in LISTS {
        for is_modern in [true, false] {
            let recorder = Recorder::default();
            let _subscriber = tracing::subscriber::set_default(recorder.clone());
            let (client, mut peer) = if is_modern { modern(builder()).await } else { legacy(builder()).await };
            let script = async {
                let mut pages = 0;
                while answer(&mut peer, list, &[item(list, "a")], Some("8\u{1b}[0m".into())).await {
                    pages += 1;
                }
                pages
            };
            let (items, pages) = soon(async { tokio::join!(count(client, list), script) }).await;
            assert_eq!((items, pages), (1, 2), "{list}");
            let warnings = recorder.warnings("repeated the cursor of an earlier page; the list ends here");
            assert_eq!(warnings.len(), 1, "{list}: {:?}", recorder.warnings(""));
            assert!(warnings[0].contains("\"pages\": \"2\"") && !warnings[0].contains('\u{1b}'), "{warnings:?}");
            assert_eq!(recorder.warnings("").len(), 1, "{list}: {:?}", recorder.warnings(""));
        }
    }
}

#[tokio::test]
async fn warning_is_logged_when_pages_have_no_new_item() {
    // C8
    for list in LISTS {
        let recorder = Recorder::default();
        let _subscriber = tracing::subscriber::set_default(recorder.clone());
        let (client, mut peer) = modern(builder()).await;
        let script = async {
            let mut pages = 0;
            while answer(&mut peer, list, &[item(list, "a")], Some(pages.to_string())).await {
                pages += 1;
            }
            pages
        };
        let (items, pages) = soon(async { tokio::join!(count(client, list), script) }).await;
        assert_eq!((items, pages), (1, 101), "{list}");
        assert_eq!(recorder.warnings("consecutive pages without a new item; the list ends here").len(), 1, "{list}");
        assert_eq!(recorder.warnings("").len(), 1, "{list}: {:?}", recorder.warnings(""));
    }
}

#[tokio::test]
async fn no_warning_is_logged_when_list_is_regular() {
    // C2, C8
    for list in LISTS {
        let recorder = Recorder::default();
        let _subscriber = tracing::subscriber::set_default(recorder.clone());
        let (client, mut peer) = modern(builder()).await;
        let script = async {
            assert!(answer(&mut peer, list, &[item(list, "a")], Some("1".into())).await);
            assert!(answer(&mut peer, list, &[], Some("2".into())).await);
            assert!(answer(&mut peer, list, &[item(list, "b")], None).await);
        };
        let (items, ()) = soon(async { tokio::join!(count(client, list), script) }).await;
        assert_eq!((items, recorder.warnings("")), (2, Vec::new()), "{list}");
    }
}

#[tokio::test]
async fn warning_names_item_and_field_when_item_is_repaired_or_skipped() {
    // C2
    for list in LISTS {
        for is_modern in [true, false] {
            let recorder = Recorder::default();
            let _subscriber = tracing::subscriber::set_default(recorder.clone());
            let (client, mut peer) = if is_modern { modern(builder()).await } else { legacy(builder()).await };
            let mut repaired = item(list, "worn");
            repaired["icons"] = json!(7);
            let items = [item(list, "good"), repaired, json!({ "title": "nameless" }), json!(null)];
            let (items, _) =
                soon(async { tokio::join!(count(client, list), answer(&mut peer, list, &items, None)) }).await;
            assert_eq!(items, 2, "{list}");
            let warnings = recorder.warnings("the server sent an invalid field");
            assert_eq!(warnings.len(), 3, "{list}: {warnings:?}");
            assert!(
                warnings[0].contains("worn") && warnings[0].contains(&format!("result.{list}[1].icons")),
                "{warnings:?}"
            );
            assert!(warnings[1].contains(&format!("result.{list}[2]")), "{warnings:?}");
            assert!(warnings[2].contains(&format!("result.{list}[3]")), "{warnings:?}");
        }
    }
}
