//! Tests of descriptors that are read and written on threads.

use std::{
    fs::File,
    io::{Read, Seek},
    time::Duration,
};

use rustix::{
    fs::{Mode, OFlags, open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Opens an unlinked temporary file.
fn scratch(name: &str) -> File {
    let path = std::env::temp_dir().join(format!("ferromcp-{}-{name}", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

#[tokio::test]
async fn reads_file_to_its_end() {
    let mut file = scratch("read");
    let text = b"0123456789abcdef".repeat(100_000); // exceeds the buffers
    file.write_all(&text).unwrap();
    file.rewind().unwrap();
    let mut reader = ThreadReader::spawn(file.into()).unwrap();
    let mut got = Vec::new();
    reader.read_to_end(&mut got).await.unwrap();
    assert!(got == text);
}

#[tokio::test]
async fn returns_error_when_read_fails() {
    let directory = File::open(std::env::temp_dir()).unwrap();
    let mut reader = ThreadReader::spawn(directory.into()).unwrap();
    let error = reader.read(&mut [0; 9]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    assert_eq!(reader.read(&mut [0; 9]).await.unwrap(), 0);
}

#[tokio::test]
async fn file_has_data_after_flush() {
    let mut file = scratch("write");
    let text = b"0123456789abcdef".repeat(20_000);
    let mut writer = ThreadWriter::spawn(file.try_clone().unwrap().into()).unwrap();
    writer.write_all(&text).await.unwrap();
    writer.flush().await.unwrap();
    let mut got = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut got).unwrap();
    assert!(got == text);
}

#[tokio::test]
async fn flush_returns_error_when_write_fails() {
    let full = File::options().write(true).open("/dev/full");
    let Ok(full) = full else { return }; // available on Linux
    let mut writer = ThreadWriter::spawn(full.into()).unwrap();
    assert_eq!(writer.write(b"text").await.unwrap(), 4);
    assert_eq!(writer.flush().await.unwrap_err().kind(), io::ErrorKind::StorageFull);
    tokio::time::sleep(Duration::from_millis(20)).await; // wait for the thread to stop
    assert_eq!(writer.write(b"text").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn waits_when_pipe_is_non_blocking() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let mut writer = ThreadWriter::spawn(theirs.into()).unwrap();
    let text = vec![b'x'; 1 << 20];
    let reading = std::thread::spawn(move || {
        let (mut ours, mut got) = (ours, vec![0; 1 << 20]);
        std::thread::sleep(Duration::from_millis(20));
        ours.read_exact(&mut got).map(|()| got)
    });
    writer.write_all(&text).await.unwrap();
    assert!(reading.join().unwrap().unwrap() == text);
}

#[tokio::test]
async fn stops_reading_terminal_when_reader_is_dropped() {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let terminal = open(ptsname(&master, Vec::new()).unwrap(), flags, Mode::empty()).unwrap();
    let mut reader = ThreadReader::spawn(terminal.try_clone().unwrap()).unwrap();

    write(&master, b"for the protocol\n").unwrap();
    let mut line = [0; 64];
    let count = reader.read(&mut line).await.unwrap();
    assert_eq!(&line[..count], b"for the protocol\n");

    drop(reader);
    tokio::time::sleep(Duration::from_millis(50)).await; // wait for the thread to stop
    write(&master, b"for the next\n").unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await; // enough time for the thread to consume it
    rustix::io::ioctl_fionbio(&terminal, true).unwrap();
    let count = read(&terminal, &mut line).expect("the line is still there");
    assert_eq!(&line[..count], b"for the next\n");
}
