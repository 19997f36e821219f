//! The files of the page, which are part of the program.

/// A file of the page.
pub(crate) struct Asset {
    pub(crate) path: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: &'static [u8],
}

/// All files.
pub(crate) const ASSETS: &[Asset] = &[];
