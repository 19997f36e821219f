//! An agent loop over the tools of several servers.

use crate::terminal::typed;

#[test]
fn calls_tools_of_two_servers_when_a_third_cannot_start() {
    let quickstart = format!("calc={}", env!("CARGO_BIN_EXE_quickstart"));
    let orders = format!("shop={}", env!("CARGO_BIN_EXE_orders"));
    let servers = [quickstart.as_str(), "gone=/no/such/server --at all", orders.as_str()];
    let shown = typed(
        env!("CARGO_BIN_EXE_agent_loop"),
        &servers,
        &[
            r#"calc_add {"a": 2, "b": 3}"#,
            r#"shop_order {"name": "Ada", "lines": [{"article": "tea"}]}"#,
            r#"shop_order {"name": "Ada", "lines": [{"article": "milk"}]}"#,
            "gone_away",
            "nowhere",
            "calc_add {",
            r#"calc_add {"a": 20, "b": 30}"#,
        ],
    );
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines[0].starts_with("! gone is not there: ") && lines[0].contains("/no/such/server"), "{shown}");
    assert_eq!(lines[1..=2], ["calc_add - Add two numbers", "shop_order - Order articles"], "{shown}");
    assert_eq!(lines[3..=5], ["5", "1 tea for Ada", "! there is no `milk`, only `tea`"], "{shown}");
    assert!(lines[6].starts_with("! cannot start `/no/such/server`: "), "{shown}");
    assert!(lines[7].starts_with("! cannot route `nowhere`: no server in the group"), "{shown}");
    assert!(lines[8].starts_with("! ") && lines[9] == "50" && lines.len() == 10, "{shown}");
}
