//! Values of headers and variables, which may be secrets, and their notation on the command line.

use std::fmt;
use std::fs;
use std::io::Read;

use ferromcp_core::text::excerpt;

use crate::exit::Failure;

/// Maximum size of a file with a secret, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// A named value. `Debug` omits the value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct NamedSecret {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl fmt::Debug for NamedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=[hidden]", self.name)
    }
}

/// Reads a header, `Name: value`. A value `env:VARIABLE` or `file:PATH`, alone or after a scheme such as `Bearer`, is
/// replaced by the variable or the file.
///
/// # Errors
/// Fails if the notation is invalid, or the variable or the file cannot be read. The error does not contain the value.
pub(crate) fn header(written: &str) -> Result<NamedSecret, Failure> {
    let Some((name, value)) = written.split_once(':').filter(|(name, _)| !name.trim().is_empty()) else {
        return Err(Failure::usage("cannot read a header: the colon is missing; write `-H 'Name: value'`"));
    };
    let value = value.trim();
    let value = match value.split_once(' ') {
        Some((scheme, rest)) if reference(rest.trim()).is_some() => format!("{scheme} {}", self::value(rest.trim())?),
        _ => self::value(value)?,
    };
    Ok(NamedSecret { name: name.trim().to_owned(), value })
}

/// Reads a variable, `NAME=value`, `NAME=env:VARIABLE` or `NAME=file:PATH`.
///
/// # Errors
/// Fails like [`header`].
pub(crate) fn variable(written: &str) -> Result<NamedSecret, Failure> {
    let Some((name, value)) = written.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err(Failure::usage("cannot read a variable: `=` is missing; write `NAME=value`"));
    };
    Ok(NamedSecret { name: name.to_owned(), value: self::value(value)? })
}

/// Returns the parts of `env:VARIABLE` or `file:PATH`.
fn reference(value: &str) -> Option<(&str, &str)> {
    let (kind, name) = value.split_once(':')?;
    (matches!(kind, "env" | "file") && !name.is_empty()).then_some((kind, name))
}

/// Reads a value, `env:VARIABLE`, `file:PATH` or the value itself.
///
/// # Errors
/// Fails like [`header`].
pub(crate) fn value(value: &str) -> Result<String, Failure> {
    match reference(value) {
        Some(("env", name)) => std::env::var(name).map_err(|_| {
            let name = excerpt(name);
            Failure::usage(format!("cannot read `env:{name}`: the variable is not set, or not UTF-8; set it"))
        }),
        Some((_, path)) => read_file(path),
        None => Ok(value.to_owned()),
    }
}

/// Reads a file, without the line end that editors add.
fn read_file(path: &str) -> Result<String, Failure> {
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_string(&mut text))
        .map_err(|error| Failure::usage(format!("cannot read `file:{}`: {error}; check the path", excerpt(path))))?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_from_files_and_variables() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "s3cret\r\n").unwrap();
        let path = file.path().display();
        let read = |written: &str| header(written).unwrap().value;
        assert_eq!(read(&format!("Authorization: Bearer file:{path}")), "Bearer s3cret");
        assert_eq!(read(&format!("X-Key:file:{path}")), "s3cret");
        assert_eq!(read("X-Time: 12:30"), "12:30");
        assert_eq!(variable(&format!("KEY=file:{path}")).unwrap().value, "s3cret");
        assert_eq!(variable("PATH=env:PATH").unwrap().value, std::env::var("PATH").unwrap());
        assert_eq!(variable("A=b=c").unwrap(), NamedSecret { name: "A".into(), value: "b=c".into() });
    }

    #[test]
    fn errors_and_debug_omit_the_value() {
        for error in [header("s3cret"), variable("s3cret"), header(": s3cret"), variable("=s3cret")] {
            assert!(!error.unwrap_err().to_string().contains("s3cret"));
        }
        let missing = variable("A=env:NOT_SET_ANYWHERE").unwrap_err().to_string();
        assert!(missing.contains("`env:NOT_SET_ANYWHERE`"), "{missing}");
        assert_eq!(format!("{:?}", variable("A=s3cret").unwrap()), "A=[hidden]");
    }
}
