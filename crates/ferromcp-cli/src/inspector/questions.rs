//! Questions of the server (elicitation and sampling), which the page answers. Roots are answered from the list of the page.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_client::channel::BoxFuture;
use ferromcp_client::{ClientHandler, HandledRequests};
use ferromcp_core::model::{
    CreateMessageParams, CreateMessageResult, ElicitParams, ElicitResult, FormParams, Root, UrlParams,
};
use ferromcp_core::{Error, RawJson, Str};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::bridge::all_requests;
use crate::record::CALL;
use crate::record::hub::Hub;

/// Maximum number of questions without an answer. Further ones are rejected.
const MAX_QUESTIONS: usize = 64;

/// The answer of the page: a result, or an error.
pub(super) type Answer = Result<RawJson, Error>;

/// The questions without an answer. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Questions {
    hub: Arc<Hub>,
    open: Arc<Mutex<HashMap<String, oneshot::Sender<Answer>>>>,
    last: Arc<AtomicU64>,
}

/// A question as the page shows it.
#[derive(Serialize)]
struct Shown<'a, T> {
    id: &'a str,
    connection: &'a str,
    kind: &'a str,
    params: &'a T,
    call: Option<Str>,
}

/// Removes a question when its request ends.
struct OpenQuestion<'a> {
    questions: &'a Questions,
    id: String,
}

impl Drop for OpenQuestion<'_> {
    fn drop(&mut self) {
        self.questions.lock().remove(&self.id);
        self.questions.hub.close_question(&self.id);
    }
}

impl Questions {
    /// Creates an empty table.
    pub(super) fn new(hub: &Arc<Hub>) -> Self {
        Self { hub: Arc::clone(hub), open: Arc::default(), last: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Answer>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a question. Returns `false` if it does not exist.
    pub(super) fn answer(&self, id: &str, answer: Answer) -> bool {
        self.lock().remove(id).is_some_and(|sender| sender.send(answer).is_ok())
    }

    /// Shows a question, and waits for the answer.
    async fn ask<T: DeserializeOwned>(
        &self,
        connection: &str,
        kind: &str,
        params: &impl Serialize,
    ) -> Result<T, Error> {
        let (sender, answered) = oneshot::channel();
        let id = format!("q{}", self.last.fetch_add(1, Ordering::Relaxed) + 1);
        {
            let mut open = self.lock();
            if open.len() >= MAX_QUESTIONS {
                return Err(Error::internal(format!("{MAX_QUESTIONS} questions wait for an answer already")));
            }
            open.insert(id.clone(), sender);
        }
        let _open = OpenQuestion { questions: self, id: id.clone() };
        let call = CALL.try_with(|call| call.id.clone()).ok();
        let question = Shown { id: &id, connection, kind, params, call };
        let question = RawJson::new(&question).map_err(|error| Error::internal(error.to_string()))?;
        self.hub.open_question(&id, question);
        let answer = answered.await.map_err(|_| Error::internal("the question was discarded"))??;
        answer.decode().map_err(|error| Error::internal(format!("the answer of the inspector is invalid: {error}")))
    }
}

/// Answers the requests of the server on one connection.
pub(super) struct PageHandler {
    pub(super) questions: Questions,
    pub(super) connection: &'static str,
}

impl ClientHandler for PageHandler {
    fn handled_requests(&self) -> HandledRequests {
        all_requests()
    }

    fn form(&self, form: FormParams) -> BoxFuture<'_, Result<ElicitResult, Error>> {
        Box::pin(async move { self.questions.ask(self.connection, "form", &ElicitParams::Form(form)).await })
    }

    fn url(&self, url: UrlParams) -> BoxFuture<'_, Result<ElicitResult, Error>> {
        Box::pin(async move { self.questions.ask(self.connection, "url", &ElicitParams::Url(url)).await })
    }

    fn sample(&self, params: CreateMessageParams) -> BoxFuture<'_, Result<CreateMessageResult, Error>> {
        Box::pin(async move { self.questions.ask(self.connection, "sampling", &params).await })
    }

    fn roots(&self) -> BoxFuture<'_, Result<Vec<Root>, Error>> {
        Box::pin(std::future::ready(Ok(self.questions.hub.roots())))
    }
}
