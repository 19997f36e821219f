//! HTTPS with a custom listener: `http_tls 8443 certificate.pem key.pem`.

use ferromcp::server::Tool;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use ferromcp::prelude::*;
use ferromcp::server::http::Listener;
use ferromcp::server::http::http_on;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Returns connections after their TLS handshake. Handshakes run concurrently, so a slow one does not delay the others.
struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    handshakes: JoinSet<io::Result<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;

    async fn accept(&mut self) -> io::Result<(Self::Io, Option<SocketAddr>)> {
        loop {
            tokio::select! {
                Some(done) = self.handshakes.join_next() => match done? {
                    Ok((stream, peer)) => return Ok((stream, Some(peer))),
                    Err(error) => eprintln!("a handshake failed: {error}"),
                },
                accepted = self.tcp.accept(), if self.handshakes.len() < 256 => {
                    let (tcp, peer) = accepted?;
                    tcp.set_nodelay(true)?;
                    let handshake = timeout(Duration::from_secs(10), self.acceptor.accept(tcp));
                    self.handshakes.spawn(async move { Ok((handshake.await??, peer)) });
                }
            }
        }
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.tcp.local_addr().ok()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [port, certificates, key] = args.as_slice() else { anyhow::bail!("give a port, a certificate and its key") };
    let certificates = CertificateDer::pem_file_iter(certificates)?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];

    let tcp = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    eprintln!("serving at https://{}/mcp", tcp.local_addr()?);
    let tls = Tls { tcp, acceptor: TlsAcceptor::from(Arc::new(config)), handshakes: JoinSet::new() };
    let add = Tool::sync("add", |a: i64, b: i64| a + b).describe("Add two numbers").args(["a", "b"]);
    Ok(Server::new("Demo", "1.0.0").with_tool(add).serve(http_on(tls)).await?)
}
