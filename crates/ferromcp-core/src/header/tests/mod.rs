//! Headers against the spec, line by line, and against anything at all.

mod names;
mod values;
