//! Tables of a Markdown page that are made from test results.

use std::path::Path;
use std::{env, fs};

/// Compares the table between the comments `<!-- name -->` and `<!-- /name -->` of a page in `docs` with the results, or
/// updates it if `FERROMCP_WRITE_MATRIX` is 1.
pub(crate) fn compare_with_page(page: &str, name: &str, found: &str) {
    let (begin, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(&begin).expect("the page contains the start marker of the table");
    let (table, after) = rest.split_once(&end).expect("the page contains the end marker of the table");
    if env::var_os("FERROMCP_WRITE_MATRIX").is_some_and(|yes| yes == "1") {
        fs::write(&path, format!("{before}{begin}\n\n{found}\n\n{end}{after}")).unwrap();
        return;
    }
    assert_eq!(table.trim(), found, "the table does not match the results; update it with FERROMCP_WRITE_MATRIX=1");
}
