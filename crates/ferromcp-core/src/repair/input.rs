//! Repair of `input_required` results.

use std::collections::HashSet;
use std::marker::PhantomData;

use super::edit::{Members, edit, value_at};
use super::path::{FieldError, Path, Segment, decode_tracked};
use super::policy::{Policy, allows_in_elicitation};
use super::report::Repairs;
use super::results::Repairable;
use super::run::{repair_object, run};
use crate::model::{CreateMessageParams, ElicitParams, InputRequest, InputRequired};

impl Repairable for InputRequired {
    /// An input request is never skipped, because the server waits for the response to it. Neither is the state ignored.
    fn repair(text: &str, root: &str, repairs: &mut Repairs) -> Result<Self, FieldError> {
        let base = Path::root(root);
        let strict = ["inputRequests", "requestState"];
        let allows =
            |path: &[Segment]| !path.first().and_then(Segment::as_key).is_some_and(|key| strict.contains(&key));
        let policy = Policy { allows: &allows, ..Policy::ANY };
        let list = [Segment::key("inputRequests")];
        let Some(members) = value_at(text, &list).and_then(Members::of) else {
            return repair_object(text, &base, &policy, repairs);
        };
        let rest = edit(text, &list, Some("{}")).unwrap_or_else(|| text.to_owned());
        let mut required: Self = repair_object(&rest, &base, &policy, repairs)?;
        let (mut requests, mut seen) = (Vec::new(), HashSet::new());
        for (name, request) in members.iter() {
            let path = base.join(&list).join(&[Segment::key(name)]);
            if !seen.insert(name) {
                return Err(FieldError::new(path, "duplicate field"));
            }
            requests.push((name.to_owned(), repair_request(request, &path, repairs)?));
        }
        required.input_requests = Some(requests);
        Ok(required)
    }
}

fn repair_request(text: &str, path: &Path, repairs: &mut Repairs) -> Result<InputRequest, FieldError> {
    if let Ok(request) = serde_json::from_str(text) {
        return Ok(request);
    }
    let members = Members::of(text).ok_or_else(|| FieldError::new(path.clone(), "expected an object"))?;
    let method = members.get("method").and_then(|method| serde_json::from_str::<String>(method).ok());
    let params = members.get("params").filter(|params| *params != "null").unwrap_or("{}");
    let at = path.join(&[Segment::key("params")]);
    match method.as_deref() {
        Some("elicitation/create") => {
            let policy = Policy { allows: &allows_in_elicitation, ..Policy::ANY };
            let attempt = |text: &str| decode_tracked(PhantomData::<ElicitParams>, text);
            run(params, (&at, None), &policy, repairs, attempt).map(InputRequest::Elicit)
        }
        Some("sampling/createMessage") => {
            let attempt = |text: &str| decode_tracked(PhantomData::<CreateMessageParams>, text);
            let params = run(params, (&at, None), &Policy::ANY, repairs, attempt)?;
            Ok(InputRequest::CreateMessage(Box::new(params)))
        }
        _ => decode_tracked(PhantomData, text).map_err(|error| error.below(path)),
    }
}
