//! Integration tests of the transports, with real descriptors and processes.

#[cfg(unix)]
mod child;
#[cfg(target_os = "linux")]
mod child_process;
#[cfg(unix)]
mod stdio;
mod transports;
