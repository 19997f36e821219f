//! The words against the official specification data: its examples and its JSON Schemas.
//!
//! The data is looked for in the folder that `FERROMCP_SPEC` names, else in `../shared/spec` beside
//! the workspace. Without it these tests say that they did not run; with `FERROMCP_REQUIRE_SPEC`
//! set they fail instead.

mod bytes;
mod examples;
mod fields;
mod instance;
mod kinds;
mod methods;
mod official;
mod polite;
mod strategies;
mod valid;
mod wire;
