//! Takes exclusive ownership of the process's stdin and stdout, and restores them afterwards.

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

/// Whether a [`Claim`] exists. Only one can exist per process.
static IN_USE: AtomicBool = AtomicBool::new(false);

/// The lowest number for duplicated descriptors, above the three standard descriptors.
const FIRST_PRIVATE: i32 = 3;

/// Exclusive ownership of stdin and stdout, which are restored when the last clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct Claim(Arc<SavedStdio>);

impl Claim {
    /// Replaces the stdin and stdout of the process.
    pub(super) fn new() -> io::Result<Self> {
        if IN_USE.swap(true, Ordering::AcqRel) {
            let message = "stdio is already in use by another transport of this process";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
        }
        let saved = save().inspect_err(|_| IN_USE.store(false, Ordering::Release))?;
        // From here on, dropping `claim` restores the descriptors.
        let claim = Self(Arc::new(saved));
        dup2_stdin(File::open("/dev/null")?)?;
        dup2_stdout(stderr())?;
        // Text buffered by `std` is not part of the protocol. Errors of stderr are ignored.
        let _ = io::stdout().flush();
        Ok(claim)
    }

    /// Returns the original stdin.
    pub(super) fn input(&self) -> &SavedFd {
        &self.0.input
    }

    /// Returns the original stdout.
    pub(super) fn output(&self) -> &SavedFd {
        &self.0.output
    }
}

#[derive(Debug)]
struct SavedStdio {
    input: SavedFd,
    output: SavedFd,
}

/// Duplicates both descriptors and records their properties.
fn save() -> io::Result<SavedStdio> {
    Ok(SavedStdio { input: SavedFd::new(stdin())?, output: SavedFd::new(stdout())? })
}

impl Drop for SavedStdio {
    fn drop(&mut self) {
        let _ = io::stdout().flush(); // still redirected to stderr
        self.input.restore_blocking();
        self.output.restore_blocking();
        // These calls cannot fail, because the descriptors are open.
        let _ = dup2_stdin(&self.input.fd);
        let _ = dup2_stdout(&self.output.fd);
        IN_USE.store(false, Ordering::Release);
    }
}

/// A duplicate of a standard descriptor.
#[derive(Debug)]
pub(super) struct SavedFd {
    fd: OwnedFd,
    kind: FileType,
    was_blocking: bool,
    shares_stderr: bool,
}

impl SavedFd {
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

    /// Returns the file type if the descriptor can be registered with the reactor.
    ///
    /// A descriptor that is shared with stderr cannot, because `eprintln!` panics on a non-blocking descriptor.
    pub(super) fn pollable(&self) -> Option<FileType> {
        let pollable = matches!(self.kind, FileType::Fifo | FileType::Socket);
        (pollable && !self.shares_stderr).then_some(self.kind)
    }

    /// Duplicates the descriptor.
    pub(super) fn duplicate(&self) -> io::Result<OwnedFd> {
        Ok(fcntl_dupfd_cloexec(&self.fd, FIRST_PRIVATE)?)
    }

    /// Sets non-blocking mode. The flag belongs to the open file and not to the descriptor, so it is
    /// visible to all processes that share the file until the claim is dropped.
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

impl AsFd for SavedFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
