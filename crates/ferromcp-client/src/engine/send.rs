//! Sending a request: over whatever connection there is, and again where that is both needed and safe.

use ferromcp_core::model::ListParams;
use ferromcp_core::{ClientRequest, ErrorCode, RawJson, Revision, ServerResult};

use super::connection::Connection;
use super::options::Options;
use super::shared::Engine;
use crate::channel::{Failure, Outgoing, Way};
use crate::era::modern;
use crate::error::{ClientError, ErrorKind};

/// What was done already to get an answer.
#[derive(Default)]
struct Efforts {
    resends: u32,
    corrected: bool,
    renewed: bool,
    refreshed: bool,
}

impl Engine {
    /// Sends a request and gives its result, unread, and the revision it is written in.
    pub(crate) async fn send(
        &self,
        request: &ClientRequest,
        options: &Options,
    ) -> Result<(RawJson, Revision), ClientError> {
        let cap = options.cap.unwrap_or(self.settings.limits.request_cap);
        match tokio::time::timeout(cap, self.attempts(request, options)).await {
            Ok(settled) => settled,
            Err(_) => Err(ClientError::timeout(request.method(), cap)),
        }
    }

    async fn attempts(&self, request: &ClientRequest, options: &Options) -> Result<(RawJson, Revision), ClientError> {
        let _permit = self.permits.acquire().await.map_err(|_| ClientError::closed("the client was closed"))?;
        let mut efforts = Efforts::default();
        loop {
            let connection = self.live().await?;
            connection.offers(request)?;
            let failure = match self.once(&connection, request, options).await? {
                Ok(result) => return Ok((result, connection.revision())),
                Err(failure) => failure,
            };
            if !self.goes_on(&connection, request, options, &failure, &mut efforts).await {
                return Err(ClientError::of(request.method(), failure));
            }
            tracing::debug!(method = request.method(), ?failure, "sending a request again");
        }
    }

    /// Sends the request over one connection.
    async fn once(
        &self,
        connection: &Connection,
        request: &ClientRequest,
        options: &Options,
    ) -> Result<Result<RawJson, Failure>, ClientError> {
        let id = self.ids.next();
        // Signs of life are asked for where a call may take long, or somebody wants to hear them.
        let wants_pulse = options.progress.is_some() || matches!(request, ClientRequest::CallTool(_));
        let token = wants_pulse.then(|| id.clone());
        let mut outgoing = connection.outgoing(id, request.clone(), token)?;
        self.annotate(connection, &mut outgoing)?;
        self.answer(connection, outgoing, options).await
    }

    /// Says which arguments are to be repeated in headers, where the way has headers.
    fn annotate(&self, connection: &Connection, outgoing: &mut Outgoing) -> Result<(), ClientError> {
        let ClientRequest::CallTool(call) = &outgoing.request else { return Ok(()) };
        if self.way() != Way::Post || !connection.revision().is_modern() {
            return Ok(());
        }
        let Some(known) = self.toolbox.get(&call.name) else { return Ok(()) };
        let marks = known.marks.as_ref().map_err(|flaw| {
            let message = format!("the tool `{}` cannot be called over HTTP: {flaw}", call.name);
            ClientError::new(ErrorKind::Invalid, message)
        })?;
        outgoing.annotations = marks.clone();
        Ok(())
    }

    /// Whether to send again what failed. Nothing that may have run is repeated, unless that does no harm.
    async fn goes_on(
        &self,
        connection: &Connection,
        request: &ClientRequest,
        options: &Options,
        failure: &Failure,
        efforts: &mut Efforts,
    ) -> bool {
        match failure {
            Failure::Lost(_) => self.is_safe(request, options) && self.resends(connection, efforts),
            Failure::Unsent(_) => self.resends(connection, efforts),
            Failure::SessionGone { .. } | Failure::Status { status: 400 | 404 | 405, .. } => {
                connection.retire();
                let may_have_run = matches!(failure, Failure::SessionGone { under_way: true });
                let harmless = !may_have_run || self.is_safe(request, options);
                harmless && !std::mem::replace(&mut efforts.renewed, true) && self.connector.can_reopen()
            }
            Failure::Rpc { error, .. } if connection.revision().is_modern() => match error.code {
                ErrorCode::UNSUPPORTED_REVISION => {
                    let spoken = modern::supported(error).iter().any(|name| name == connection.revision().as_str());
                    if !spoken {
                        connection.retire(); // the server is another one now
                    }
                    !std::mem::replace(&mut efforts.corrected, true) && (spoken || self.connector.can_reopen())
                }
                ErrorCode::HEADER_MISMATCH if matches!(request, ClientRequest::CallTool(_)) => {
                    !std::mem::replace(&mut efforts.refreshed, true) && Box::pin(self.refresh_tools()).await
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn resends(&self, connection: &Connection, efforts: &mut Efforts) -> bool {
        efforts.resends += 1;
        // Each POST is a connection of its own; a pipe that is not over would fail in the same way again.
        let gone = connection.channel.is_over() || self.way() == Way::Post;
        efforts.resends <= self.settings.limits.resends && gone && self.connector.can_reopen()
    }

    /// Whether a request can be repeated without doing anything twice.
    fn is_safe(&self, request: &ClientRequest, options: &Options) -> bool {
        match (options.safe, request) {
            (Some(said), _) => said,
            (None, ClientRequest::CallTool(call)) => self.toolbox.get(&call.name).is_some_and(|known| known.is_safe()),
            (None, ClientRequest::Other(_)) => false,
            (None, _) => true,
        }
    }

    /// Reads the list of tools again, since its marks are not those of the server any more.
    async fn refresh_tools(&self) -> bool {
        self.toolbox.forget();
        let edition = self.board.edition();
        let mut params = ListParams::default();
        for _ in 0..self.settings.limits.pages {
            let request = ClientRequest::ListTools(params.clone());
            let Ok((result, _)) = self.attempts(&request, &Options::default()).await else { return false };
            let Ok(ServerResult::ListTools(page)) = ServerResult::decode("tools/list", &result) else { return false };
            page.tools.iter().for_each(|tool| drop(self.toolbox.learn(tool, edition)));
            match page.next_cursor {
                Some(cursor) => params.cursor = Some(cursor.into()),
                None => break,
            }
        }
        true
    }
}
