//! Platforms of a bundle, and the program for each.

use std::path::PathBuf;

use ferromcp_core::text::excerpt;

use crate::exit::Failure;

/// A platform, with the name that manifests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Platform {
    Darwin,
    Linux,
    Windows,
}

const ALL: [Platform; 3] = [Platform::Darwin, Platform::Linux, Platform::Windows];

impl Platform {
    /// Returns the platform for which this command was built.
    ///
    /// # Errors
    /// Fails if bundles do not support it.
    pub(crate) fn current() -> Result<Self, Failure> {
        match std::env::consts::OS {
            "linux" => Ok(Self::Linux),
            "macos" => Ok(Self::Darwin),
            "windows" => Ok(Self::Windows),
            other => {
                Err(Failure::usage(format!("cannot pack on {other}: bundles support linux, darwin and win32 only")))
            }
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Darwin => "darwin",
            Self::Linux => "linux",
            Self::Windows => "win32",
        }
    }

    /// Returns the file name of a program.
    fn program(self, name: &str) -> String {
        if self == Self::Windows { format!("{name}.exe") } else { name.to_owned() }
    }
}

/// A program of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binary {
    pub(crate) platform: Platform,
    pub(crate) file: PathBuf,
}

impl Binary {
    /// Parses `PLATFORM=FILE`.
    fn parse(written: &str) -> Result<Self, Failure> {
        let found = written.split_once('=').and_then(|(name, file)| {
            let platform = ALL.into_iter().find(|platform| platform.as_str() == name)?;
            (!file.is_empty()).then(|| Self { platform, file: file.into() })
        });
        found.ok_or_else(|| {
            let written = excerpt(written);
            Failure::usage(format!(
                "cannot use the binary `{written}`: it is not PLATFORM=FILE; PLATFORM is linux, darwin or win32"
            ))
        })
    }
}

/// Parses the programs of the command line, in the order of their platforms.
///
/// # Errors
/// Fails if a program is not `PLATFORM=FILE`, or a platform occurs twice.
pub(crate) fn parse_binaries(written: &[String]) -> Result<Vec<Binary>, Failure> {
    let mut binaries = written.iter().map(|it| Binary::parse(it)).collect::<Result<Vec<_>, _>>()?;
    binaries.sort_by_key(|binary| binary.platform);
    match binaries.windows(2).find(|pair| pair[0].platform == pair[1].platform) {
        None => Ok(binaries),
        Some(pair) => {
            let name = pair[0].platform.as_str();
            Err(Failure::usage(format!("cannot use two binaries for {name}; remove one `--binary`")))
        }
    }
}

/// Returns the path of a program in the bundle. With one platform, it is directly below `server`.
pub(crate) fn bundle_path(name: &str, platform: Platform, has_several: bool) -> String {
    let program = platform.program(name);
    if has_several { format!("server/{}/{program}", platform.as_str()) } else { format!("server/{program}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_are_sorted_when_valid() {
        let parsed = parse_binaries(&["win32=a=b.exe".to_owned(), "darwin=/x".to_owned()]).unwrap();
        let darwin = Binary { platform: Platform::Darwin, file: "/x".into() };
        assert_eq!(parsed, [darwin, Binary { platform: Platform::Windows, file: "a=b.exe".into() }]);
        assert_eq!(bundle_path("demo", Platform::Windows, true), "server/win32/demo.exe");
        assert_eq!(bundle_path("demo", Platform::Linux, false), "server/demo");
    }

    #[test]
    fn error_contains_the_notation_when_a_binary_is_invalid() {
        for written in ["linux", "linux=", "macos=/x", "=x", ""] {
            let error = parse_binaries(&[written.to_owned()]).unwrap_err().to_string();
            assert!(error.contains("it is not PLATFORM=FILE; PLATFORM is linux, darwin or win32"), "{error}");
        }
        let twice = ["linux=a".to_owned(), "linux=b".to_owned()];
        assert!(parse_binaries(&twice).unwrap_err().to_string().contains("two binaries for linux"));
    }
}
