//! HTTP over Unix sockets, for the processes of one user.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::listener::Listener;

/// The permissions of the socket: only the current user can open it.
const MODE: u32 = 0o600;

/// A Unix socket listener. Creates the socket when the server starts and removes it when dropped.
#[derive(Debug)]
pub struct HttpUnix {
    path: PathBuf,
    listener: Option<UnixListener>,
    /// The device and inode of the socket file.
    file: Option<(u64, u64)>,
}

impl HttpUnix {
    pub(super) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), listener: None, file: None }
    }

    fn bind(&mut self) -> io::Result<()> {
        let listener = match UnixListener::bind(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                remove_stale(&self.path)?;
                UnixListener::bind(&self.path)?
            }
            bound => bound?,
        };
        self.file = Some(identity(&self.path)?);
        fs::set_permissions(&self.path, fs::Permissions::from_mode(MODE))?;
        self.listener = Some(listener);
        Ok(())
    }
}

impl Listener for HttpUnix {
    type Io = UnixStream;

    async fn listen(&mut self) -> io::Result<()> {
        let bound = self.bind();
        bound.map_err(|error| io::Error::new(error.kind(), format!("cannot bind {}: {error}", self.path.display())))
    }

    async fn accept(&mut self) -> io::Result<(UnixStream, Option<SocketAddr>)> {
        match &mut self.listener {
            Some(listener) => Listener::accept(listener).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Listener for UnixListener {
    type Io = UnixStream;

    async fn accept(&mut self) -> io::Result<(UnixStream, Option<SocketAddr>)> {
        let (stream, _) = UnixListener::accept(self).await?;
        Ok((stream, None))
    }
}

impl Drop for HttpUnix {
    /// Removes the socket, unless another one has replaced it.
    fn drop(&mut self) {
        if self.file.is_some() && identity(&self.path).ok() == self.file {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a socket that refuses connections.
fn remove_stale(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the path exists and is not a socket"));
    }
    match BlockingStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another process is listening there")),
        Err(error) => Err(error),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}
