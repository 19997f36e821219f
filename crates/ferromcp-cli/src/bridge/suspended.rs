//! Calls that returned `input_required`, and wait for the client to return with answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferromcp_core::{ClientRequest, Error};
use ferromcp_server::Call;
use tokio::time::sleep;

use super::running_call::RunningCall;

/// How long a call waits for its client. Then it is cancelled.
const MAX_WAIT: Duration = Duration::from_secs(600);

/// Maximum number of calls that wait, of all clients.
const MAX_CALLS: usize = 256;

/// The calls that wait, by their request state.
#[derive(Default)]
pub(super) struct SuspendedCalls(Mutex<HashMap<String, Suspended>>);

struct Suspended {
    running: RunningCall,
    owner: Owner,
}

/// The call that a request state belongs to. Another call cannot use it.
#[derive(PartialEq, Eq)]
struct Owner {
    identity: Option<String>,
    method: &'static str,
    /// The name of the tool or prompt, or the URI.
    name: String,
}

impl Owner {
    fn of(call: &Call) -> Option<Self> {
        let (method, name) = match &call.request {
            ClientRequest::CallTool(params) => ("tools/call", &params.name),
            ClientRequest::GetPrompt(params) => ("prompts/get", &params.name),
            ClientRequest::ReadResource(params) => ("resources/read", &params.uri),
            _ => return None,
        };
        Some(Self { identity: call.peer.identity().map(str::to_owned), method, name: name.to_string() })
    }
}

impl SuspendedCalls {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Suspended>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a call, and returns its request state.
    ///
    /// # Errors
    /// Fails if too many calls wait, or the system has no random numbers. The call is then cancelled.
    pub(super) fn insert(self: &Arc<Self>, call: &Call, running: RunningCall) -> Result<String, Error> {
        let owner = Owner::of(call).ok_or_else(|| Error::internal("cannot request input for this method"))?;
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| Error::internal(format!("cannot create a request state: {error}")))?;
        let state = format!("{:032x}", u128::from_ne_bytes(random));
        let mut calls = self.lock();
        if calls.len() >= MAX_CALLS {
            let message = format!("cannot request input: {MAX_CALLS} calls already wait for input; try again later");
            return Err(Error::internal(message));
        }
        calls.insert(state.clone(), Suspended { running, owner });
        drop(calls);
        let (table, key) = (Arc::downgrade(self), state.clone());
        tokio::spawn(async move {
            sleep(MAX_WAIT).await;
            if let Some(table) = table.upgrade() {
                table.lock().remove(&key);
            }
        });
        Ok(state)
    }

    /// Removes the call of a request state.
    ///
    /// # Errors
    /// Fails with -32602 if no call of this client and method has the state.
    pub(super) fn take(&self, call: &Call, state: &str) -> Result<RunningCall, Error> {
        let mut calls = self.lock();
        if calls.get(state).is_some_and(|suspended| Owner::of(call).as_ref() == Some(&suspended.owner))
            && let Some(suspended) = calls.remove(state)
        {
            return Ok(suspended.running);
        }
        Err(Error::invalid_params("Invalid params: `requestState` is unknown or expired; send the request without it"))
    }
}
