//! Every transport delivers the same frames.

use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport, memory, streams};

/// Returns numbered frames of many sizes.
fn frames() -> Vec<String> {
    let sizes = [0, 1, 100, 4096, 65_535, 65_536, 1 << 20, 3 << 20, 7, 0, 200_000];
    (0..).zip(sizes).map(|(number, size)| format!("[{number},\"{}\"]", "x".repeat(size))).collect()
}

/// Sends all frames from client to server, and receives the echo.
async fn echo<A: Transport, B: Transport>(name: &str, client: A, server: B) {
    assert_eq!((client.name(), server.name()), (name, name));
    let ((mut rx, mut tx), (server_rx, server_tx)) = (client.split().unwrap(), server.split().unwrap());
    let sending = async {
        let mut out = Outbound::new();
        for frame in frames() {
            out.frame(|line| line.extend_from_slice(frame.as_bytes()));
        }
        while !out.is_empty() {
            tx.write(&mut out).await.unwrap();
        }
        tx.finish().await.unwrap();
        drop(tx);
    };
    let receiving = async {
        for frame in frames() {
            assert_eq!(rx.recv().await.unwrap(), Some(Frame::Complete(frame.into())));
        }
        assert_eq!(rx.recv().await.unwrap(), None);
    };
    tokio::join!(sending, receiving, serve(server_rx, server_tx));
}

/// Echoes each frame; all frames of one read in one write.
async fn serve(mut rx: impl FrameRx, mut tx: impl FrameTx) {
    let mut out = Outbound::new();
    while let Some(first) = rx.recv().await.unwrap() {
        let more = std::iter::from_fn(|| rx.try_recv());
        for frame in std::iter::once(first).chain(more) {
            let Frame::Complete(frame) = frame else { panic!("unexpected frame above the limit") };
            out.frame(|line| line.extend_from_slice(&frame));
        }
        while !out.is_empty() {
            tx.write(&mut out).await.unwrap();
        }
    }
    tx.finish().await.unwrap();
}

// M26-117, M26-119, S-102
#[tokio::test]
async fn memory_delivers_frames() {
    let (client, server) = memory();
    echo("memory", client, server).await;
}

// M26-117, M26-122
#[tokio::test]
async fn byte_streams_deliver_frames() {
    let (client, server) = tokio::io::duplex(1000);
    let ((client_r, client_w), (server_r, server_w)) = (tokio::io::split(client), tokio::io::split(server));
    echo("streams", streams(client_r, client_w), streams(server_r, server_w)).await;
}

// M26-117, M26-122
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn kernel_pipes_deliver_frames() {
    use tokio::net::unix::pipe::pipe;
    let ((to_server, from_client), (to_client, from_server)) = (pipe().unwrap(), pipe().unwrap());
    echo("streams", streams(from_server, to_server), streams(from_client, to_client)).await;
}

// M26-117, M26-119, M26-122
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn unix_sockets_deliver_frames() {
    use ferromcp_transport::unix;
    let (client, server) = tokio::net::UnixStream::pair().unwrap();
    echo("unix", unix(client), unix(server)).await;
}
