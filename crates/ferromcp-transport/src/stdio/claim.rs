//! Takes the process's stdin and stdout for the protocol, and puts them back afterwards.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::{
    fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat},
    io::fcntl_dupfd_cloexec,
    stdio::{dup2_stdin, dup2_stdout, stderr, stdin, stdout},
};

/// Whether a [`Claim`] lives: a process has but one stdin.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Private descriptors start here, clear of the three standard ones.
const FIRST_PRIVATE: i32 = 3;

/// The protocol's right to stdin and stdout; the last clone gives them back.
#[derive(Debug, Clone)]
pub(super) struct Claim(Arc<Taken>);

impl Claim {
    /// Takes stdin and stdout away from the rest of the process.
    pub(super) fn new() -> io::Result<Self> {
        if TAKEN.swap(true, Ordering::AcqRel) {
            let why = "stdio is already in use by another transport of this process";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, why));
        }
        let taken = save().inspect_err(|_| TAKEN.store(false, Ordering::Release))?;
        // From here on dropping `claim` undoes what was done so far.
        let claim = Self(Arc::new(taken));
        dup2_stdin(File::open("/dev/null")?)?;
        dup2_stdout(stderr())?;
        // What `std` buffered was no message. Errors are those of stderr, which nobody reads.
        let _ = io::stdout().flush();
        Ok(claim)
    }

    /// What stdin was.
    pub(super) fn input(&self) -> &Wire {
        &self.0.input
    }

    /// What stdout was.
    pub(super) fn output(&self) -> &Wire {
        &self.0.output
    }
}

#[derive(Debug)]
struct Taken {
    input: Wire,
    output: Wire,
}

/// Copies of both descriptors, with what to know of them.
fn save() -> io::Result<Taken> {
    Ok(Taken { input: Wire::new(stdin())?, output: Wire::new(stdout())? })
}

impl Drop for Taken {
    fn drop(&mut self) {
        let _ = io::stdout().flush(); // still to stderr
        self.input.restore_blocking();
        self.output.restore_blocking();
        // Both can only fail for want of descriptors that are known to be open.
        let _ = dup2_stdin(&self.input.fd);
        let _ = dup2_stdout(&self.output.fd);
        TAKEN.store(false, Ordering::Release);
    }
}

/// A private copy of a standard descriptor.
#[derive(Debug)]
pub(super) struct Wire {
    fd: OwnedFd,
    kind: FileType,
    was_blocking: bool,
    shares_stderr: bool,
}

impl Wire {
    fn new(standard: BorrowedFd<'_>) -> io::Result<Self> {
        let fd = fcntl_dupfd_cloexec(standard, FIRST_PRIVATE)?;
        let stat = fstat(&fd)?;
        let shares_stderr =
            fstat(stderr()).is_ok_and(|other| (other.st_dev, other.st_ino) == (stat.st_dev, stat.st_ino));
        Ok(Self {
            kind: FileType::from_raw_mode(stat.st_mode),
            was_blocking: !fcntl_getfl(&fd)?.contains(OFlags::NONBLOCK),
            shares_stderr,
            fd,
        })
    }

    /// The kind of file, where it may be put on the reactor.
    ///
    /// Nothing may that is stderr too: `eprintln!` panics on a descriptor that would block.
    pub(super) fn pollable(&self) -> Option<FileType> {
        let pollable = matches!(self.kind, FileType::Fifo | FileType::Socket);
        (pollable && !self.shares_stderr).then_some(self.kind)
    }

    /// One more descriptor for the same file.
    pub(super) fn duplicate(&self) -> io::Result<OwnedFd> {
        Ok(fcntl_dupfd_cloexec(&self.fd, FIRST_PRIVATE)?)
    }

    /// Makes reads and writes return at once. The flag sits on the open file, not the descriptor,
    /// so everybody who shares it sees it until the claim ends.
    pub(super) fn set_nonblocking(&self) -> io::Result<()> {
        let flags = fcntl_getfl(&self.fd)?;
        Ok(fcntl_setfl(&self.fd, flags | OFlags::NONBLOCK)?)
    }

    fn restore_blocking(&self) {
        if self.was_blocking {
            if let Ok(flags) = fcntl_getfl(&self.fd) {
                let _ = fcntl_setfl(&self.fd, flags - OFlags::NONBLOCK);
            }
        }
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
