//! Tests each rule with passing and failing input, and checks the workspace.

use super::layering::Package;
use super::*;

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile::parse(path, text).unwrap()
}

/// Returns the lines of the violations.
fn lines(found: &[Violation]) -> Vec<usize> {
    found.iter().map(|violation| violation.line).collect()
}

fn cycles_in(files: &[(&str, &str)]) -> Vec<Violation> {
    let files: Vec<SourceFile> = files.iter().map(|(name, text)| file(&format!("crates/a/src/{name}"), text)).collect();
    cycles::check(&files)
}

#[test]
fn violation_is_formatted_with_path_and_line() {
    assert_eq!(Violation::new("a/src/b.rs", 7, "wrong; fix it").to_string(), "a/src/b.rs:7: wrong; fix it");
}

#[test]
fn syntax_error_is_a_violation() {
    let violation = SourceFile::parse("a/src/b.rs", "//! b\nfn broken( {}\n").unwrap_err();
    assert!(violation.message.contains("cannot parse"), "{violation}");
}

#[test]
fn file_length_is_limited_to_500_lines() {
    let lines_of = |n: usize| "//! x\n".repeat(n);
    assert!(length::check(&file("crates/a/src/b.rs", &lines_of(500))).is_empty());
    let found = length::check(&file("crates/a/src/b.rs", &lines_of(501)));
    assert_eq!(lines(&found), [501]);
    assert!(found[0].message.contains("501 lines"));
    for test in ["crates/a/src/b/tests.rs", "crates/a/tests/it/main.rs", "bench/benches/b.rs"] {
        assert!(length::check(&file(test, &lines_of(501))).is_empty(), "{test}");
    }
}

#[test]
fn function_length_is_limited_to_80_lines() {
    let body = |n: usize| format!("fn f() {{\n{}}}\n", "    g();\n".repeat(n - 2));
    let check = |text: &str| lines(&length::check(&file("crates/a/src/b.rs", text)));
    assert!(check(&body(80)).is_empty());
    assert_eq!(check(&body(81)), [1]);
    assert_eq!(check(&format!("/// Docs do not count\n{}", body(81))), [2]);
    assert_eq!(check(&format!("impl A {{\n{}}}", body(81))), [2]);
    assert_eq!(check(&format!("trait A {{\n{}}}", body(81))), [2]);
    assert_eq!(check(&format!("mod m {{\n{}}}", body(81))), [2]);
    for test in ["#[test]\n", "#[tokio::test]\nasync "] {
        assert!(check(&format!("{test}{}", body(81))).is_empty());
    }
    assert!(check(&format!("#[cfg(test)]\nmod tests {{\n{}}}", body(81))).is_empty());
    assert!(check(&format!("#[cfg(all(test, unix))]\nmod tests {{\n{}}}", body(81))).is_empty());
}

#[test]
fn two_files_that_import_each_other_are_a_cycle() {
    let found = cycles_in(&[
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a.rs", "use crate::b::B;\npub struct A;\n"),
        ("b.rs", "pub struct B;\n\nfn f() { super::a::A; }\n"),
    ]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].path.as_str(), found[0].line), ("crates/a/src/a.rs", 1));
    assert!(
        found[0].message.contains("crate::a → crate::b (crates/a/src/a.rs:1) → crate::a (crates/a/src/b.rs:3)"),
        "{}",
        found[0]
    );
}

#[test]
fn cycle_through_three_files_is_found() {
    let found = cycles_in(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "use crate::b;\npub struct A;\nfn f() { b::g() }\n"),
        ("b.rs", "use crate::c::*;\npub fn g() {}\n"),
        ("c.rs", "pub struct C(Vec<crate::a::A>);\n"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn paths_in_macro_calls_are_imports() {
    let found = cycles_in(&[
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a.rs", "use crate::b::B;\npub fn f() {}\n"),
        ("b.rs", "pub struct B;\nfn g() { println!(\"{}\", crate::a::f()); }\n"),
    ]);
    assert_eq!(found.len(), 1);
}

#[test]
fn reexports_are_followed_to_the_definition() {
    let parts = |name: &'static str| {
        [
            ("lib.rs", "mod a;\nmod b;\npub use a::{A, Plain};\npub use b::B;\n"),
            ("a.rs", "use crate::B;\npub struct A;\npub struct Plain;\n"),
            ("b.rs", name),
        ]
    };
    assert_eq!(cycles_in(&parts("use crate::A;\npub struct B;\n")).len(), 1);
    assert!(cycles_in(&parts("pub struct B;\n")).is_empty());
}

#[test]
fn glob_imports_all_items_of_a_module() {
    for shared in ["pub use tool::Tool;", "pub use tool::*;"] {
        let found = cycles_in(&[
            ("lib.rs", "mod methods;\nmod model;\n"),
            ("methods.rs", "use crate::model::*;\npub fn name(_: Tool) {}\n"),
            ("model/mod.rs", &format!("mod tool;\n{shared}\n")),
            ("model/tool.rs", "use crate::methods::name;\npub struct Tool;\n"),
        ]);
        assert_eq!(found.len(), 1, "{shared}");
    }
}

#[test]
fn reexports_in_parent_are_not_imports() {
    let found = cycles_in(&[
        ("lib.rs", "pub mod wire;\npub use wire::Frame;\n"),
        ("wire/mod.rs", "mod frame;\nmod line;\npub use frame::Frame;\npub(crate) use line::Line;\n"),
        ("wire/frame.rs", "use super::Line;\npub struct Frame;\n"),
        ("wire/line.rs", "pub struct Line;\n"),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn parent_and_child_that_import_each_other_are_a_cycle() {
    let found = cycles_in(&[
        ("lib.rs", "mod wire;\n"),
        ("wire/mod.rs", "mod frame;\npub struct Limit;\nfn f() { frame::read() }\n"),
        ("wire/frame.rs", "use super::Limit;\npub fn read() {}\n"),
    ]);
    assert_eq!(found.len(), 1);
}

#[test]
fn tests_and_other_crates_are_not_in_cycles() {
    let found = cycles_in(&[
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a.rs", "use crate::b::B;\nuse bytes::b;\npub struct A;\n"),
        ("b.rs", "pub struct B;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n    use super::*;\n}\n"),
        ("b/tests.rs", "use crate::a::A;\n"),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn binary_next_to_library_is_a_separate_crate() {
    let found = cycles_in(&[
        ("lib.rs", "pub mod a;\n"),
        ("main.rs", "mod a;\nuse crate::a::A;\n"),
        ("a.rs", "use crate::run;\npub struct A;\n"),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

/// Checks two modules that import each other; `import` is the import in the first, with its comment.
fn cycle_with_exemption(import: &str) -> Vec<Violation> {
    cycles_in(&[
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a.rs", &format!("//! Docs\n{import}\npub struct A(b::B);\nfn f() {{ b::g() }}\n")),
        ("b.rs", "use crate::a::A;\npub struct B;\npub fn g() {}\n"),
    ])
}

#[test]
fn cycle_is_allowed_when_import_has_exemption_with_reason() {
    for import in [
        "use crate::b; // lint: allow(cycle): b is the container of a",
        "// lint: allow(cycle): b is the container of a\nuse crate::b;",
        "// lint: allow(cycle): b is the container of a,\n// and it calls a\nuse crate::b;",
        "use crate::b::{self, B}; // lint: allow(cycle): see https://example.org",
    ] {
        let found = cycle_with_exemption(import);
        assert!(found.is_empty(), "{import}: {found:?}");
    }
}

#[test]
fn exemption_is_rejected_when_reason_is_missing() {
    for import in ["use crate::b; // lint: allow(cycle)", "use crate::b; // lint: allow(cycle): "] {
        let found = cycle_with_exemption(import);
        assert_eq!(lines(&found), [2], "{import}: {found:?}");
        assert!(found[0].message.contains("without a reason"), "{}", found[0]);
    }
}

#[test]
fn exemption_is_rejected_when_import_is_not_in_cycle() {
    let found = cycles_in(&[
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a.rs", "// lint: allow(cycle): b uses a\nuse crate::b::B;\npub struct A;\n"),
        ("b.rs", "pub struct B;\n"),
    ]);
    assert_eq!(lines(&found), [1], "{found:?}");
    assert!(found[0].message.contains("not part of a cycle"), "{}", found[0]);
    let no_import = cycles_in(&[("lib.rs", "mod a;\n"), ("a.rs", "pub struct A; // lint: allow(cycle): none\n")]);
    assert_eq!(lines(&no_import), [1]);
}

#[test]
fn cycle_is_reported_when_exemption_is_on_another_import() {
    let found = cycles_in(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "use crate::b::B; // lint: allow(cycle): b uses a\nuse crate::c::C;\npub struct A;\n"),
        ("b.rs", "use crate::a::A;\npub struct B;\n"),
        ("c.rs", "use crate::a::A;\npub struct C;\n"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].message.contains("crate::a → crate::c"), "{}", found[0]);
}

#[test]
fn exemption_in_doc_comment_is_ignored() {
    assert_eq!(cycle_with_exemption("/// lint: allow(cycle): in docs\nuse crate::b;").len(), 1);
}

#[test]
fn crates_depend_only_on_lower_layers() {
    let package = |name: &str, dependencies: &[&str]| Package {
        name: name.to_owned(),
        manifest: format!("crates/{name}/Cargo.toml"),
        dependencies: dependencies.iter().map(|&d| d.to_owned()).collect(),
    };
    let violations = |name: &str, dependency: &str| {
        let mut packages: Vec<Package> =
            ["ferromcp-core", "ferromcp-json-schema", "ferromcp-transport", "ferromcp-macros", "ferromcp-uri-template"]
                .iter()
                .chain(&["ferromcp-server", "ferromcp-client", "ferromcp-auth", "ferromcp", "ferromcp-cli", "xtask"])
                .filter(|known| **known != name)
                .map(|known| package(known, &[]))
                .collect();
        packages.push(package(name, &[dependency, "serde"]));
        layering::check(&packages)
    };
    for (name, dependency) in [
        ("ferromcp-server", "ferromcp-core"),
        ("ferromcp-auth", "ferromcp-client"),
        ("ferromcp-client", "ferromcp-json-schema"),
        ("ferromcp-server", "ferromcp-uri-template"),
        ("ferromcp", "ferromcp-auth"),
        ("ferromcp-cli", "ferromcp"),
    ] {
        assert!(violations(name, dependency).is_empty(), "{name} → {dependency}");
    }
    for (name, dependency) in [
        ("ferromcp-core", "ferromcp-server"),
        ("ferromcp-transport", "ferromcp-core"),
        ("ferromcp-server", "ferromcp-client"),
        ("ferromcp-client", "ferromcp-auth"),
        ("ferromcp-client", "ferromcp"),
        ("ferromcp-cli", "xtask"),
    ] {
        let found = violations(name, dependency);
        assert_eq!(found.len(), 1, "{name} → {dependency}");
        assert!(found[0].message.contains(dependency));
    }
}

#[test]
fn cfg_feature_is_allowed_only_in_lib_rs() {
    let check = |path: &str, text: &str| lines(&features::check(&file(path, text)));
    let gate = "//! x\n#[cfg(feature = \"http\")]\nmod http;\n";
    assert_eq!(check("crates/a/src/b.rs", gate), [2]);
    assert!(check("crates/a/src/lib.rs", gate).is_empty());
    assert_eq!(check("crates/a/src/b.rs", "fn f() {\n    if cfg!(feature = \"x\") {}\n}\n"), [2]);
    assert_eq!(check("crates/a/src/b.rs", "#![cfg_attr(all(unix, feature = \"x\"), allow(y))]\n"), [1]);
    assert!(check("crates/a/src/b.rs", "#![cfg_attr(docsrs, feature(doc_cfg))]\n#[cfg(unix)]\nfn f() {}\n").is_empty());
}

#[test]
fn revision_literals_are_allowed_only_in_listed_files() {
    let check = |path: &str, text: &str| lines(&versions::check(&file(path, text)));
    let named = "//! x\nconst V: &str = \"2025-06-18\";\n";
    for path in ["crates/a/src/b.rs", "crates/ferromcp-core/src/message.rs", "crates/ferromcp-server/src/revision.rs"] {
        assert_eq!(check(path, named), [2], "{path}");
    }
    for path in [
        "crates/ferromcp-core/src/revision.rs",
        "crates/ferromcp-core/src/methods.rs",
        "crates/ferromcp-core/src/wire/v2025_06_18.rs",
        "crates/ferromcp-server/src/era/legacy.rs",
        "crates/a/src/tests.rs",
    ] {
        assert!(check(path, named).is_empty(), "{path}");
    }
    assert_eq!(check("crates/a/src/b.rs", "fn f() {\n    g!(h(b\"2026-07-28\"));\n}\n"), [2]);
    let prose = "//! Since 2026-07-28, see <https://example.org/2026-07-28>\n/// 2024-11-05\nfn f() {} // 2024-11-05\n\
                 #[test]\nfn t() { g(\"2024-11-05\") }\nconst DAY: &str = \"2024-12-24\";\n";
    assert!(check("crates/a/src/b.rs", prose).is_empty());
}

#[test]
fn file_must_open_with_module_docs() {
    let check = |text: &str| lines(&file_header::check(&file("crates/a/src/b.rs", text)));
    assert!(check("//! Module docs\n").is_empty());
    assert!(check("\n//! Module docs\n").is_empty());
    assert_eq!(check("use a::b;\n"), [1]);
    assert_eq!(check("// plain\n"), [1]);
    assert_eq!(check(""), [1]);
}

#[test]
fn todo_and_unimplemented_are_rejected() {
    let check = |text: &str| lines(&file_header::check(&file("crates/a/src/b.rs", text)));
    assert_eq!(check("//! x\nfn f() {\n    todo!()\n}\nfn g() { unimplemented!(\"later\") }\n"), [3, 5]);
    assert!(check("//! x\n// todo!()\nfn todo() { let s = \"todo!()\"; }\n").is_empty());
}

#[test]
fn unsafe_is_counted_outside_of_tests() {
    let text = "//! unsafe\nfn f() { unsafe { g() } }\nunsafe fn h() {}\n#[test]\nfn t() { unsafe { g() } }\n";
    assert_eq!(file_header::count_unsafe(&file("crates/a/src/b.rs", text)), 2);
}

#[test]
fn workspace_has_no_violations() {
    let report = check(&crate::shell::workspace_root().unwrap()).unwrap();
    assert!(report.files > 0);
    let violations: Vec<String> = report.violations.iter().map(ToString::to_string).collect();
    assert!(report.is_clean(), "\n{}", violations.join("\n"));
}
