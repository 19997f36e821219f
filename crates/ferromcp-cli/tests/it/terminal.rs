//! A terminal for tests.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::{Arc, Mutex};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::process::{command, wait_until};

/// A command whose stdin, stdout and stderr are a terminal.
pub(crate) struct Terminal {
    pub(crate) child: Child,
    input: File,
    shown: Arc<Mutex<String>>,
}

impl Terminal {
    /// Starts `mcp` in a terminal without echo.
    pub(crate) fn start(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let controller: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let mut modes = tcgetattr(&terminal).unwrap();
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Now, &modes).unwrap();
        let mut command = command(args);
        command.envs(variables.iter().copied()).env("TERM", "xterm");
        command.stdin(terminal.try_clone().unwrap()).stdout(terminal.try_clone().unwrap()).stderr(terminal);
        let child = command.spawn().unwrap();
        drop(command);
        let input = File::from(controller);
        let mut output = input.try_clone().unwrap();
        let shown = Arc::<Mutex<String>>::default();
        let shared = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut piece) {
                shared.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..count]));
            }
        });
        Self { child, input, shown }
    }

    /// Returns everything that was shown, and a line end for each answer.
    pub(crate) fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// Waits for a prompt, and enters a line.
    pub(crate) fn answer(&mut self, prompt: &str, line: &str) {
        wait_until(&format!("the prompt {prompt:?}"), || self.shown().ends_with(prompt));
        self.shown.lock().unwrap().push('\n');
        self.write(line);
    }

    /// Enters text.
    pub(crate) fn write(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
    }

    /// Waits for the end, and returns the exit code and everything that was shown.
    pub(crate) fn end(mut self) -> (i32, String) {
        let code = self.child.wait().unwrap().code().unwrap();
        wait_until("the last output", || Arc::strong_count(&self.shown) == 1);
        (code, self.shown())
    }
}
