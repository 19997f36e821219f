//! Installs third-party MCP clients and servers under `target/interop` for the interoperability tests.
//!
//! All versions are pinned by the files in `xtask/interop`. Tests find the folder through [`VARIABLE`]. It contains:
//!
//! | path | contents |
//! |---|---|
//! | `py1/bin/python` | the Python SDK for the handshake revisions |
//! | `py2/bin/python` | the Python SDK that also supports 2026-07-28 |
//! | `fastmcp/bin/python` | FastMCP servers |
//! | `hosts/bin/python` | agent frameworks that convert tools for models, and the proxy mcp-proxy of PyPI |
//! | `node/node_modules/.bin/{node,mcp-inspector}` | Node, the Inspector, mcporter, the TypeScript SDKs, server-everything, the AI SDK, proxies, the bundle tool mcpb and an OpenID Connect provider |
//! | `rmcp/debug/interop-rmcp` | a server written with the rmcp SDK |

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

/// The environment variable that contains the absolute path of the folder.
pub const VARIABLE: &str = "FERROMCP_INTEROP";

const PARTS: [&str; 6] = ["py1", "py2", "fastmcp", "hosts", "node", "rmcp"];

/// Installs missing or outdated parts and returns the folder.
pub fn set_up(root: &Path) -> Result<PathBuf> {
    let folder = folder(root);
    fs::create_dir_all(&folder)?;
    for part in PARTS {
        set_up_part(root, part)?;
    }
    Ok(folder)
}

/// Command-line clients in other languages.
pub(crate) struct Clients {
    pub(crate) node: PathBuf,
    pub(crate) fastmcp: PathBuf,
}

/// Installs FastMCP, and Node with the Inspector and mcporter.
pub(crate) fn set_up_clients(root: &Path) -> Result<Clients> {
    let node = set_up_node(root)?;
    set_up_part(root, "fastmcp")?;
    Ok(Clients { node, fastmcp: folder(root).join("fastmcp").join("bin").join("fastmcp") })
}

/// Installs Node without the other parts and returns its path.
pub(crate) fn set_up_node(root: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder(root))?;
    set_up_part(root, "node")?;
    Ok(folder(root).join("node").join("node_modules").join(".bin").join("node"))
}

fn set_up_part(root: &Path, part: &str) -> Result<()> {
    if is_up_to_date(root, part) {
        println!("interop: {part} is up to date");
        return Ok(());
    }
    let home = folder(root).join(part);
    let _ = fs::remove_file(stamp(root, part));
    if home.exists() {
        fs::remove_dir_all(&home).with_context(|| format!("clear {}", home.display()))?;
    }
    match part {
        "node" => install_node(root, &home)?,
        "rmcp" => build_rmcp_server(root, &home)?,
        _ => install_python(root, part, &home)?,
    }
    fs::write(stamp(root, part), pins(root, part)?)?;
    Ok(())
}

/// Returns the folder if all parts match the pinned versions.
pub fn ready(root: &Path) -> Option<PathBuf> {
    PARTS.iter().all(|part| is_up_to_date(root, part)).then(|| folder(root))
}

fn folder(root: &Path) -> PathBuf {
    root.join("target").join("interop")
}

fn stamp(root: &Path, part: &str) -> PathBuf {
    folder(root).join(format!("{part}.stamp"))
}

/// Returns the pinned versions, which are also the content of the stamp file of an installed part.
fn pins(root: &Path, part: &str) -> Result<String> {
    let files = match part {
        "node" => vec!["package-lock.json".to_owned()],
        "rmcp" => RMCP_SOURCES.map(str::to_owned).to_vec(),
        _ => vec![format!("{part}.txt")],
    };
    let paths = files.iter().map(|file| root.join("xtask").join("interop").join(file));
    paths.map(|path| fs::read_to_string(&path).with_context(|| path.display().to_string())).collect()
}

/// Whether the part matches its pins and its interpreter starts. A virtual environment stops working when its Python is
/// removed.
fn is_up_to_date(root: &Path, part: &str) -> bool {
    let same = pins(root, part).is_ok_and(|pins| fs::read_to_string(stamp(root, part)).is_ok_and(|old| old == pins));
    let bin = folder(root).join(part).join(match part {
        "node" => "node_modules/.bin/node",
        "rmcp" => "debug/interop-rmcp",
        _ => "bin/python",
    });
    // The rmcp server does not support `--version`.
    same && if part == "rmcp" { bin.exists() } else { shell::is_installed(bin) }
}

/// The files of the rmcp server; a change in one of them triggers a rebuild.
const RMCP_SOURCES: [&str; 3] = ["rmcp/Cargo.lock", "rmcp/Cargo.toml", "rmcp/src/main.rs"];

/// Builds the rmcp server, which is a separate workspace with a separate lock file and minimum compiler version.
fn build_rmcp_server(root: &Path, home: &Path) -> Result<()> {
    let mut build = Command::new("cargo");
    build.current_dir(root.join("xtask").join("interop").join("rmcp"));
    // Flags and toolchains set for this workspace must not affect the other one.
    for variable in ["RUSTFLAGS", "RUSTUP_TOOLCHAIN", "CARGO_ENCODED_RUSTFLAGS"] {
        build.env_remove(variable);
    }
    shell::run(build.args(["build", "--quiet", "--locked", "--target-dir"]).arg(home))
        .context("cannot build the rmcp server; it requires Rust 1.88 or newer")?;
    println!("interop: built the rmcp server");
    Ok(())
}

fn install_python(root: &Path, part: &str, home: &Path) -> Result<()> {
    if !shell::is_installed("python3") {
        bail!(
            "cannot find python3 on PATH; install Python 3.10 or newer (Debian: apt-get install python3 python3-venv)"
        );
    }
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(home))
        .context("cannot create a virtual environment; install venv (Debian: apt-get install python3-venv)")?;
    let python = home.join("bin").join("python");
    let mut install = Command::new(&python);
    // The file lists all dependencies, so pip need not resolve them.
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"]);
    shell::run(install.arg(root.join("xtask").join("interop").join(format!("{part}.txt"))))?;
    let version = shell::output(Command::new(&python).args(["-c", PRINT_MCP_VERSION]))?;
    println!("interop: {part} has mcp {}", version.trim());
    Ok(())
}

const PRINT_MCP_VERSION: &str = "import importlib.metadata as m, mcp; print(m.version('mcp'))";

fn install_node(root: &Path, home: &Path) -> Result<()> {
    if !shell::is_installed("npm") {
        bail!("cannot find npm on PATH; install Node (Debian: apt-get install nodejs npm)");
    }
    fs::create_dir_all(home)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(root.join("xtask").join("interop").join(file), home.join(file))?;
    }
    // The Node of the machine may be too old for the Inspector, so the package `node` is installed too.
    let args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    shell::run(Command::new("npm").current_dir(home).args(args))?;
    let bin = home.join("node_modules").join(".bin");
    let version = shell::output(Command::new(bin.join("node")).arg("--version"))
        .context("cannot run Node from the npm package `node`; disable `ignore-scripts` in the npm configuration")?;
    shell::output(Command::new(bin.join("node")).arg(bin.join("mcp-inspector")).args(["--cli", "--help"]))
        .context("cannot start the Inspector")?;
    println!("interop: installed node {} and the Inspector", version.trim());
    Ok(())
}
