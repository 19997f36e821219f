//! The process group of a child process, and signals to it on Unix.

#[cfg(not(unix))]
pub(super) use portable::{Group, prepare};
#[cfg(unix)]
pub(super) use unix::{Group, prepare};

#[cfg(unix)]
mod unix {
    use rustix::{
        io::Errno,
        process::{Pid, Signal, kill_process_group, test_kill_process_group},
    };
    use tokio::process::{Child, Command};

    /// Puts the process into a new process group.
    pub(crate) fn prepare(command: &mut Command) {
        command.process_group(0);
    }

    /// The process group with the child as its leader.
    ///
    /// The group id cannot be reused while the child has not been waited for, or while the group has
    /// members. Afterwards, a signal is sent only immediately after a check that the group has members.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Group(Option<Pid>);

    impl Group {
        pub(crate) fn of(child: &Child) -> Self {
            Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
        }

        /// Returns `true` if the group has a process that can be signalled.
        pub(crate) fn is_alive(self) -> bool {
            match self.0.map(test_kill_process_group) {
                Some(Ok(())) => true,
                Some(Err(error)) => error == Errno::INTR,
                None => false,
            }
        }

        /// Sends `SIGTERM` to the group.
        pub(crate) fn terminate(self) {
            self.signal(Signal::TERM);
        }

        /// Sends `SIGKILL` to the group, and to the child even if it has left the group.
        pub(crate) fn kill(self, leader: &mut Child) {
            self.signal(Signal::KILL);
            let _ = leader.start_kill(); // fails if the process has exited meanwhile
        }

        fn signal(self, signal: Signal) {
            if let Some(group) = self.0.filter(|_| self.is_alive()) {
                let _ = kill_process_group(group, signal); // fails if the group has exited meanwhile
            }
        }
    }
}

#[cfg(not(unix))]
mod portable {
    use tokio::process::{Child, Command};

    /// Prevents a Ctrl-C in the console from reaching the process, and a console window from opening.
    pub(crate) fn prepare(command: &mut Command) {
        #[cfg(windows)]
        {
            const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
            const CREATE_NO_WINDOW: u32 = 0x0800_0000;
            command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
        }
        #[cfg(not(windows))]
        let _ = command;
    }

    /// A placeholder for the process group on systems without signals.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Group;

    impl Group {
        pub(crate) fn of(_child: &Child) -> Self {
            Self
        }

        /// Returns `false`, because only the child itself is known.
        pub(crate) fn is_alive(self) -> bool {
            false
        }

        /// Does nothing, because the system has no signal for termination.
        pub(crate) fn terminate(self) {}

        /// Kills the child.
        pub(crate) fn kill(self, leader: &mut Child) {
            let _ = leader.start_kill(); // fails if the process has exited meanwhile
        }
    }
}
