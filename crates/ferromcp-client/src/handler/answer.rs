//! Dispatches requests of servers to handlers, within the declared capabilities.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation>.

use ferromcp_core::model::{
    CreateMessageParams, ElicitAction, ElicitParams, ElicitResult, EmptyResult, FormParams, InputRequest,
    ListRootsResult, UrlParams,
};
use ferromcp_core::{ClientResult, Error, ServerRequest};

use super::Handlers;
use super::form_content::prepare_form_content;

impl Handlers {
    /// Answers a JSON-RPC request of a legacy server.
    pub(crate) async fn answer(&self, request: ServerRequest) -> Result<ClientResult, Error> {
        match request {
            ServerRequest::Ping(_) => Ok(ClientResult::Empty(EmptyResult::default())),
            ServerRequest::Elicit(params) => self.elicit(*params).await,
            ServerRequest::CreateMessage(params) => self.sample(*params).await,
            ServerRequest::ListRoots(_) => self.list_roots().await,
            other => Err(Error::method_not_found(other.method())),
        }
    }

    /// Answers an input request of an `input_required` response.
    pub(crate) async fn answer_input(&self, request: InputRequest) -> Result<ClientResult, Error> {
        match request {
            InputRequest::Elicit(params) => self.elicit(params).await,
            InputRequest::CreateMessage(params) => self.sample(*params).await,
            InputRequest::ListRoots => self.list_roots().await,
            _ => Err(Error::method_not_found("unknown input request")),
        }
    }

    async fn elicit(&self, params: ElicitParams) -> Result<ClientResult, Error> {
        match params {
            ElicitParams::Form(form) => self.elicit_form(form).await.map(ClientResult::Elicit),
            ElicitParams::Url(url) => self.elicit_url(url).await.map(ClientResult::Elicit),
            _ => Err(undeclared("in this mode")),
        }
    }

    async fn elicit_form(&self, form: FormParams) -> Result<ElicitResult, Error> {
        let handler = self.form.as_ref().ok_or_else(|| undeclared("by form"))?;
        let schema = form.requested_schema.clone();
        let mut result = handler(form).await?;
        if result.action == ElicitAction::Accept {
            prepare_form_content(result.content.get_or_insert_default(), schema)?;
        } else {
            result.content = None; // content is defined for `accept` only
        }
        Ok(result)
    }

    /// Asks the user for consent to visit a URL.
    pub(crate) async fn elicit_url(&self, url: UrlParams) -> Result<ElicitResult, Error> {
        let handler = self.url.as_ref().ok_or_else(|| undeclared("by URL"))?;
        let mut result = handler(url).await?;
        result.content = None;
        Ok(result)
    }

    async fn sample(&self, params: CreateMessageParams) -> Result<ClientResult, Error> {
        let handler = self.sampling.as_ref().ok_or_else(|| Error::method_not_found("sampling/createMessage"))?;
        if !self.sampling_tools && (params.tools.is_some() || params.tool_choice.is_some()) {
            return Err(Error::invalid_params("Invalid params: this client did not declare `sampling.tools`"));
        }
        handler(params).await.map(ClientResult::from)
    }

    async fn list_roots(&self) -> Result<ClientResult, Error> {
        let handler = self.roots.as_ref().ok_or_else(|| Error::method_not_found("roots/list"))?;
        handler(()).await.map(|roots| ClientResult::ListRoots(ListRootsResult::new(roots)))
    }
}

/// Returns error -32602 for an elicitation mode that was not declared, or if elicitation was not declared at all.
fn undeclared(mode: &str) -> Error {
    Error::invalid_params(format!("Invalid params: this client did not declare elicitation {mode}"))
}
