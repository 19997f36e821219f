//! `mcp pack`: packages a server as an MCP bundle.

use std::path::{Path, PathBuf};

use ferromcp_core::text::excerpt;
use serde_json::Value;

use crate::bundle::archive::{Entry, archive};
use crate::bundle::files;
use crate::bundle::manifest::Manifest;
use crate::bundle::platform::{Binary, Platform, parse_binaries};
use crate::bundle::prompts::{self, Prompts};
use crate::bundle::registry::Registration;
use crate::bundle::variable::parse_variables;
use crate::cli::Pack;
use crate::connect::with_client;
use crate::exit::Failure;
use crate::hosts::launch::validate_name;
use crate::surface::Surface;
use crate::target::Source;
use crate::target::cargo::{Located, Profile, locate};
use crate::terminal::message;

/// Builds and starts the server, and writes the bundle.
pub(crate) async fn run(args: Pack) -> Result<(), Failure> {
    let platform = Platform::current()?;
    let variables = parse_variables(&args.config, &args.secrets)?;
    let mut binaries = parse_binaries(&args.binaries)?;
    let registration = match (&args.registry_name, &args.url) {
        (Some(name), Some(url)) => Some(Registration::new(name, url)?),
        _ => None,
    };
    let located = locate(&args.target, None)?.ok_or_else(|| not_found(&args.target))?;
    let name = args.name.as_deref().unwrap_or(located.program_name());
    validate_name(name).map_err(Failure::usage)?;
    let program = program(&located, platform, &mut binaries)?;
    let (surface, prompts) = inspect(&program, &args).await?;

    let platforms: Vec<Platform> = binaries.iter().map(|binary| binary.platform).collect();
    let manifest = Manifest {
        name,
        description: args.description.as_deref(),
        author: args.author.as_deref(),
        args: &args.args,
        variables: &variables,
        platforms: &platforms,
        platform,
        has_icon: args.icon.is_some(),
        package: &located.package,
        surface: &surface,
        prompts: &prompts,
    };
    let mut entries = files::programs(name, &binaries)?;
    entries.extend(files::texts(&located.package, &located.workspace)?);
    if let Some(icon) = &args.icon {
        entries.push(files::icon(icon)?);
    }
    let text = pretty(&manifest.to_json()?)?;
    entries.push(Entry { path: "manifest.json".to_owned(), is_executable: false, data: text.into_bytes() });

    let output = args.output.clone().unwrap_or_else(|| format!("{name}.mcpb").into());
    let bytes = archive(entries).map_err(|error| cannot_write(&output, &error))?;
    let sha256 = sha256(&bytes);
    let server = registration.map(|registration| registration.to_json(&manifest, &sha256)).transpose()?;
    write(&output, &bytes)?;
    let (tools, size) = (surface.tools.len(), bytes.len());
    let plural = if tools == 1 { "" } else { "s" };
    message(format_args!("wrote `{}`: {tools} tool{plural}, {size} bytes, SHA-256 {sha256}", output.display()));
    if !prompts.skipped.is_empty() {
        let names: Vec<String> = prompts.skipped.iter().map(|name| excerpt(name).to_string()).collect();
        let names = excerpt(&names.join(", ")).to_string();
        message(format_args!("prompts without a fixed text, which the manifest omits: {names}"));
    }
    if let Some(server) = server {
        let path = output.with_file_name("server.json");
        write(&path, pretty(&server)?.as_bytes())?;
        message(format_args!("wrote `{}`; publish it with `mcp-publisher publish`", path.display()));
    }
    Ok(())
}

/// Returns the program of this platform. Builds it and adds it, unless the command line names one.
fn program(located: &Located, platform: Platform, binaries: &mut Vec<Binary>) -> Result<PathBuf, Failure> {
    if let Some(binary) = binaries.iter().find(|binary| binary.platform == platform) {
        return std::path::absolute(&binary.file).map_err(Into::into);
    }
    let file = located.build(Profile::Release)?;
    binaries.push(Binary { platform, file: file.clone() });
    binaries.sort_by_key(|binary| binary.platform);
    Ok(file)
}

/// Starts the server, and fetches its definitions.
async fn inspect(program: &Path, args: &Pack) -> Result<(Surface, Prompts), Failure> {
    let words = [&[program.display().to_string()], args.args.as_slice()].concat();
    with_client(Source::Command(&words), &args.connection, async |client| {
        let surface = Surface::fetch(client).await?;
        let prompts = prompts::fetch(client, &surface.prompts).await;
        Ok((surface, prompts))
    })
    .await
}

fn not_found(target: &str) -> Failure {
    let target = excerpt(target);
    Failure::usage(format!(
        "cannot pack `{target}`: it is not an example, binary or package of the Cargo workspace; bundles of Python and \
         Node servers are written by `npx @anthropic-ai/mcpb init` and `mcpb pack`"
    ))
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let digits = digest.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or_default()).collect()
}

fn pretty(value: &Value) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n").map_err(|error| Failure::usage(format!("cannot serialize the manifest: {error}")))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("cannot write `{}`: {error}; check `--output`", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| cannot_write(path, &error))
}
