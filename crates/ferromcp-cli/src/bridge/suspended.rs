//! Calls that returned `input_required`, and wait for the client to return with answers.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ferromcp_core::{ClientRequest, Error, RawJson};
use ferromcp_server::Call;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::running_call::RunningCall;

/// Timeout of a suspended call, after which it is cancelled.
const MAX_WAIT: Duration = Duration::from_secs(600);

/// Maximum number of calls that wait, of all clients. The oldest is cancelled when another one has to wait. A client accepts at
/// most 32 requests of a server at the same time.
const MAX_CALLS: usize = 30;

/// The calls that wait, by their request state.
#[derive(Default)]
pub(super) struct SuspendedCalls(Mutex<HashMap<String, Suspended>>);

struct Suspended {
    running: RunningCall,
    owner: Owner,
    since: Instant,
    _expiry: Expiry,
}

/// Removes a call after its timeout. Dropping it aborts the task.
struct Expiry(AbortHandle);

impl Drop for Expiry {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The call that a request state belongs to. Another call cannot use it.
#[derive(PartialEq, Eq)]
struct Owner {
    identity: Option<String>,
    method: &'static str,
    /// The name of the tool or prompt, or the URI.
    name: String,
    /// A hash of the arguments.
    arguments: u64,
}

impl Owner {
    fn of(call: &Call) -> Option<Self> {
        let (method, name, arguments) = match &call.request {
            ClientRequest::CallTool(params) => ("tools/call", &params.name, params.arguments.as_ref()),
            ClientRequest::GetPrompt(params) => ("prompts/get", &params.name, params.arguments.as_ref()),
            ClientRequest::ReadResource(params) => ("resources/read", &params.uri, None),
            _ => return None,
        };
        let mut hasher = DefaultHasher::new();
        arguments.map(RawJson::as_str).hash(&mut hasher);
        let identity = call.peer.identity().map(str::to_owned);
        Some(Self { identity, method, name: name.to_string(), arguments: hasher.finish() })
    }
}

impl SuspendedCalls {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Suspended>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a call, and returns its request state.
    ///
    /// # Errors
    /// Fails if the system has no random numbers. The call is then cancelled.
    pub(super) fn insert(self: &Arc<Self>, call: &Call, running: RunningCall) -> Result<String, Error> {
        let owner = Owner::of(call)
            .ok_or_else(|| Error::internal("cannot request input: the method does not support `input_required`"))?;
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| Error::internal(format!("cannot create a request state: {error}")))?;
        let state = format!("{:032x}", u128::from_ne_bytes(random));
        let (table, key) = (Arc::downgrade(self), state.clone());
        let expire = async move {
            sleep(MAX_WAIT).await;
            if let Some(table) = table.upgrade() {
                table.lock().remove(&key);
            }
        };
        running.set_suspended(true);
        let (since, timer) = (Instant::now(), Expiry(tokio::spawn(expire).abort_handle()));
        let mut calls = self.lock();
        if calls.len() >= MAX_CALLS
            && let Some(oldest) = calls.iter().min_by_key(|(_, call)| call.since).map(|(state, _)| state.clone())
        {
            tracing::warn!("cancelled a call whose client has not returned: {MAX_CALLS} calls wait for input");
            calls.remove(&oldest);
        }
        calls.insert(state.clone(), Suspended { running, owner, since, _expiry: timer });
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
            suspended.running.set_suspended(false);
            return Ok(suspended.running);
        }
        Err(Error::invalid_params("Invalid params: `requestState` is unknown or expired; send the request without it"))
    }
}
