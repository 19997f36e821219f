//! The pipes from outside: real descriptors, real processes.

#[cfg(unix)]
mod child;
mod pipes;
#[cfg(unix)]
mod stdio;
