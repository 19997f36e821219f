//! A build of the server that is developed.

use crate::target::Target;

/// A build of the server, to which the inspector connects.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) number: usize,
    pub(crate) target: Target,
}
