//! What a handler that drives its rounds by hand asks next.

use ferromcp_core::RawJson;
use ferromcp_core::model::InputRequest;

use super::journal::{Journal, Open, digest};
use super::question::{Asked, excerpt};

/// What a handler asks by hand.
#[derive(Debug, Default)]
pub(crate) struct Hand {
    pub(crate) questions: Vec<(String, InputRequest)>,
    pub(crate) state: Option<RawJson>,
}

impl Hand {
    /// Notes the questions in the journal, and hands them out.
    pub(crate) fn open(self, journal: &mut Journal) -> Vec<(String, InputRequest)> {
        for (key, request) in &self.questions {
            let key = key.as_str().into();
            let (asked, words) = (Asked::of(request), excerpt(request));
            journal.open.push(Open { key, asked, digest: digest(request), words, changed: false });
        }
        journal.own = self.state;
        self.questions
    }
}
