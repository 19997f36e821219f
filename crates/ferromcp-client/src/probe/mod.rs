//! Negotiation: finds out how a server speaks, in as few questions as the specification allows.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning>.

mod judge;

use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::model::DiscoverResult;
use ferromcp_core::{ClientRequest, Era, Error, RawJson, Revision};
use tokio::time::timeout;

use crate::board::Board;
use crate::channel::{BoxFuture, Channel, Failure, Outgoing};
use crate::connect::Connector;
use crate::ear::Ear;
use crate::era::{About, legacy, modern};
use crate::error::{ClientError, ErrorKind};
use crate::ids::Ids;
use crate::settings::Settings;
use crate::verdict::Verdict;
use judge::{Judgement, Legacy, Outcome, judge};

/// What negotiation needs.
pub(crate) struct Negotiation<'a> {
    pub(crate) connector: &'a dyn Connector,
    pub(crate) settings: &'a Settings,
    pub(crate) board: &'a Arc<Board>,
    pub(crate) ids: &'a Ids,
}

/// An open channel to a server that is known by now.
pub(crate) struct Agreed {
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) verdict: Verdict,
    pub(crate) about: About,
}

/// A channel whose server is not known yet.
struct Line {
    channel: Arc<dyn Channel>,
    ear: Arc<Ear>,
}

type Answer = BoxFuture<'static, Result<RawJson, Failure>>;

impl Negotiation<'_> {
    /// Opens a channel and agrees on a revision. A verdict of earlier saves the probe, unless it is wrong by now.
    pub(crate) async fn run(&self, verdict: Option<Verdict>) -> Result<Agreed, ClientError> {
        let pin = self.settings.pin;
        if pin.newest(Era::Modern, None).is_none() {
            return self.handshake_only(false).await;
        }
        if let Some(verdict) = verdict.filter(|verdict| verdict.era() == Era::Legacy && pin.allows(verdict.revision)) {
            match self.handshake_only(verdict.http_sse).await {
                Err(error) if is_stale(&error) => tracing::debug!(%error, "the saved verdict is stale; probing"),
                settled => return settled,
            }
        }
        // One that was modern is only slow when it is silent.
        let was_modern = verdict.is_some_and(|verdict| verdict.era() == Era::Modern);
        let limits = &self.settings.limits;
        self.probe(if was_modern { limits.connect_timeout } else { limits.probe_timeout }).await
    }

    async fn handshake_only(&self, http_sse: bool) -> Result<Agreed, ClientError> {
        let line = if http_sse { self.open_http_sse().await } else { Some(self.open().await) };
        let line = match line {
            Some(line) => line.map_err(|failure| ClientError::of("initialize", failure))?,
            None => return Err(ClientError::new(ErrorKind::Negotiation, "there is no HTTP+SSE to this server")),
        };
        self.handshake(line, None, http_sse).await
    }

    async fn open(&self) -> Result<Line, Failure> {
        let ear = self.ear();
        let opening = self.connector.open(Arc::clone(&ear) as _, &self.settings.limits);
        Ok(Line { channel: self.opened(opening).await?, ear })
    }

    async fn open_http_sse(&self) -> Option<Result<Line, Failure>> {
        let ear = self.ear();
        let opening = self.connector.open_http_sse(Arc::clone(&ear) as _, &self.settings.limits)?;
        Some(self.opened(opening).await.map(|channel| Line { channel, ear }))
    }

    fn ear(&self) -> Arc<Ear> {
        Arc::new(Ear::new(Arc::clone(self.board), self.settings.limits.questions))
    }

    async fn opened(
        &self,
        opening: BoxFuture<'_, Result<Arc<dyn Channel>, Failure>>,
    ) -> Result<Arc<dyn Channel>, Failure> {
        let late = |_| Failure::unsent(std::io::ErrorKind::TimedOut.into());
        timeout(self.settings.limits.connect_timeout, opening).await.map_err(late)?
    }

    async fn probe(&self, limit: Duration) -> Result<Agreed, ClientError> {
        let revision = self.settings.pin.newest(Era::Modern, None).unwrap_or(Revision::LATEST);
        let line = self.open().await.map_err(|failure| ClientError::of("server/discover", failure))?;
        let mut corrected = false;
        loop {
            let mut answer = self.discover(&line, revision)?;
            let outcome = match timeout(limit, &mut answer).await {
                Ok(Ok(result)) => Outcome::Answered(result),
                Ok(Err(failure)) => Outcome::Failed(failure),
                Err(_) => Outcome::Silence,
            };
            let silent = matches!(outcome, Outcome::Silence);
            match judge(outcome, self.connector.way(), self.settings.pin) {
                Judgement::Modern(found) => return Ok(self.modern(line, revision, *found)),
                // One correction; a server that refuses what it names would be asked for ever.
                Judgement::Again(_) if !corrected => corrected = true,
                Judgement::Again(error) => return self.give_up(line, ClientError::rpc_error(error)).await,
                Judgement::Fail(error) => return self.give_up(line, error).await,
                Judgement::Legacy(found) if found.anew => return self.anew(line, found).await,
                Judgement::Legacy(found) if silent => return self.late(line, found, answer, revision).await,
                Judgement::Legacy(found) => return self.handshake(line, found.offered, false).await,
            }
        }
    }

    fn discover(&self, line: &Line, revision: Revision) -> Result<Answer, ClientError> {
        let mut request = modern::probe();
        self.dress(revision).put_on(&mut request, None)?;
        Ok(line.channel.request(Outgoing::new(self.ids.next(), request, revision)))
    }

    /// What modern requests carry.
    pub(crate) fn dress(&self, revision: Revision) -> modern::Dress {
        modern::Dress {
            revision,
            capabilities: Arc::new(self.settings.capabilities(&self.board.handlers, revision)),
            info: self.settings.info_json.clone(),
            log_level: self.settings.log_level,
        }
    }

    #[allow(clippy::unused_self, reason = "one of the ends of negotiation, all of which are methods")]
    fn modern(&self, line: Line, revision: Revision, found: DiscoverResult) -> Agreed {
        line.ear.is_modern();
        line.channel.agreed(revision);
        Agreed { channel: line.channel, verdict: Verdict::new(revision), about: modern::about(found) }
    }

    /// The server ended on the probe: some do on anything before `initialize`.
    async fn anew(&self, line: Line, found: Legacy) -> Result<Agreed, ClientError> {
        drop(line);
        if !self.connector.can_reopen() {
            let message = format!("{}, and its connection cannot be opened again", found.because);
            return Err(ClientError::new(ErrorKind::Connect, message));
        }
        tracing::debug!(because = found.because, "opening the connection again for a handshake");
        let line = self.open().await.map_err(|failure| ClientError::of("initialize", failure))?;
        self.handshake(line, found.offered, false).await
    }

    /// The server is silent, so it gets its handshake. One that refuses it was a slow modern one after all.
    async fn late(&self, line: Line, found: Legacy, answer: Answer, revision: Revision) -> Result<Agreed, ClientError> {
        let again = Line { channel: Arc::clone(&line.channel), ear: Arc::clone(&line.ear) };
        let settled = self.open_session(&again, found.offered, false).await;
        let refused = settled.as_ref().is_err_and(|error| error.kind() == ErrorKind::Server);
        if refused {
            // What was asked first is answered first, or never.
            if let Ok(Ok(result)) = timeout(Duration::from_millis(100), answer).await {
                if let Judgement::Modern(found) =
                    judge(Outcome::Answered(result), self.connector.way(), self.settings.pin)
                {
                    return Ok(self.modern(line, revision, *found));
                }
            }
        }
        match settled {
            Ok(agreed) => Ok(agreed),
            Err(error) => self.give_up(line, error).await,
        }
    }

    async fn handshake(&self, line: Line, offered: Option<Vec<String>>, http_sse: bool) -> Result<Agreed, ClientError> {
        match self.open_session(&line, offered, http_sse).await {
            Ok(agreed) => Ok(agreed),
            Err(error) if !http_sse && is_no_endpoint(&error) => {
                let Some(old) = self.open_http_sse().await else { return self.give_up(line, error).await };
                drop(line);
                match old {
                    Ok(line) => match self.open_session(&line, None, true).await {
                        Ok(agreed) => Ok(agreed),
                        Err(error) => self.give_up(line, error).await,
                    },
                    Err(failure) => {
                        tracing::debug!(?failure, "no HTTP+SSE there either");
                        Err(error)
                    }
                }
            }
            Err(error) => self.give_up(line, error).await,
        }
    }

    /// `initialize`, `notifications/initialized`, and the level of logs where one is wanted.
    async fn open_session(
        &self,
        line: &Line,
        offered: Option<Vec<String>>,
        http_sse: bool,
    ) -> Result<Agreed, ClientError> {
        let pin = self.settings.pin;
        let mut offer = pin.newest(Era::Legacy, offered.as_deref());
        let mut corrected = false;
        let result = loop {
            let revision = offer.ok_or_else(no_legacy)?;
            match self.initialize(line, revision).await? {
                Ok(result) => break result,
                Err(error) => {
                    let other = pin.newest(Era::Legacy, Some(&modern::supported(&error)));
                    if corrected || other.is_none_or(|other| other == revision) {
                        return Err(ClientError::rpc_error(error));
                    }
                    (offer, corrected) = (other, true);
                }
            }
        };
        let (revision, about) = legacy::agreement(&result, pin)?;
        line.channel.agreed(revision);
        let opened = line.channel.notify(legacy::initialized(), revision).await;
        opened.map_err(|failure| ClientError::of("notifications/initialized", failure))?;
        self.wish_for_logs(line, revision, &about).await;
        let mut verdict = Verdict::new(revision);
        verdict.http_sse = http_sse;
        Ok(Agreed { channel: Arc::clone(&line.channel), verdict, about })
    }

    /// Sends `initialize`; the inner error is the server's own, and may name what it speaks.
    async fn initialize(&self, line: &Line, revision: Revision) -> Result<Result<RawJson, Error>, ClientError> {
        let capabilities = self.settings.capabilities(&self.board.handlers, revision);
        let request = legacy::opening(revision, capabilities, self.settings.info.clone());
        match self.ask(line, request, revision).await {
            Ok(result) => Ok(Ok(result)),
            Err(Failure::Rpc { error, status: None | Some(200) }) => Ok(Err(error)),
            Err(Failure::Rpc { error, .. }) if !modern::supported(&error).is_empty() => Ok(Err(error)),
            Err(Failure::Rpc { error, status: Some(status) }) if matches!(status, 400 | 404 | 405) => {
                let body = error.to_string();
                let refused = ClientError::of("initialize", Failure::Status { status, body }).with_rpc(error);
                Err(refused.because(NoEndpoint))
            }
            Err(failure @ Failure::Status { status: 400 | 404 | 405, .. }) => {
                Err(ClientError::of("initialize", failure).because(NoEndpoint))
            }
            Err(Failure::SessionGone { .. }) => Err(ClientError::closed("no session here").because(NoEndpoint)),
            Err(failure) => Err(ClientError::of("initialize", failure)),
        }
    }

    async fn wish_for_logs(&self, line: &Line, revision: Revision, about: &About) {
        let Some(level) = self.settings.log_level.filter(|_| about.capabilities.logging.is_some()) else { return };
        if let Err(failure) = self.ask(line, legacy::set_level(level), revision).await {
            tracing::warn!(?failure, "the server did not take the level of logs");
        }
    }

    async fn ask(&self, line: &Line, request: ClientRequest, revision: Revision) -> Result<RawJson, Failure> {
        let asked = line.channel.request(Outgoing::new(self.ids.next(), request, revision));
        let late = |_| Failure::lost(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time"));
        timeout(self.settings.limits.connect_timeout, asked).await.map_err(late)?
    }

    async fn give_up(&self, line: Line, error: ClientError) -> Result<Agreed, ClientError> {
        line.channel.close().await;
        Err(error)
    }
}

/// Says that an HTTP status means: no endpoint of this kind here.
#[derive(Debug)]
struct NoEndpoint;

impl std::fmt::Display for NoEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("there is no Streamable HTTP at this URL")
    }
}

impl std::error::Error for NoEndpoint {}

fn is_no_endpoint(error: &ClientError) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<NoEndpoint>)
}

/// Whether a server that was known is another one now; one that cannot be reached at all says nothing.
fn is_stale(error: &ClientError) -> bool {
    let says_nothing = [ErrorKind::Unauthorized, ErrorKind::Outage, ErrorKind::Connect];
    !says_nothing.contains(&error.kind())
}

fn no_legacy() -> ClientError {
    ClientError::new(ErrorKind::Negotiation, "client and server share no revision with a handshake")
}
