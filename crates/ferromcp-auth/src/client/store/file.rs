//! A store in files that only their owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs4::{FileExt, TryLockError};
use tempfile::NamedTempFile;
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::key::StoreKey;
use super::{CredentialStore, StoreFuture, StoreLock, StoredCredentials};
use crate::error::AuthError;
use crate::random::sha256_base64;

/// Maximum size of a file, in bytes.
const MAX_FILE: u64 = 1024 * 1024;
/// Intervals between two attempts to lock.
const MIN_INTERVAL: Duration = Duration::from_millis(2);
const MAX_INTERVAL: Duration = Duration::from_millis(100);

/// A store in a folder: one file for each MCP server. Processes can share it.
///
/// On Unix, the folder has mode 0700 and the files have mode 0600. The tokens are encrypted only with a
/// [`key`](Self::encrypt).
///
/// A file is replaced atomically, and a lock is released when its process exits: a process that is killed leaves the
/// previous or the new credentials, never a part of them. If it is killed after the authorization server has replaced the
/// refresh token and before the new one is saved, the new one is lost. Most servers reject the previous one, and the user
/// logs in again. A damaged file is ignored with a warning.
#[derive(Debug, Clone)]
pub struct FileStore {
    folder: PathBuf,
    key: Option<StoreKey>,
}

impl FileStore {
    /// Creates a store in a folder, which is created when credentials are saved.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), key: None }
    }

    /// Encrypts the files, for example with a key from the keychain of the operating system (`StoreKey::from_keychain`,
    /// feature `keychain`). Files without encryption are read, and encrypted when they are saved. Files that were encrypted
    /// with another key are ignored with a warning, and the user logs in again.
    #[must_use]
    pub fn encrypt(mut self, key: StoreKey) -> Self {
        self.key = Some(key);
        self
    }

    fn path(&self, server: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", &sha256_base64(server.as_bytes())))
    }

    fn create_folder(&self) -> Result<(), AuthError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder).map_err(|error| failed("create", &self.folder, &error))
    }

    fn load_file(&self, server: &str) -> Result<Option<StoredCredentials>, AuthError> {
        let path = self.path(server, "json");
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path, &error)),
        };
        self.parse(server, &path, text)
    }

    /// Parses the content of a file. `None` if it is damaged, of another server, or encrypted with another key.
    ///
    /// # Errors
    /// Fails if the content is encrypted and the store has no key.
    pub(in crate::client) fn parse(
        &self,
        server: &str,
        path: &Path,
        text: Zeroizing<Vec<u8>>,
    ) -> Result<Option<StoredCredentials>, AuthError> {
        let sealed = serde_json::from_slice::<SealedRecord>(&text).ok();
        let text = match (sealed, &self.key) {
            (None, _) => Some(text),
            (Some(sealed), Some(key)) => key.open(server, &sealed.encrypted),
            (Some(_), None) => {
                let path = path.display();
                return Err(AuthError::store(format!("cannot read {path}: it is encrypted; set `FileStore::encrypt`")));
            }
        };
        match text.and_then(|text| serde_json::from_slice::<Record>(&text).ok()) {
            Some(record) if record.server == server => Ok(Some(record.credentials)),
            Some(_) => Ok(None),
            None => {
                // The text of the error could contain a part of a token.
                tracing::warn!(path = %path.display(), "ignoring a damaged credential file; authorize again");
                Ok(None)
            }
        }
    }

    fn save_file(&self, server: &str, credentials: &StoredCredentials) -> Result<(), AuthError> {
        self.create_folder()?;
        let path = self.path(server, "json");
        let record = Record { server: server.to_owned(), credentials: credentials.clone() };
        let failed_to_serialize =
            |error: serde_json::Error| AuthError::store("cannot serialize credentials").with_source(error);
        let mut text = Zeroizing::new(serde_json::to_vec_pretty(&record).map_err(failed_to_serialize)?);
        if let Some(key) = &self.key {
            let sealed = SealedRecord { encrypted: key.seal(server, &text)? };
            text = Zeroizing::new(serde_json::to_vec(&sealed).map_err(failed_to_serialize)?);
        }
        let write = || {
            // The file has mode 0600 from the start.
            let mut file = NamedTempFile::new_in(&self.folder)?;
            file.write_all(&text)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|error: std::io::Error| failed("write", &path, &error))
    }

    fn remove_file(&self, server: &str) -> Result<(), AuthError> {
        let path = self.path(server, "json");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", &path, &error)),
            _ => Ok(()),
        }
    }

    /// Returns the lock; `None` if another holds it. It is released when the file is closed, also if the process is killed.
    fn try_lock_file(&self, server: &str) -> Result<Option<StoreLock>, AuthError> {
        self.create_folder()?;
        let path = self.path(server, "lock");
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file: File = options.open(&path).map_err(|error| failed("open", &path, &error))?;
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed("lock", &path, &error)),
        }
    }

    /// Runs a blocking operation on another thread.
    fn run<T: Send + 'static>(
        &self,
        server: &str,
        operation: impl FnOnce(&Self, &str) -> Result<T, AuthError> + Send + 'static,
    ) -> StoreFuture<'static, T> {
        let (store, server) = (self.clone(), server.to_owned());
        Box::pin(async move {
            let result = tokio::task::spawn_blocking(move || operation(&store, &server)).await;
            result.unwrap_or_else(|error| Err(AuthError::store("the credential store stopped").with_source(error)))
        })
    }
}

/// The content of a file.
#[derive(serde::Serialize, serde::Deserialize)]
struct Record {
    server: String,
    #[serde(flatten)]
    credentials: StoredCredentials,
}

/// The content of an encrypted file.
#[derive(serde::Serialize, serde::Deserialize)]
struct SealedRecord {
    encrypted: String,
}

/// Reads a file of at most [`MAX_FILE`] bytes.
fn read(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::new());
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE { Err(ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

fn failed(action: &str, path: &Path, error: &std::io::Error) -> AuthError {
    AuthError::store(format!("cannot {action} {}: {error}", path.display()))
}

impl CredentialStore for FileStore {
    fn load<'a>(&'a self, server: &'a str) -> StoreFuture<'a, Option<StoredCredentials>> {
        self.run(server, Self::load_file)
    }

    fn save<'a>(&'a self, server: &'a str, credentials: &'a StoredCredentials) -> StoreFuture<'a, ()> {
        let credentials = credentials.clone();
        self.run(server, move |store, server| store.save_file(server, &credentials))
    }

    fn remove<'a>(&'a self, server: &'a str) -> StoreFuture<'a, ()> {
        self.run(server, Self::remove_file)
    }

    fn lock<'a>(&'a self, server: &'a str) -> StoreFuture<'a, StoreLock> {
        Box::pin(async move {
            // Waiting occupies no thread, which the holder of the lock needs to save its credentials.
            let mut interval = MIN_INTERVAL;
            loop {
                if let Some(lock) = self.run(server, Self::try_lock_file).await? {
                    return Ok(lock);
                }
                sleep(interval).await;
                interval = (interval * 2).min(MAX_INTERVAL);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> StoredCredentials {
        let json = r#"{"issuer":"https://as","resource":"https://a/mcp","tokens":{"access":"s3cret","scope":"a"}}"#;
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn encrypted_file_is_read_only_with_its_key() {
        // A-118, A-128
        let folder = tempfile::tempdir().unwrap();
        let (plain, server) = (FileStore::new(folder.path()), "https://a/mcp");
        plain.save_file(server, &credentials()).unwrap();
        let key = StoreKey::generate().unwrap();
        let encrypted = plain.clone().encrypt(key.clone());
        assert_eq!(encrypted.load_file(server).unwrap(), Some(credentials()), "files without encryption are read");
        encrypted.save_file(server, &credentials()).unwrap();
        let text = fs::read_to_string(encrypted.path(server, "json")).unwrap();
        assert!(!text.contains("s3cret") && !text.contains("https://as"), "{text}");
        assert_eq!(encrypted.load_file(server).unwrap(), Some(credentials()));
        let other = plain.clone().encrypt(StoreKey::generate().unwrap());
        assert_eq!(other.load_file(server).unwrap(), None);
        let error = plain.load_file(server).unwrap_err().to_string();
        assert!(error.contains("`FileStore::encrypt`"), "{error}");
        // The record of another server is not accepted.
        fs::copy(encrypted.path(server, "json"), encrypted.path("https://b/mcp", "json")).unwrap();
        assert_eq!(encrypted.load_file("https://b/mcp").unwrap(), None);
    }
}
