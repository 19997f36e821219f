//! What a call asks for, as far as its state is bound to it.

use ferromcp_core::{ClientRequest, RawJson, Str};

/// The method, name and arguments of a call that may ask: what has to be the same when it comes again.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) method: &'static str,
    /// The tool's or prompt's name, or the resource's URI.
    pub(crate) name: Str,
    pub(crate) arguments: Option<RawJson>,
}

impl Origin {
    /// The origin of a request; `None` of one that is never answered with questions.
    pub(crate) fn of(request: &ClientRequest) -> Option<Self> {
        let (name, arguments) = match request {
            ClientRequest::CallTool(params) => (&params.name, params.arguments.as_ref()),
            ClientRequest::GetPrompt(params) => (&params.name, params.arguments.as_ref()),
            ClientRequest::ReadResource(params) => (&params.uri, None),
            _ => return None,
        };
        let method = request.info()?.name;
        Some(Self { method, name: name.clone(), arguments: arguments.cloned() })
    }
}
