//! Tests of the types against the official examples and JSON Schemas of the specification.
//!
//! The data is read from the directory in `FERROMCP_SPEC`, or from `../shared/spec` next to the
//! workspace. Without the data, these tests print that they did not run; if `FERROMCP_REQUIRE_SPEC`
//! is set, they fail instead.

mod damaged_items;
mod deep_responses;
mod definitions;
mod downgrade;
mod examples;
mod field_coverage;
mod instance;
mod malformed_input;
mod methods;
mod official;
mod resource_results;
mod schema_validity;
mod strategies;
mod wire;
