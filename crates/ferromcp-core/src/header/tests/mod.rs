//! Headers against the spec, line by line, and against anything at all.

mod annotations;
mod mirrors;
mod names;
mod values;
