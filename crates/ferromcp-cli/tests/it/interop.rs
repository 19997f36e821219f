//! Servers of other SDKs, in the folder `FERROMCP_INTEROP` (`cargo xtask interop` creates it).

use std::env;
use std::path::PathBuf;

/// Returns the folder; reports a skipped test and returns `None` if it is not set.
pub(crate) fn folder(test: &str) -> Option<PathBuf> {
    let folder = env::var_os("FERROMCP_INTEROP").filter(|folder| !folder.is_empty());
    if folder.is_none() {
        let is_ci = env::var_os("CI").is_some_and(|ci| ci == "true");
        assert!(!is_ci, "{test}: FERROMCP_INTEROP is not set, but CI requires it; run `cargo xtask interop`");
        eprintln!("skipped: {test}: FERROMCP_INTEROP is not set; run `cargo xtask interop`");
    }
    folder.map(PathBuf::from)
}
