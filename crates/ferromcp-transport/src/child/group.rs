//! The process group of a child, and the signals to it, where there are any.

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

    /// Gives the process a group of its own.
    pub(crate) fn prepare(command: &mut Command) {
        command.process_group(0);
    }

    /// The group that a child leads.
    ///
    /// Its number cannot be another's while the child is not waited for, or while somebody is in the
    /// group. Afterwards it is signalled only right after a look whether somebody is.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Group(Option<Pid>);

    impl Group {
        pub(crate) fn of(child: &Child) -> Self {
            Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
        }

        /// Whether somebody is in it who can be signalled.
        pub(crate) fn is_there(self) -> bool {
            match self.0.map(test_kill_process_group) {
                Some(Ok(())) => true,
                Some(Err(error)) => error == Errno::INTR,
                None => false,
            }
        }

        /// Asks all in it to end.
        pub(crate) fn terminate(self) {
            self.signal(Signal::TERM);
        }

        /// Ends all in it, and the child even if it has left.
        pub(crate) fn kill(self, leader: &mut Child) {
            self.signal(Signal::KILL);
            let _ = leader.start_kill(); // gone in between: just as well
        }

        fn signal(self, signal: Signal) {
            if let Some(group) = self.0.filter(|_| self.is_there()) {
                let _ = kill_process_group(group, signal); // gone in between: just as well
            }
        }
    }
}

#[cfg(not(unix))]
mod portable {
    use tokio::process::{Child, Command};

    /// Keeps a `^C` in the console from the process, and a console window from popping up.
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

    /// Stands in for a group where none can be signalled.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Group;

    impl Group {
        pub(crate) fn of(_child: &Child) -> Self {
            Self
        }

        /// Nobody but the child itself is known.
        pub(crate) fn is_there(self) -> bool {
            false
        }

        /// There is no way to ask; the next step is to kill.
        pub(crate) fn terminate(self) {}

        /// Ends the child.
        pub(crate) fn kill(self, leader: &mut Child) {
            let _ = leader.start_kill(); // gone in between: just as well
        }
    }
}
