//! Targets whose connections are recorded.

use ferromcp_client::{Client, ClientBuilder, ClientError, ConnectOptions, Connector, Target};

use super::channel::RecordedConnector;
use super::recorder::Recorder;

/// Connects, and records the messages of the connection.
///
/// # Errors
/// Fails like [`ClientBuilder::connect`].
pub(crate) async fn connect_recorded<M>(
    recorder: &Recorder,
    builder: ClientBuilder,
    target: impl Target<M>,
) -> Result<Client, ClientError> {
    builder.connect(Recorded { target, recorder: recorder.clone() }).await
}

/// A target whose messages are recorded.
struct Recorded<T> {
    target: T,
    recorder: Recorder,
}

/// Marker for recorded targets. `M` is the marker of the target.
enum ViaRecorded<M> {
    #[expect(dead_code, reason = "a type parameter must be used")]
    Never(std::convert::Infallible, std::marker::PhantomData<M>),
}

impl<M, T: Target<M>> Target<ViaRecorded<M>> for Recorded<T> {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.connector_with(&ConnectOptions::default())
    }

    fn connector_with(self, options: &ConnectOptions) -> Result<Box<dyn Connector>, ClientError> {
        let inner = self.target.connector_with(options)?;
        Ok(Box::new(RecordedConnector::new(inner, self.recorder)))
    }
}
