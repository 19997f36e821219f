//! The requests of the page.

use ferromcp_core::model::{LogLevel, Root};
use ferromcp_core::{Error, RawJson};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Inspector;
use super::calls;
use super::sessions::Sessions;
use crate::record::hub::Recorded;

/// Maximum number of roots.
const MAX_ROOTS: usize = 1000;

#[derive(Deserialize)]
struct OfConnection {
    connection: String,
}

#[derive(Deserialize)]
struct OfCall {
    call: String,
}

#[derive(Deserialize)]
struct OfResource {
    connection: String,
    uri: String,
}

#[derive(Deserialize)]
struct Answer {
    question: String,
    result: Option<RawJson>,
    error: Option<Error>,
}

#[derive(Deserialize)]
struct Roots {
    roots: Vec<Root>,
}

#[derive(Deserialize)]
struct Level {
    connection: String,
    level: String,
}

#[derive(Deserialize)]
struct Clear {
    what: Recorded,
}

impl Inspector {
    /// Handles a request of the page.
    ///
    /// # Errors
    /// Fails with a message for the page if the request is invalid.
    pub(super) async fn handle(&self, name: &str, body: &[u8]) -> Result<RawJson, String> {
        match name {
            "request" => return self.request(parse(body)?).await,
            "connect" => {
                let id = Sessions::id(&parse::<OfConnection>(body)?.connection)?;
                let sessions = self.sessions.clone();
                tokio::spawn(async move { sessions.open(id).await });
            }
            "disconnect" => self.sessions.close(Sessions::id(&parse::<OfConnection>(body)?.connection)?).await,
            "cancel" => {
                let call = parse::<OfCall>(body)?.call;
                if !self.calls.cancel(&call) {
                    return Err("the call has ended already".to_owned());
                }
            }
            "answer" => self.answer(parse(body)?)?,
            "roots" => {
                let roots = parse::<Roots>(body)?.roots;
                if roots.len() > MAX_ROOTS {
                    return Err(format!("there are more than {MAX_ROOTS} roots; remove some"));
                }
                self.hub.set_roots(roots);
                self.sessions.roots_changed().await;
            }
            "subscribe" => {
                let OfResource { connection, uri } = parse(body)?;
                self.sessions.get(&connection)?.subscriptions.subscribe(&uri).await?;
            }
            "unsubscribe" => {
                let OfResource { connection, uri } = parse(body)?;
                self.sessions.get(&connection)?.subscriptions.unsubscribe(&uri);
            }
            "log-level" => self.set_log_level(parse(body)?).await?,
            "login" => self.logins.start(Sessions::id(&parse::<OfConnection>(body)?.connection)?)?,
            "login/cancel" => self.logins.cancel(),
            "logout" => self.logins.log_out(Sessions::id(&parse::<OfConnection>(body)?.connection)?).await?,
            // A full queue contains a restart already.
            "restart" => drop(self.restart.try_send(())),
            "clear" => self.hub.clear(parse::<Clear>(body)?.what),
            _ => return Err("unknown request; reload the page".to_owned()),
        }
        Ok(RawJson::empty_object())
    }

    async fn request(&self, request: calls::Request) -> Result<RawJson, String> {
        let connection = self.sessions.get(&request.connection)?;
        self.calls.send(&connection, request).await
    }

    fn answer(&self, answer: Answer) -> Result<(), String> {
        let outcome = match (answer.result, answer.error) {
            (Some(result), None) => Ok(result),
            (None, Some(error)) => Err(error),
            _ => return Err("an answer has either a result or an error".to_owned()),
        };
        if self.sessions.questions().answer(&answer.question, outcome) {
            return Ok(());
        }
        Err("the question was answered or cancelled already".to_owned())
    }

    async fn set_log_level(&self, Level { connection, level }: Level) -> Result<(), String> {
        let level = match level.as_str() {
            "off" => None,
            name => Some(serde_json::from_value::<LogLevel>(name.into()).map_err(|error| error.to_string())?),
        };
        self.sessions.set_log_level(&connection, level).await
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("the request is invalid: {error}"))
}
