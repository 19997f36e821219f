//! Sampling: requests for a completion from the client's model.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling>.

use ferromcp_core::RawJson;
use ferromcp_core::model::{
    CreateMessageParams, CreateMessageResult, ModelHint, ModelPreferences, Role, SamplingContent, SamplingMessage,
    ToolChoice, ToolChoiceMode, ToolDefinition, ToolResultContent,
};

/// Default maximum number of tokens.
const MAX_TOKENS: u64 = 1024;

/// The parameters of a sampling request: a conversation and the model options.
///
/// Tools can be offered to the model from 2025-11-25, if the client declares `sampling.tools`. If the result contains
/// tool uses, run the tools, append their results with [`tool_results`](Self::tool_results), and send the request
/// again, up to a limited number of times.
///
/// ```
/// use ferromcp_server::Sample;
/// let sample = Sample::new("Which is the capital of France?").system("Answer in one word.").max_tokens(10);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a sample does nothing until it is passed to `ctx.sample(..)`"]
pub struct Sample(CreateMessageParams);

impl Sample {
    /// Creates a sampling request with one user message.
    pub fn new(text: impl Into<String>) -> Self {
        Self(CreateMessageParams::new(Vec::new(), MAX_TOKENS)).message(Role::User, SamplingContent::text(text))
    }

    /// Creates a sampling request with these messages.
    pub fn conversation(messages: impl IntoIterator<Item = SamplingMessage>) -> Self {
        Self(CreateMessageParams::new(messages.into_iter().collect(), MAX_TOKENS))
    }

    /// Appends a message.
    pub fn message(mut self, role: Role, content: SamplingContent) -> Self {
        self.0.messages.push(SamplingMessage::new(role, content));
        self
    }

    /// Sets the system prompt. The client may modify it.
    pub fn system(mut self, prompt: impl Into<String>) -> Self {
        self.0.system_prompt = Some(prompt.into());
        self
    }

    /// Sets the maximum number of tokens. Default: 1,024.
    pub fn max_tokens(mut self, max: u64) -> Self {
        self.0.max_tokens = max;
        self
    }

    /// Sets the sampling temperature.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.0.temperature = Some(temperature);
        self
    }

    /// Adds a stop sequence.
    pub fn stop_sequence(mut self, sequence: impl Into<String>) -> Self {
        self.0.stop_sequences.get_or_insert_default().push(sequence.into());
        self
    }

    /// Adds a model name, or a substring of one, as a hint. Earlier hints take precedence.
    pub fn prefer_model(mut self, name: impl Into<String>) -> Self {
        let hints = self.0.model_preferences.get_or_insert_default().hints.get_or_insert_default();
        hints.push(ModelHint::new(name));
        self
    }

    /// Sets the model preferences.
    pub fn preferences(mut self, preferences: ModelPreferences) -> Self {
        self.0.model_preferences = Some(preferences);
        self
    }

    /// Sets the metadata for the model provider, a JSON object.
    pub fn metadata(mut self, metadata: RawJson) -> Self {
        self.0.metadata = Some(metadata);
        self
    }

    /// Offers a tool to the model. The client must declare `sampling.tools`.
    pub fn tool(mut self, tool: ToolDefinition) -> Self {
        self.0.tools.get_or_insert_default().push(tool);
        self
    }

    /// Sets whether the model may, must or must not use tools.
    pub fn tool_choice(mut self, mode: ToolChoiceMode) -> Self {
        self.0.tool_choice = Some(ToolChoice::new(mode));
        self
    }

    /// Appends the model's response and the results of all its tool uses.
    pub fn tool_results(
        mut self,
        response: &CreateMessageResult,
        results: impl IntoIterator<Item = ToolResultContent>,
    ) -> Self {
        let mut message = SamplingMessage::new(response.role, SamplingContent::text(""));
        message.content.clone_from(&response.content);
        self.0.messages.push(message);
        let results: Vec<SamplingContent> = results.into_iter().map(SamplingContent::ToolResult).collect();
        if !results.is_empty() {
            let mut message = SamplingMessage::new(Role::User, SamplingContent::text(""));
            message.content = results;
            self.0.messages.push(message);
        }
        self
    }

    /// Returns the request parameters, and the reason if they are invalid.
    pub(crate) fn into_params(self) -> (CreateMessageParams, Option<String>) {
        let invalid = validate(&self.0.messages);
        (self.0, invalid)
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

/// Validates a conversation, and returns the first problem. The message after a tool use must contain one result for
/// each use and no other content.
fn validate(messages: &[SamplingMessage]) -> Option<String> {
    let mut expected: Vec<&str> = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        let number = number + 1;
        if message.content.is_empty() {
            return Some(format!("sampling message {number} has no content"));
        }
        let results: Vec<&str> = message.content.iter().filter_map(tool_result_id).collect();
        if !results.is_empty() && results.len() < message.content.len() {
            return Some(format!(
                "sampling message {number} mixes tool results with other content; use separate messages"
            ));
        }
        if !expected.is_empty() || !results.is_empty() {
            let mut actual = results.clone();
            actual.sort_unstable();
            expected.sort_unstable();
            if actual != expected || message.role != Role::User {
                return Some(format!(
                    "sampling message {number} must contain exactly one result for each tool use: expected \
                     {expected:?}, got {actual:?}"
                ));
            }
        }
        expected = message.content.iter().filter_map(tool_use_id).collect();
        if !expected.is_empty() && message.role != Role::Assistant {
            return Some(format!("sampling message {number} contains a tool use, which requires the role `assistant`"));
        }
    }
    (!expected.is_empty()).then(|| format!("tool uses {expected:?} have no results"))
}

fn tool_use_id(block: &SamplingContent) -> Option<&str> {
    match block {
        SamplingContent::ToolUse(expected) => Some(&expected.id),
        _ => None,
    }
}

fn tool_result_id(block: &SamplingContent) -> Option<&str> {
    match block {
        SamplingContent::ToolResult(result) => Some(&result.tool_use_id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ferromcp_core::model::ToolUseContent;

    use super::*;

    fn tool_use(id: &str) -> SamplingContent {
        SamplingContent::ToolUse(ToolUseContent::new(id, "weather", RawJson::empty_object()))
    }

    fn result(id: &str) -> SamplingContent {
        SamplingContent::ToolResult(ToolResultContent::new(id, Vec::new()))
    }

    fn message(role: Role, content: Vec<SamplingContent>) -> SamplingMessage {
        let mut message = SamplingMessage::new(role, SamplingContent::text(""));
        message.content = content;
        message
    }

    // M26-539, M26-540, M26-541, M26-542, M26-563, S-393, S-394, S-395, S-405
    #[test]
    fn conversation_is_invalid_when_tool_results_are_missing_or_mixed() {
        let (text, user, model) = (SamplingContent::text("hm"), Role::User, Role::Assistant);
        let good =
            [message(user, vec![text.clone()]), message(model, vec![text.clone(), tool_use("1"), tool_use("2")])];
        let answers = message(user, vec![result("2"), result("1")]);
        assert_eq!(validate(&[good.to_vec(), vec![answers]].concat()), None);
        for (bad, expected) in [
            (vec![result("1")], "exactly one result for each"),
            (vec![result("1"), result("3")], "exactly one result for each"),
            (vec![result("1"), result("2"), text.clone()], "mixes"),
            (vec![text.clone()], "exactly one result for each"),
            (Vec::new(), "has no content"),
        ] {
            let invalid = validate(&[good.to_vec(), vec![message(user, bad)]].concat()).unwrap();
            assert!(invalid.contains(expected), "{invalid}");
        }
        assert!(validate(&good).unwrap().contains("have no results"));
        assert!(validate(&[message(user, vec![result("1")])]).unwrap().contains("exactly one result for each"));
        assert!(validate(&[message(user, vec![tool_use("1")])]).unwrap().contains("requires the role"));
    }

    #[test]
    fn tool_results_appends_response_and_results() {
        let mut response = CreateMessageResult::new("m", tool_use("1"));
        response.stop_reason = Some("toolUse".into());
        let sample = Sample::new("Weather?").tool_results(&response, [ToolResultContent::new("1", Vec::new())]);
        let (params, invalid) = sample.into_params();
        assert_eq!((params.messages.len(), invalid), (3, None));
    }
}
