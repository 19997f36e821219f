//! Receives the questions of a server, and forwards them to the client of the bridge.

use std::sync::Arc;

use ferromcp_client::channel::BoxFuture;
use ferromcp_client::{ClientHandler, HandledRequests};
use ferromcp_core::model::{
    ClientCapabilities, CreateMessageParams, CreateMessageResult, ElicitParams, ElicitResult, ElicitationCapability,
    FormParams, InputRequest, ListRootsResult, Root, UrlParams,
};
use ferromcp_core::{Error, RawJson};
use serde::de::DeserializeOwned;

use super::in_flight::InFlight;

/// Returns all requests, for a bridge whose clients are not known when it connects.
pub(crate) fn all_requests() -> HandledRequests {
    let mut requests = HandledRequests::default();
    requests.form = true;
    requests.url = true;
    requests.sampling = true;
    requests.sampling_tools = true;
    requests.roots = true;
    requests
}

/// Returns the requests that a client with these capabilities handles.
pub(crate) fn requests_of(capabilities: &ClientCapabilities) -> HandledRequests {
    let elicitation = capabilities.elicitation.as_ref();
    let mut requests = HandledRequests::default();
    requests.form = elicitation.is_some_and(ElicitationCapability::supports_form);
    requests.url = elicitation.is_some_and(ElicitationCapability::supports_url);
    requests.sampling = capabilities.sampling.is_some();
    requests.sampling_tools = capabilities.sampling.as_ref().is_some_and(|sampling| sampling.tools.is_some());
    requests.roots = capabilities.roots.is_some();
    requests
}

/// Forwards the questions of one server.
pub(super) struct QuestionHandler {
    pub(super) in_flight: Arc<InFlight>,
    /// The number of the server.
    pub(super) member: usize,
    pub(super) requests: HandledRequests,
}

impl QuestionHandler {
    async fn ask<T: DeserializeOwned>(&self, request: InputRequest) -> Result<T, Error> {
        let answer: RawJson = self.in_flight.ask(self.member, request).await?;
        answer.decode().map_err(|error| Error::internal(format!("cannot decode the response of the client: {error}")))
    }
}

impl ClientHandler for QuestionHandler {
    fn handled_requests(&self) -> HandledRequests {
        self.requests
    }

    fn form(&self, form: FormParams) -> BoxFuture<'_, Result<ElicitResult, Error>> {
        Box::pin(self.ask(InputRequest::Elicit(ElicitParams::Form(form))))
    }

    fn url(&self, url: UrlParams) -> BoxFuture<'_, Result<ElicitResult, Error>> {
        Box::pin(self.ask(InputRequest::Elicit(ElicitParams::Url(url))))
    }

    fn sample(&self, params: CreateMessageParams) -> BoxFuture<'_, Result<CreateMessageResult, Error>> {
        Box::pin(self.ask(InputRequest::CreateMessage(Box::new(params))))
    }

    fn roots(&self) -> BoxFuture<'_, Result<Vec<Root>, Error>> {
        Box::pin(async { Ok(self.ask::<ListRootsResult>(InputRequest::ListRoots).await?.roots) })
    }
}
