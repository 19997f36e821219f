//! An MCP server with resources, a resource template with completion, and a prompt, on stdio.

use ferromcp::model::ResourceDefinition;
use ferromcp::prelude::*;

/// The recipes: name and text.
const RECIPES: [(&str, &str); 3] = [
    ("bread", "Mix flour, water, salt and yeast. Wait. Bake."),
    ("broth", "Simmer bones and vegetables for three hours."),
    ("salad", "Cut vegetables. Add oil, vinegar and salt."),
];

/// The names of all recipes
#[resource("recipes://index")]
fn index() -> String {
    RECIPES.map(|(name, _)| name).join("\n")
}

/// Returns the resources of the template, for `resources/list`.
async fn all_recipes() -> Vec<ResourceDefinition> {
    let recipe = |(name, _)| ResourceDefinition::new(format!("recipes://recipe/{name}"), name);
    RECIPES.into_iter().map(recipe).collect()
}

/// A recipe, by its name
#[resource("recipes://recipe/{name}", list = all_recipes)]
fn recipe(name: String) -> Option<&'static str> {
    let (_, text) = RECIPES.into_iter().find(|(known, _)| *known == name)?; // `None` is "not found"
    Some(text)
}

/// Plan a meal with a recipe
#[prompt(title = "Plan a meal")]
fn plan_meal(
    /// The name of the recipe
    recipe: String,
    /// The number of guests
    #[arg(default = 2)]
    guests: u32,
) -> String {
    format!("Write a shopping list for {guests} guests. The recipe is recipes://recipe/{recipe}.")
}

fn names_with_prefix(typed: &str) -> Vec<&'static str> {
    let names = RECIPES.into_iter().map(|(name, _)| name);
    names.filter(|name| name.starts_with(typed)).collect()
}

/// Suggests names of recipes for the resource template
#[completion(resource = "recipes://recipe/{name}", argument = "name")]
fn recipe_names(typed: String) -> Vec<&'static str> {
    names_with_prefix(&typed)
}

/// Suggests names of recipes for the prompt
#[completion(prompt = "plan_meal", argument = "recipe")]
fn prompt_names(typed: String) -> Vec<&'static str> {
    names_with_prefix(&typed)
}

fn server() -> Server {
    Server::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .resource::<index>()
        .resource::<recipe>()
        .prompt::<plan_meal>()
        .completion::<recipe_names>()
        .completion::<prompt_names>()
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    server().serve(stdio()).await
}

#[cfg(test)]
mod tests {
    use ferromcp::model::Reference;
    use serde_json::json;

    use super::*;

    async fn client() -> Result<Client, ClientError> {
        Client::builder("tests", "1.0.0").connect(server()).await
    }

    #[tokio::test]
    async fn returns_text_when_recipe_exists() -> Result<(), ClientError> {
        let client = client().await?;
        let resources = client.resources().await?;
        assert_eq!(resources.len(), 1 + RECIPES.len());
        let text = client.read_text("recipes://recipe/bread").await?;
        assert!(text.starts_with("Mix flour"), "{text}");
        Ok(())
    }

    #[tokio::test]
    async fn returns_error_when_recipe_is_unknown() -> Result<(), ClientError> {
        let error = client()
            .await?
            .read_text("recipes://recipe/stone")
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("recipes://recipe/stone"),
            "{error}"
        );
        Ok(())
    }

    #[tokio::test]
    async fn completes_names_when_prefix_matches() -> Result<(), ClientError> {
        let none: [(&str, &str); 0] = [];
        let template = Reference::resource("recipes://recipe/{name}");
        let values = client()
            .await?
            .complete(template, "name", "br", none)
            .await?;
        assert_eq!(values.values, ["bread", "broth"]);
        Ok(())
    }

    #[tokio::test]
    async fn uses_default_when_prompt_has_no_guests() -> Result<(), ClientError> {
        let prompt = client()
            .await?
            .prompt("plan_meal", json!({ "recipe": "salad" }))
            .await?;
        let text = prompt.messages[0].content.as_text().unwrap_or_default();
        assert!(
            text.contains("2 guests") && text.contains("recipes://recipe/salad"),
            "{text}"
        );
        Ok(())
    }
}
