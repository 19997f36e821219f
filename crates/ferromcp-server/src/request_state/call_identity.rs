//! The identity of a call, which its request state is bound to.

use ferromcp_core::{ClientRequest, RawJson, Str};

use super::claims::Binding;

/// The method, name and arguments of a call. They must be equal when the call is resumed.
#[derive(Debug, Clone)]
pub(crate) struct CallIdentity {
    pub(crate) method: &'static str,
    /// The tool's or prompt's name, or the resource's URI.
    pub(crate) name: Str,
    pub(crate) arguments: Option<RawJson>,
}

impl CallIdentity {
    /// Returns the identity of a request; `None` if its method does not support `input_required` results.
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

    /// Returns the binding of this call for the caller `identity` and the server `audience`.
    pub(crate) fn binding<'a>(&'a self, identity: Option<&'a str>, audience: &'a str) -> Binding<'a> {
        Binding { identity, method: self.method, name: &self.name, arguments: self.arguments.as_ref(), audience }
    }
}
