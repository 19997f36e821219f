//! Other people's MCP programs, set up under `target/interop` for the tests that talk to them.
//!
//! Everything is pinned by the files in `xtask/interop`. Tests find it through [`VARIABLE`]:
//! `py1/bin/python` (the Python SDK of the handshake eras), `py2/bin/python` (the one that speaks the modern era too),
//! `fastmcp/bin/python` (FastMCP, for servers), `node/node_modules/.bin/{node,mcp-inspector}` (the Inspector, and a Node
//! new enough to run it; beside them the TypeScript SDKs, which a script finds from the Node that runs it),
//! `rmcp/debug/interop-rmcp` (a server written with the other Rust SDK).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

/// The environment variable that tells tests the absolute path of the set-up.
pub const VARIABLE: &str = "FERROMCP_INTEROP";

const PARTS: [&str; 5] = ["py1", "py2", "fastmcp", "node", "rmcp"];

/// Makes or refreshes the set-up and gives its folder; quick when it already fits the pins.
pub fn set_up(root: &Path) -> Result<PathBuf> {
    let folder = folder(root);
    fs::create_dir_all(&folder)?;
    for part in PARTS {
        set_up_part(root, part)?;
    }
    Ok(folder)
}

/// The Node among it, set up without the rest.
pub(crate) fn node_alone(root: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder(root))?;
    set_up_part(root, "node")?;
    Ok(folder(root).join("node").join("node_modules").join(".bin").join("node"))
}

fn set_up_part(root: &Path, part: &str) -> Result<()> {
    if fits(root, part) {
        println!("interop: {part} is there");
        return Ok(());
    }
    let home = folder(root).join(part);
    let _ = fs::remove_file(stamp(root, part));
    if home.exists() {
        fs::remove_dir_all(&home).with_context(|| format!("clear {}", home.display()))?;
    }
    match part {
        "node" => node(root, &home)?,
        "rmcp" => rmcp(root, &home)?,
        _ => python(root, part, &home)?,
    }
    fs::write(stamp(root, part), pins(root, part)?)?;
    Ok(())
}

/// The folder, if everything in it fits the pins.
pub fn ready(root: &Path) -> Option<PathBuf> {
    PARTS.iter().all(|part| fits(root, part)).then(|| folder(root))
}

fn folder(root: &Path) -> PathBuf {
    root.join("target").join("interop")
}

fn stamp(root: &Path, part: &str) -> PathBuf {
    folder(root).join(format!("{part}.stamp"))
}

/// The stamp holds the pins themselves: no hash to trust, and a person can read what is installed.
fn pins(root: &Path, part: &str) -> Result<String> {
    let files = match part {
        "node" => vec!["package-lock.json".to_owned()],
        "rmcp" => RMCP.map(str::to_owned).to_vec(),
        _ => vec![format!("{part}.txt")],
    };
    let paths = files.iter().map(|file| root.join("xtask").join("interop").join(file));
    paths.map(|path| fs::read_to_string(&path).with_context(|| path.display().to_string())).collect()
}

/// Same pins, and the interpreter still starts: a venv dies with the Python it was made by.
fn fits(root: &Path, part: &str) -> bool {
    let same = pins(root, part).is_ok_and(|pins| fs::read_to_string(stamp(root, part)).is_ok_and(|old| old == pins));
    let bin = folder(root).join(part).join(match part {
        "node" => "node_modules/.bin/node",
        "rmcp" => "debug/interop-rmcp",
        _ => "bin/python",
    });
    // A server has no version to tell; that it is there is enough.
    same && if part == "rmcp" { bin.exists() } else { shell::has(bin) }
}

/// What the server written with rmcp is made of: any change means another build.
const RMCP: [&str; 3] = ["rmcp/Cargo.lock", "rmcp/Cargo.toml", "rmcp/src/main.rs"];

/// A workspace of its own, so that neither its lock file nor the compiler it wants are ours.
fn rmcp(root: &Path, home: &Path) -> Result<()> {
    let mut build = Command::new("cargo");
    build.current_dir(root.join("xtask").join("interop").join("rmcp"));
    // Flags and toolchains that were meant for our own crates stay with them.
    for variable in ["RUSTFLAGS", "RUSTUP_TOOLCHAIN", "CARGO_ENCODED_RUSTFLAGS"] {
        build.env_remove(variable);
    }
    shell::run(build.args(["build", "--quiet", "--locked", "--target-dir"]).arg(home))
        .context("the server written with rmcp cannot be built; it wants Rust 1.88 or newer")?;
    println!("interop: the server written with rmcp is built");
    Ok(())
}

fn python(root: &Path, part: &str, home: &Path) -> Result<()> {
    if !shell::has("python3") {
        bail!("python3 is not on PATH; install Python 3.10 or newer (Debian: apt-get install python3 python3-venv)");
    }
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(home))
        .context("python3 cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv")?;
    let python = home.join("bin").join("python");
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    shell::run(install.arg(root.join("xtask").join("interop").join(format!("{part}.txt"))))?;
    let said = shell::read(Command::new(&python).args(["-c", WHAT_MCP]))?;
    println!("interop: {part} has mcp {}", said.trim());
    Ok(())
}

const WHAT_MCP: &str = "import importlib.metadata as m, mcp; print(m.version('mcp'))";

fn node(root: &Path, home: &Path) -> Result<()> {
    if !shell::has("npm") {
        bail!("npm is not on PATH; install Node (Debian: apt-get install nodejs npm)");
    }
    fs::create_dir_all(home)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(root.join("xtask").join("interop").join(file), home.join(file))?;
    }
    // The machine's own Node may be older than the Inspector wants; the one we install beside it is not.
    let args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    shell::run(Command::new("npm").current_dir(home).args(args))?;
    let bin = home.join("node_modules").join(".bin");
    let version = shell::read(Command::new(bin.join("node")).arg("--version"))
        .context("the npm package `node` brought no Node; does this npm run with ignore-scripts?")?;
    shell::read(Command::new(bin.join("node")).arg(bin.join("mcp-inspector")).args(["--cli", "--help"]))
        .context("the Inspector does not start")?;
    println!("interop: node is {}, and the Inspector starts", version.trim());
    Ok(())
}
