//! Forwards one request to a server, with its progress, log messages and questions.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ferromcp_core::model::{InputRequired, ProgressParams};
use ferromcp_core::{ClientRequest, RawMap, ServerNotification, Str};
use ferromcp_server::{Call, Peer, Reply, RequestSink};

use super::Bridge;
use super::in_flight::{CURRENT, Event, Question, client_error};
use super::members::{Member, to_error};
use super::replace::replaced;
use super::running_call::RunningCall;

impl Bridge {
    /// Forwards a request to the server that has its item, or continues a call with the answers of the client.
    pub(super) async fn forward(&self, mut call: Call) -> Reply {
        let (state, responses) = take_round(&mut call.request);
        if let Some(state) = state {
            return match self.suspended.take(&call, &state) {
                Ok(mut running) => {
                    running.answer(&responses.unwrap_or_default());
                    self.run(&call, running).await
                }
                Err(error) => Reply::Failed(error),
            };
        }
        let members = match self.members().await {
            Ok(members) => members,
            Err(error) => return Reply::Failed(error),
        };
        match members.route(&call.request).await {
            Ok((member, request)) => match member.check(&request).await {
                Ok(()) => self.send(&call, member, request).await,
                Err(error) => Reply::Failed(error),
            },
            Err(error) => Reply::Failed(error),
        }
    }

    /// Sends a request to a server, and waits for its reply or its questions.
    pub(super) async fn send(&self, call: &Call, member: &Member, request: ClientRequest) -> Reply {
        let running = self.start(call, member, request);
        self.run(call, running).await
    }

    fn start(&self, call: &Call, member: &Member, request: ClientRequest) -> RunningCall {
        let may_return_questions = request.info().is_some_and(|method| method.may_require_input);
        let takes_questions = may_return_questions || !call.peer.revision().is_modern();
        let (registration, events) = self.in_flight.register(call, member.number, takes_questions);
        let forwarded = Arc::clone(&registration.call);
        let mut sent = member.client.forward(request);
        if let Some(level) = call.peer.log_level().filter(|_| member.client.revision().is_modern()) {
            sent = sent.log_level(level);
        }
        let listener = Arc::clone(&forwarded);
        sent = sent.on_progress(move |progress| listener.progress(progress));
        let is_replaced = Arc::clone(&member.is_replaced);
        let task = tokio::spawn(CURRENT.scope(forwarded, async move {
            sent.await.map_err(|error| if is_replaced.load(Ordering::Relaxed) { replaced() } else { to_error(&error) })
        }));
        RunningCall::new(task, events, registration)
    }

    /// Waits for the reply of the server, or its questions if the client does not receive requests.
    async fn run(&self, call: &Call, mut running: RunningCall) -> Reply {
        running.discard_closed();
        let has_rounds = call.peer.revision().is_modern();
        loop {
            if has_rounds && !running.unanswered.is_empty() {
                while let Ok(event) = running.events.try_recv() {
                    receive(call, &mut running, event).await;
                }
                return self.suspend(call, running);
            }
            tokio::select! {
                biased; // notifications are sent before the reply
                Some(event) = running.events.recv() => match event {
                    Event::Question(question) if !has_rounds => {
                        // The question may belong to another call, so it does not end with this one.
                        tokio::spawn(ask(call.sink.clone(), call.peer.clone(), question));
                    }
                    event => receive(call, &mut running, event).await,
                },
                result = &mut running.task => return result.map_or_else(Reply::Failed, Reply::Done),
            }
        }
    }

    /// Returns the questions of a call, which continues when the client returns with the answers.
    fn suspend(&self, call: &Call, running: RunningCall) -> Reply {
        let requests = running.unanswered.iter().map(|(key, question)| (key.clone(), question.request.clone()));
        let requests: Vec<_> = requests.collect();
        match self.suspended.insert(call, running) {
            Ok(state) => Reply::NeedsInput(InputRequired::default().input_requests(requests).request_state(state)),
            Err(error) => Reply::Failed(error),
        }
    }
}

/// Forwards a notification, or adds a question to the next `input_required` result.
async fn receive(call: &Call, running: &mut RunningCall, event: Event) {
    let notification = match event {
        Event::Question(question) => return running.add(question, &call.peer),
        Event::Log(message) => ServerNotification::Message(message),
        Event::Progress(progress) => {
            let token = call.request.meta().and_then(|meta| meta.progress_token.clone());
            let Some(token) = token else { return };
            let mut params = ProgressParams::new(token, progress.progress);
            (params.total, params.message) = (progress.total, progress.message);
            ServerNotification::Progress(params)
        }
    };
    call.sink.notify(notification, &call.peer).await;
}

/// Sends a question to a client that receives requests. The question is cancelled if the server no longer waits for it. The
/// answer is missing if the transport ends the question with the call.
async fn ask(sink: RequestSink, peer: Peer, question: Question) {
    let Question { request, mut answer } = question;
    let outcome = tokio::select! {
        outcome = sink.request_input(request, &peer) => outcome,
        () = answer.closed() => return,
    };
    match outcome {
        Err(error) if error.is_disconnected() => {}
        outcome => drop(answer.send(outcome.map_err(client_error))),
    }
}

/// Removes the request state and the input responses of a request.
fn take_round(request: &mut ClientRequest) -> (Option<Str>, Option<RawMap>) {
    let (state, responses) = match request {
        ClientRequest::CallTool(params) => (&mut params.request_state, &mut params.input_responses),
        ClientRequest::GetPrompt(params) => (&mut params.request_state, &mut params.input_responses),
        ClientRequest::ReadResource(params) => (&mut params.request_state, &mut params.input_responses),
        _ => return (None, None),
    };
    (state.take(), responses.take())
}
