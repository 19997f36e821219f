//! Writes ZIP files (PKWARE APPNOTE 6.3.10): deflated, sorted, and without times, so that equal files have equal bytes.

use std::io::{self, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// Version 2.0 of the format, which is required for deflated files.
const VERSION: u16 = 20;
/// Unix, whose attributes are the mode of the file.
const UNIX: u16 = 3 << 8;
const DEFLATED: u16 = 8;
/// The first of January 1980, which is the earliest date of the format. The time is 0.
const DATE: u16 = (1 << 5) | 1;
/// The bit of regular files in a mode.
const REGULAR_FILE: u32 = 0o100_000;

/// A file of an archive.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Path in the archive, in ASCII, with `/`.
    pub(crate) path: String,
    pub(crate) is_executable: bool,
    pub(crate) data: Vec<u8>,
}

/// Returns the bytes of an archive.
///
/// # Errors
/// Fails if the archive or a file is larger than 4 GiB, or has more than 65535 files.
pub(crate) fn archive(mut entries: Vec<Entry>) -> io::Result<Vec<u8>> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in &entries {
        let offset = size(out.len())?;
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&entry.data)?;
        let compressed = encoder.finish()?;
        let header = header(entry, size(compressed.len())?)?;
        out.extend(b"PK\x03\x04");
        out.extend(&header);
        out.extend(entry.path.as_bytes());
        out.extend(&compressed);

        let mode = REGULAR_FILE | if entry.is_executable { 0o755 } else { 0o644 };
        directory.extend(b"PK\x01\x02");
        directory.extend((UNIX | VERSION).to_le_bytes());
        directory.extend(&header);
        directory.extend([0; 6]); // no comment, the first disk, binary
        directory.extend((mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(entry.path.as_bytes());
    }
    let (count, start) = (short(entries.len())?, size(out.len())?);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend([size(directory.len())?.to_le_bytes(), start.to_le_bytes()].concat());
    out.extend([0; 2]); // no comment
    Ok(out)
}

/// Returns the fields that are equal in the header of a file and in the directory.
fn header(entry: &Entry, compressed: u32) -> io::Result<Vec<u8>> {
    let mut crc = Crc::new();
    crc.update(&entry.data);
    let mut out = Vec::new();
    for field in [VERSION, 0, DEFLATED, 0, DATE] {
        out.extend(field.to_le_bytes());
    }
    for field in [crc.sum(), compressed, size(entry.data.len())?] {
        out.extend(field.to_le_bytes());
    }
    out.extend(short(entry.path.len())?.to_le_bytes());
    out.extend([0; 2]); // no extra fields
    Ok(out)
}

fn size(value: usize) -> io::Result<u32> {
    u32::try_from(value).map_err(|_| io::Error::other("larger than 4 GiB"))
}

fn short(value: usize) -> io::Result<u16> {
    u16::try_from(value).map_err(|_| io::Error::other("more than 65535 files"))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::DeflateDecoder;

    use super::*;

    fn entry(path: &str, is_executable: bool, data: &[u8]) -> Entry {
        Entry { path: path.to_owned(), is_executable, data: data.to_vec() }
    }

    fn number(bytes: &[u8], at: usize, length: usize) -> usize {
        bytes[at..at + length].iter().rev().fold(0, |sum, byte| (sum << 8) | usize::from(*byte))
    }

    /// Reads the directory of an archive: path, mode and content.
    fn read(bytes: &[u8]) -> Vec<(String, usize, Vec<u8>)> {
        let end = bytes.len() - 22;
        assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
        let mut at = number(bytes, end + 16, 4);
        let mut found = Vec::new();
        for _ in 0..number(bytes, end + 10, 2) {
            assert_eq!(&bytes[at..at + 4], b"PK\x01\x02");
            let length = number(bytes, at + 28, 2);
            let path = String::from_utf8(bytes[at + 46..at + 46 + length].to_vec()).unwrap();
            let local = number(bytes, at + 42, 4);
            assert_eq!(bytes[local + 4..local + 30], bytes[at + 6..at + 32], "the headers are equal");
            let start = local + 30 + length;
            let mut content = Vec::new();
            let compressed = &bytes[start..start + number(bytes, at + 20, 4)];
            DeflateDecoder::new(compressed).read_to_end(&mut content).unwrap();
            let mut crc = Crc::new();
            crc.update(&content);
            assert_eq!((crc.sum() as usize, content.len()), (number(bytes, at + 16, 4), number(bytes, at + 24, 4)));
            found.push((path, number(bytes, at + 40, 2), content));
            at += 46 + length;
        }
        assert_eq!(at, end);
        found
    }

    #[test]
    fn files_and_modes_are_kept_when_archived() {
        let large = b"abc".repeat(100_000);
        let bytes = archive(vec![entry("server/demo", true, &large), entry("README.md", false, b"")]).unwrap();
        let expected = [("README.md".to_owned(), 0o100_644, Vec::new()), ("server/demo".to_owned(), 0o100_755, large)];
        assert_eq!(read(&bytes), expected);
        assert!(bytes.len() < 2000, "{} bytes", bytes.len());
    }

    #[test]
    fn bytes_are_equal_when_the_order_differs() {
        let (a, b) = (|| entry("a", false, b"1"), || entry("b", true, b"2"));
        assert_eq!(archive(vec![a(), b()]).unwrap(), archive(vec![b(), a()]).unwrap());
    }
}
