//! A subscriber of `tracing` that records the values of all fields of this workspace, unescaped. The tests of HTTP include
//! this file as well.

use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The maximum length of a value in the log, in bytes.
const MAX_VALUE: usize = 12_000;

/// Records the fields of spans and events as `name = value`. Clones share the record.
#[derive(Clone, Default)]
pub(crate) struct LogRecorder(Arc<Mutex<Vec<String>>>);

struct Fields<'a>(&'a mut Vec<String>);

impl Fields<'_> {
    fn add(&mut self, field: &Field, value: &str) {
        self.0.push(format!("{} = {value}", field.name()));
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format!("{value:?}"));
    }
}

impl Subscriber for LogRecorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("ferromcp")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Fields(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl LogRecorder {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Returns whether a value contains this text.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    /// Asserts that every value is one line of bounded length without characters that control a terminal.
    #[track_caller]
    pub(crate) fn assert_harmless(&self) {
        for line in self.lines() {
            let harmful = |c: &char| c.is_control() || *c == '\u{202e}';
            assert_eq!(line.chars().find(harmful), None, "{line:?}");
            assert!(line.len() < MAX_VALUE, "{} bytes: {}", line.len(), &line[..100]);
        }
    }
}
