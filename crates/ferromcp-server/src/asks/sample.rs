//! What a client's model is asked to say.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling>.

use ferromcp_core::RawJson;
use ferromcp_core::model::{
    CreateMessageParams, CreateMessageResult, ModelHint, ModelPreferences, Role, SamplingContent, SamplingMessage,
    Tool, ToolChoice, ToolChoiceMode, ToolResultContent,
};

/// The most tokens to make unless said otherwise.
const MAX_TOKENS: u64 = 1024;

/// What a client's model is asked to say: a conversation so far, and how to go on.
///
/// Tools may be offered to the model (from 2025-11-25, to clients that declare it). When it wants some called, the
/// result says so; call them, give the results by [`answered`](Self::answered), and ask again, a bounded number of times.
///
/// ```
/// use ferromcp_server::Sample;
/// let sample = Sample::new("Which is the capital of France?").system("Answer in one word.").max_tokens(10);
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is asked until the sample is given to `ctx.sample(..)`"]
pub struct Sample(CreateMessageParams);

impl Sample {
    /// Goes on from one message of the user.
    pub fn new(text: impl Into<String>) -> Self {
        Self(CreateMessageParams::new(Vec::new(), MAX_TOKENS)).message(Role::User, SamplingContent::text(text))
    }

    /// Goes on from these messages.
    pub fn conversation(messages: impl IntoIterator<Item = SamplingMessage>) -> Self {
        Self(CreateMessageParams::new(messages.into_iter().collect(), MAX_TOKENS))
    }

    /// Adds a message.
    pub fn message(mut self, role: Role, content: SamplingContent) -> Self {
        self.0.messages.push(SamplingMessage::new(role, content));
        self
    }

    /// The system prompt wished for; the client may change it.
    pub fn system(mut self, prompt: impl Into<String>) -> Self {
        self.0.system_prompt = Some(prompt.into());
        self
    }

    /// The most tokens to make. 1,024 unless set.
    pub fn max_tokens(mut self, most: u64) -> Self {
        self.0.max_tokens = most;
        self
    }

    /// How freely the model speaks.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.0.temperature = Some(temperature);
        self
    }

    /// Where to stop.
    pub fn stop_at(mut self, sequence: impl Into<String>) -> Self {
        self.0.stop_sequences.get_or_insert_default().push(sequence.into());
        self
    }

    /// A model's name or a part of it, the most wanted first.
    pub fn prefer_model(mut self, name: impl Into<String>) -> Self {
        let mut hint = ModelHint::default();
        hint.name = Some(name.into());
        self.0.model_preferences.get_or_insert_default().hints.get_or_insert_default().push(hint);
        self
    }

    /// Which model would fit.
    pub fn preferences(mut self, preferences: ModelPreferences) -> Self {
        self.0.model_preferences = Some(preferences);
        self
    }

    /// For the model's provider: an object.
    pub fn metadata(mut self, metadata: RawJson) -> Self {
        self.0.metadata = Some(metadata);
        self
    }

    /// A tool that the model may want called. Clients that do not declare `sampling.tools` cannot be asked then.
    pub fn tool(mut self, tool: Tool) -> Self {
        self.0.tools.get_or_insert_default().push(tool);
        self
    }

    /// Whether the model must, may or must not want a tool called.
    pub fn tool_choice(mut self, mode: ToolChoiceMode) -> Self {
        let mut choice = ToolChoice::default();
        choice.mode = Some(mode);
        self.0.tool_choice = Some(choice);
        self
    }

    /// Goes on from what the model said, with the results of all the tools it wanted called.
    pub fn answered(
        mut self,
        said: &CreateMessageResult,
        results: impl IntoIterator<Item = ToolResultContent>,
    ) -> Self {
        let mut message = SamplingMessage::new(said.role, SamplingContent::text(""));
        message.content.clone_from(&said.content);
        self.0.messages.push(message);
        let results: Vec<SamplingContent> = results.into_iter().map(SamplingContent::ToolResult).collect();
        if !results.is_empty() {
            let mut message = SamplingMessage::new(Role::User, SamplingContent::text(""));
            message.content = results;
            self.0.messages.push(message);
        }
        self
    }

    /// The parameters on the wire, and what is wrong with them.
    pub(crate) fn into_params(self) -> (CreateMessageParams, Option<String>) {
        let flaw = flaw(&self.0.messages);
        (self.0, flaw)
    }
}

impl From<&str> for Sample {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Sample {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<CreateMessageParams> for Sample {
    fn from(params: CreateMessageParams) -> Self {
        Self(params)
    }
}

/// What is wrong with a conversation: each use of a tool is answered by the message that follows it, which holds
/// nothing else.
fn flaw(messages: &[SamplingMessage]) -> Option<String> {
    let mut wanted: Vec<&str> = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        let place = place + 1;
        if message.content.is_empty() {
            return Some(format!("message {place} for the model is empty; give it content"));
        }
        let results: Vec<&str> = message.content.iter().filter_map(result_of).collect();
        if !results.is_empty() && results.len() < message.content.len() {
            return Some(format!("message {place} for the model mixes tool results with other content; part them"));
        }
        if !wanted.is_empty() || !results.is_empty() {
            let mut given = results.clone();
            given.sort_unstable();
            wanted.sort_unstable();
            if given != wanted || message.role != Role::User {
                return Some(format!(
                    "message {place} for the model is to hold one result for each tool it wanted called: wanted are \
                     {wanted:?}, given are {given:?}"
                ));
            }
        }
        wanted = message.content.iter().filter_map(use_of).collect();
        if !wanted.is_empty() && message.role != Role::Assistant {
            return Some(format!("message {place} for the model wants a tool called, which only the model itself may"));
        }
    }
    (!wanted.is_empty()).then(|| format!("the tools {wanted:?} that the model wanted called have no results yet"))
}

fn use_of(block: &SamplingContent) -> Option<&str> {
    match block {
        SamplingContent::ToolUse(wanted) => Some(&wanted.id),
        _ => None,
    }
}

fn result_of(block: &SamplingContent) -> Option<&str> {
    match block {
        SamplingContent::ToolResult(result) => Some(&result.tool_use_id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ferromcp_core::model::ToolUseContent;

    use super::*;

    fn wants(id: &str) -> SamplingContent {
        SamplingContent::ToolUse(ToolUseContent::new(id, "weather", RawJson::empty_object()))
    }

    fn result(id: &str) -> SamplingContent {
        SamplingContent::ToolResult(ToolResultContent::new(id, Vec::new()))
    }

    fn said(role: Role, content: Vec<SamplingContent>) -> SamplingMessage {
        let mut message = SamplingMessage::new(role, SamplingContent::text(""));
        message.content = content;
        message
    }

    // M26-539, M26-540, M26-541, M26-542, M26-563, S-393, S-394, S-395, S-405
    #[test]
    fn uses_of_tools_are_answered_at_once_and_alone() {
        let (text, user, model) = (SamplingContent::text("hm"), Role::User, Role::Assistant);
        let good = [said(user, vec![text.clone()]), said(model, vec![text.clone(), wants("1"), wants("2")])];
        let answers = said(user, vec![result("2"), result("1")]);
        assert_eq!(flaw(&[good.to_vec(), vec![answers]].concat()), None);
        for (bad, words) in [
            (vec![result("1")], "one result for each"),
            (vec![result("1"), result("3")], "one result for each"),
            (vec![result("1"), result("2"), text.clone()], "mixes"),
            (vec![text.clone()], "one result for each"),
            (Vec::new(), "is empty"),
        ] {
            let flaw = flaw(&[good.to_vec(), vec![said(user, bad)]].concat()).unwrap();
            assert!(flaw.contains(words), "{flaw}");
        }
        assert!(flaw(&good).unwrap().contains("no results yet"));
        assert!(flaw(&[said(user, vec![result("1")])]).unwrap().contains("one result for each"));
        assert!(flaw(&[said(user, vec![wants("1")])]).unwrap().contains("only the model"));
    }

    #[test]
    fn what_the_model_said_goes_back_with_the_results() {
        let mut asked = CreateMessageResult::new("m", wants("1"));
        asked.stop_reason = Some("toolUse".into());
        let sample = Sample::new("Weather?").answered(&asked, [ToolResultContent::new("1", Vec::new())]);
        let (params, flaw) = sample.into_params();
        assert_eq!((params.messages.len(), flaw), (3, None));
    }
}
