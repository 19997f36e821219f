use ferromcp::prelude::*;

async fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn greeting() -> String {
    "Hello!".into()
}

fn review(code: String) -> String {
    code
}

fn languages(typed: String) -> Vec<String> {
    vec![typed]
}

fn main() {
    let _ = Server::new("Demo", "1.0.0").tool::<add>();
    let _ = Server::new("Demo", "1.0.0").resource::<greeting>();
    let _ = Server::new("Demo", "1.0.0").prompt::<review>();
    let _ = Server::new("Demo", "1.0.0").completion::<languages>();
}
