//! The pipes from outside: real descriptors, real processes.

#[cfg(unix)]
mod child;
#[cfg(target_os = "linux")]
mod child_process;
mod pipes;
#[cfg(unix)]
mod stdio;
