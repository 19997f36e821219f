//! The two ways peers speak. Above this folder nothing knows of eras.
//!
//! Each message is classified by itself: one that carries a revision in `_meta` is modern, whatever
//! was said before on the same pipe; any other belongs to the session that `initialize` opened.

pub(crate) mod legacy;
pub(crate) mod modern;
