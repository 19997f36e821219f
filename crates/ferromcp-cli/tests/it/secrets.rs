//! Secrets are passed to the server, and are in no output of the command.

use crate::process::{HttpServer, command, file, run, server};

#[test]
fn secrets_are_read_from_variables_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "key", "from-file\n");
    let call = |value: &str| {
        let mut command = command(&["call", "-e", value, "variable", "name=KEY", "--", server(), "stdio"]);
        run(command.env("CLI_TEST_SECRET", "from-env")).stdout
    };
    assert_eq!(call("KEY=plain"), "plain\n");
    assert_eq!(call("KEY=env:CLI_TEST_SECRET"), "from-env\n");
    assert_eq!(call(&format!("KEY=file:{}", path.display())), "from-file\n");
}

#[test]
fn secrets_are_in_no_error() {
    let server = HttpServer::start("protected");
    let url = server.url();
    for args in [
        &["ping", "-vv", "-H", "Authorization: Bearer env:CLI_TEST_SECRET", &url][..],
        &["ping", "-vv", "-H", "Authorization: env:CLI_TEST_SECRET", "http://127.0.0.1:1/mcp"],
        &["ping", "-vv", "-e", "KEY=env:CLI_TEST_SECRET", "--", "/does/not/exist"],
        &["ping", "-vv", "-e", "KEY=env:CLI_TEST_SECRET", &url],
        &["ping", "-H", "s3cret", &url],
        &["ping", "-e", "s3cret", "--", "true"],
    ] {
        let run = run(command(args).env("CLI_TEST_SECRET", "s3cret"));
        assert!(run.code != 0 && !run.stderr.contains("s3cret"), "{args:?}: {run:?}");
    }
}
