//! What is ended together with a pipe.

use crate::channel::BoxFuture;

/// What lives at the far end of a pipe and has to be ended with it: a child process, most often.
pub trait Keeper: Send + Sync + 'static {
    /// Ends it after its input was closed: waits for it, then presses, then forces.
    fn shutdown(&self) -> BoxFuture<'static, ()>;

    /// What is known of its end, for error texts: an exit status, the last lines of stderr.
    ///
    /// Asked once the pipe is over, and waited for a moment only: the end of a process may be seen a little later than
    /// that of its output.
    fn last_words(&self) -> BoxFuture<'static, Option<String>> {
        Box::pin(std::future::ready(None))
    }
}
