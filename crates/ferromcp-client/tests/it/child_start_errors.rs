//! Error texts of programs that cannot be started: a missing directory, and files that cannot be executed.

use std::path::Path;

use ferromcp_client::config::Config;
use ferromcp_client::{ClientError, ErrorKind};
use serde_json::json;
use tokio::process::Command;

use crate::script::{builder, soon};
use crate::temp_folder::TempFolder;

/// A remedy that mentions the directory, since the error of the system is the same as for a missing program.
const NOT_FOUND: &str = "No such file or directory (os error 2); check that it is installed, that it is on the PATH, and that the directory \
     exists";
const NOT_EXECUTABLE: &str = "Permission denied (os error 13); check that it is executable";

/// Checks the kind and the whole text of an error.
#[track_caller]
fn assert_text(error: &ClientError, program: &str, rest: &str) {
    assert_eq!(error.to_string(), format!("cannot start `{program}`: {rest}"));
    assert_eq!(error.kind(), ErrorKind::Connect);
}

/// Connects to an entry of a configuration with this program and directory.
async fn configured(program: &str, cwd: Option<&Path>) -> ClientError {
    let mut entry = json!({ "command": program, "args": ["s3cret"] });
    if let Some(cwd) = cwd {
        entry["cwd"] = cwd.to_str().into();
    }
    let config = json!({ "mcpServers": { "notes": entry } }).to_string();
    let server = Config::parse(&config).unwrap().server("notes").unwrap();
    soon(builder().connect(server)).await.unwrap_err()
}

#[tokio::test]
async fn error_mentions_directory_when_cwd_does_not_exist() {
    let folder = TempFolder::new();
    for cwd in [folder.path("missing"), folder.path("missing/deeper")] {
        let mut command = Command::new("sh");
        command.args(["-c", "exit 7"]).current_dir(&cwd);
        assert_text(&soon(builder().connect(command)).await.unwrap_err(), "sh", NOT_FOUND);
        assert_text(&configured("sh", Some(&cwd)).await, "sh", NOT_FOUND);
    }
    // A file is not a directory.
    folder.write("file", "");
    let mut command = Command::new("sh");
    command.current_dir(folder.path("file"));
    let error = soon(builder().connect(command)).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot start `sh`: Not a directory"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn error_mentions_permission_when_program_is_not_executable() {
    let folder = TempFolder::new();
    folder.write("server.sh", "#!/bin/sh\nexit 7\n");
    // A directory cannot be executed either.
    for program in [folder.path("server.sh"), std::env::temp_dir()] {
        let name = program.to_str().unwrap();
        let mut command = Command::new(&program);
        command.arg("s3cret");
        assert_text(&soon(builder().connect(command)).await.unwrap_err(), name, NOT_EXECUTABLE);
        assert_text(&configured(name, None).await, name, NOT_EXECUTABLE);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn error_mentions_path_when_interpreter_of_script_does_not_exist() {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempFolder::new();
    folder.write("server", "#!/no/such/interpreter\n");
    let program = folder.path("server");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let name = program.to_str().unwrap();
    assert_text(&soon(builder().connect(Command::new(&program))).await.unwrap_err(), name, NOT_FOUND);
}
