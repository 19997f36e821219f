//! Texts of prompts: a manifest contains the text of each prompt, in which hosts replace `${arguments.NAME}`.

use ferromcp_client::Client;
use ferromcp_core::model::PromptDefinition;
use serde_json::{Map, Value, json};

/// Maximum number of prompts in a manifest.
const MAX_PROMPTS: usize = 100;
/// Maximum length of a text, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// The prompts of a manifest.
#[derive(Debug, Default)]
pub(crate) struct Prompts {
    pub(crate) items: Vec<Value>,
    /// The prompts without a text that is known before they are used.
    pub(crate) skipped: Vec<String>,
}

/// Requests each prompt with placeholders as its arguments. A prompt that fails, for example because its argument is a
/// number, is skipped.
pub(crate) async fn fetch(client: &Client, definitions: &[PromptDefinition]) -> Prompts {
    let mut prompts = Prompts::default();
    for (index, definition) in definitions.iter().enumerate() {
        let text = if index < MAX_PROMPTS { text(client, definition).await } else { None };
        let Some(text) = text else {
            prompts.skipped.push(definition.name.clone());
            continue;
        };
        let mut item = json!({ "name": definition.name });
        if let Some(description) = &definition.description {
            item["description"] = description.as_str().into();
        }
        if !definition.arguments.is_empty() {
            item["arguments"] = definition.arguments.iter().map(|argument| argument.name.as_str()).collect();
        }
        item["text"] = text.into();
        prompts.items.push(item);
    }
    prompts
}

/// Returns the text of a prompt with one message.
async fn text(client: &Client, definition: &PromptDefinition) -> Option<String> {
    let placeholder = |name: &str| Value::from(format!("${{arguments.{name}}}"));
    let arguments: Map<String, Value> =
        definition.arguments.iter().map(|it| (it.name.clone(), placeholder(&it.name))).collect();
    let result = client.prompt(&definition.name, arguments).await.ok()?;
    let [message] = result.messages.as_slice() else { return None };
    message.content.as_text().filter(|text| text.len() <= MAX_TEXT).map(str::to_owned)
}
