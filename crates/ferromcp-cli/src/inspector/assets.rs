//! The files of the page, which are part of the program.

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the page.
pub(crate) struct Asset {
    pub(crate) path: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: &'static [u8],
}

macro_rules! asset {
    ($path:literal, $media_type:ident) => {
        Asset {
            path: $path,
            media_type: $media_type,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/inspector/", $path)),
        }
    };
}

/// All files.
pub(crate) const ASSETS: &[Asset] = &[
    asset!("api.js", JAVASCRIPT),
    asset!("app.js", JAVASCRIPT),
    asset!("arguments_editor.js", JAVASCRIPT),
    asset!("base.css", CSS),
    asset!("calls.js", JAVASCRIPT),
    asset!("catalog.js", JAVASCRIPT),
    asset!("compare_view.js", JAVASCRIPT),
    asset!("completion.js", JAVASCRIPT),
    asset!("connection_view.js", JAVASCRIPT),
    asset!("content.js", JAVASCRIPT),
    asset!("diff.js", JAVASCRIPT),
    asset!("dom.js", JAVASCRIPT),
    asset!("field_editors.js", JAVASCRIPT),
    asset!("field_parts.js", JAVASCRIPT),
    asset!("form.js", JAVASCRIPT),
    asset!("history_view.js", JAVASCRIPT),
    asset!("icon.svg", SVG),
    asset!("index.html", HTML),
    asset!("json_view.js", JAVASCRIPT),
    asset!("log_view.js", JAVASCRIPT),
    asset!("markdown.js", JAVASCRIPT),
    asset!("markdown_view.js", JAVASCRIPT),
    asset!("prompts_view.js", JAVASCRIPT),
    asset!("questions.js", JAVASCRIPT),
    asset!("resources_view.js", JAVASCRIPT),
    asset!("run_list.js", JAVASCRIPT),
    asset!("schema.js", JAVASCRIPT),
    asset!("shell.js", JAVASCRIPT),
    asset!("split.js", JAVASCRIPT),
    asset!("status_bar.js", JAVASCRIPT),
    asset!("store.js", JAVASCRIPT),
    asset!("text.js", JAVASCRIPT),
    asset!("tools_view.js", JAVASCRIPT),
    asset!("uri_template.js", JAVASCRIPT),
    asset!("validate.js", JAVASCRIPT),
    asset!("views.css", CSS),
    asset!("virtual_list.js", JAVASCRIPT),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Constructs that create markup or code from text.
    const FORBIDDEN: [&str; 13] = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "setHTML",
        "srcdoc",
        "createContextualFragment",
        "DOMParser",
        "javascript:",
        "import(",
        "parseHTML",
    ];

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("inspector")
    }

    fn text(asset: &Asset) -> &str {
        std::str::from_utf8(asset.bytes).unwrap()
    }

    #[test]
    fn list_contains_all_files_of_the_folder() {
        let files: BTreeSet<_> = std::fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let listed: BTreeSet<_> = ASSETS.iter().map(|asset| asset.path.to_owned()).collect();
        assert_eq!(files, listed);
    }

    #[test]
    fn imported_modules_exist() {
        for asset in ASSETS.iter().filter(|asset| asset.media_type == JAVASCRIPT) {
            let imports =
                text(asset).lines().filter(|line| line.starts_with("import \"") || line.contains(" from \"."));
            for line in imports {
                let module = line.split('"').nth(1).and_then(|module| module.strip_prefix("./"));
                let module = module.unwrap_or_else(|| panic!("{}: {line}", asset.path));
                assert!(ASSETS.iter().any(|asset| asset.path == module), "{}: {line}", asset.path);
            }
        }
    }

    #[test]
    fn page_never_creates_markup_from_text() {
        for asset in ASSETS {
            for forbidden in FORBIDDEN {
                assert!(!text(asset).contains(forbidden), "{} contains `{forbidden}`", asset.path);
            }
            for (number, line) in text(asset).lines().enumerate() {
                // An attribute such as `onclick="…"`.
                let has_handler = line
                    .split(" on")
                    .skip(1)
                    .any(|rest| rest.trim_start_matches(|char: char| char.is_ascii_lowercase()).starts_with("=\""));
                assert!(!has_handler, "{}:{} has an event handler", asset.path, number + 1);
            }
        }
    }

    #[test]
    fn markup_contains_no_inline_script_or_style() {
        let html = text(ASSETS.iter().find(|asset| asset.path == "index.html").unwrap());
        assert!(!html.contains("<style") && !html.contains(" style="));
        assert_eq!(html.matches("<script").count(), html.matches("<script type=\"module\" src=").count());
    }

    #[test]
    fn files_load_nothing_from_other_hosts() {
        for asset in ASSETS.iter().filter(|asset| asset.media_type != JAVASCRIPT) {
            let text = text(asset).replace("http://www.w3.org/2000/svg", "").replace("http://127.0.0.1:6274/", "");
            let is_local = !text.contains("http:") && !text.contains("https:") && !text.contains("url(");
            assert!(is_local, "{}", asset.path);
        }
    }
}
