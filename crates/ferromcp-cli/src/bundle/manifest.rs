//! `manifest.json` of a bundle, version 0.3.

use ferromcp_core::model::Implementation;
use serde_json::{Map, Value, json};
use url::Url;

use super::platform::{Platform, bundle_path};
use super::prompts::Prompts;
use super::variable::Variable;
use crate::exit::Failure;
use crate::surface::Surface;
use crate::target::cargo::Package;

/// Maximum number of tools in a manifest.
const MAX_TOOLS: usize = 1000;

/// The parts of a manifest.
#[derive(Debug)]
pub(crate) struct Manifest<'a> {
    /// A valid file name.
    pub(crate) name: &'a str,
    pub(crate) description: Option<&'a str>,
    pub(crate) author: Option<&'a str>,
    pub(crate) args: &'a [String],
    pub(crate) variables: &'a [Variable],
    /// The platforms with a program; one of them is `platform`.
    pub(crate) platforms: &'a [Platform],
    pub(crate) platform: Platform,
    pub(crate) has_icon: bool,
    pub(crate) package: &'a Package,
    pub(crate) surface: &'a Surface,
    pub(crate) prompts: &'a Prompts,
}

/// Returns the error for a missing field.
fn missing(field: &str, key: &str, option: &str) -> Failure {
    Failure::usage(format!(
        "cannot write the manifest: the {field} is missing; set `{key}` in Cargo.toml, or use `{option}`"
    ))
}

impl Manifest<'_> {
    /// Returns the JSON.
    ///
    /// # Errors
    /// Fails if the description or the author is missing.
    pub(crate) fn to_json(&self) -> Result<Value, Failure> {
        let (package, surface) = (self.package, self.surface);
        let mut manifest = json!({
            "manifest_version": "0.3",
            "name": self.name,
            "display_name": self.display_name(),
            "version": self.version(),
            "description": self.description()?,
            "author": self.author()?,
        });
        let urls = [("homepage", &package.homepage), ("documentation", &package.documentation)];
        if let Some(url) = package.repository.as_deref().filter(|url| is_url(url)) {
            manifest["repository"] = json!({ "type": "git", "url": url });
        }
        for (key, url) in urls {
            if let Some(url) = url.as_deref().filter(|url| is_url(url)) {
                manifest[key] = url.into();
            }
        }
        if self.has_icon {
            manifest["icon"] = super::files::ICON.into();
        }
        manifest["server"] = self.server();
        let tools = surface.tools.iter().take(MAX_TOOLS).map(|tool| match &tool.description {
            Some(description) => json!({ "name": tool.name, "description": description }),
            None => json!({ "name": tool.name }),
        });
        manifest["tools"] = tools.collect();
        let has_changes = surface.capabilities.tools.as_ref().is_some_and(|it| it.list_changed == Some(true));
        manifest["tools_generated"] = (has_changes || surface.tools.len() > MAX_TOOLS).into();
        if !surface.prompts.is_empty() {
            manifest["prompts"] = self.prompts.items.clone().into();
            let has_changes = surface.capabilities.prompts.as_ref().is_some_and(|it| it.list_changed == Some(true));
            manifest["prompts_generated"] = (has_changes || !self.prompts.skipped.is_empty()).into();
        }
        if !package.keywords.is_empty() {
            manifest["keywords"] = package.keywords.clone().into();
        }
        if let Some(license) = &package.license {
            manifest["license"] = license.as_str().into();
        }
        let platforms: Vec<&str> = self.platforms.iter().map(|platform| platform.as_str()).collect();
        manifest["compatibility"] = json!({ "platforms": platforms });
        if !self.variables.is_empty() {
            let config: Map<String, Value> = self.variables.iter().map(|it| (it.key(), it.user_config())).collect();
            manifest["user_config"] = config.into();
        }
        Ok(manifest)
    }

    fn info(&self) -> Option<&Implementation> {
        self.surface.server_info.as_ref()
    }

    /// Returns the title or the name of the server.
    pub(crate) fn display_name(&self) -> &str {
        let name = self.info().map(|info| info.title.as_deref().unwrap_or(&info.name));
        name.filter(|name| !name.trim().is_empty()).unwrap_or(self.name)
    }

    /// Returns the version of the server, or that of the package.
    pub(crate) fn version(&self) -> &str {
        let version = self.info().map(|info| info.version.as_str());
        version.filter(|version| !version.trim().is_empty()).unwrap_or(&self.package.version)
    }

    /// Returns the description of the command line, the server or the package.
    ///
    /// # Errors
    /// Fails if all are missing.
    pub(crate) fn description(&self) -> Result<&str, Failure> {
        let server = self.info().and_then(|info| info.description.as_deref());
        let found = [self.description, server, self.package.description.as_deref()].into_iter().flatten();
        let mut found = found.map(str::trim).filter(|text| !text.is_empty());
        found.next().ok_or_else(|| missing("description", "description", "--description"))
    }

    /// Splits `NAME <EMAIL>`.
    fn author(&self) -> Result<Value, Failure> {
        let author = self.author.or(self.package.authors.first().map(String::as_str)).unwrap_or_default();
        let (name, email) = author.split_once('<').unwrap_or((author, ""));
        let (name, email) = (name.trim(), email.trim_end().trim_end_matches('>'));
        if name.is_empty() {
            return Err(missing("author", "authors", "--author"));
        }
        let has_email = email.split_once('@').is_some_and(|(user, domain)| !user.is_empty() && domain.contains('.'));
        Ok(if has_email { json!({ "name": name, "email": email }) } else { json!({ "name": name }) })
    }

    fn server(&self) -> Value {
        let path = |platform| bundle_path(self.name, platform, self.platforms.len() > 1);
        let command = |platform| format!("${{__dirname}}/{}", path(platform));
        let mut config = json!({ "command": command(self.platform), "args": self.args });
        if !self.variables.is_empty() {
            let variables = self.variables.iter();
            let env: Map<String, Value> =
                variables.map(|it| (it.name.clone(), format!("${{user_config.{}}}", it.key()).into())).collect();
            config["env"] = env.into();
        }
        if self.platforms.len() > 1 {
            let overrides: Map<String, Value> = self
                .platforms
                .iter()
                .map(|platform| (platform.as_str().to_owned(), json!({ "command": command(*platform) })))
                .collect();
            config["platform_overrides"] = overrides.into();
        }
        json!({ "type": "binary", "entry_point": path(self.platform), "mcp_config": config })
    }
}

fn is_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to_json(package: &Value, surface: &Value, platforms: &[Platform]) -> Result<Value, Failure> {
        let package: Package = serde_json::from_value(package.clone()).unwrap();
        let surface: Surface = serde_json::from_value(surface.clone()).unwrap();
        let manifest = Manifest {
            name: "demo",
            description: None,
            author: None,
            args: &[],
            variables: &[],
            platforms,
            platform: Platform::Linux,
            has_icon: false,
            package: &package,
            surface: &surface,
            prompts: &Prompts::default(),
        };
        manifest.to_json()
    }

    fn package() -> Value {
        json!({
            "name": "demo", "version": "1.2.3", "targets": [], "description": "A demo",
            "authors": ["Ada <ada@example.com>"], "homepage": "not a URL", "repository": "https://example.com/r",
        })
    }

    #[test]
    fn fields_of_the_package_are_used_when_the_server_has_none() {
        let surface = json!({ "protocolVersion": "x", "serverInfo": { "name": "", "version": "" } });
        let manifest = to_json(&package(), &surface, &[Platform::Linux]).unwrap();
        assert_eq!(manifest["version"], "1.2.3");
        assert_eq!(manifest["display_name"], "demo");
        assert_eq!(manifest["author"], json!({ "name": "Ada", "email": "ada@example.com" }));
        assert_eq!(manifest["repository"]["url"], "https://example.com/r");
        assert_eq!(manifest.get("homepage"), None, "it is not a URL");
        assert_eq!(manifest["server"]["mcp_config"]["command"], "${__dirname}/server/demo");
        assert_eq!(manifest["tools_generated"], false);
    }

    #[test]
    fn each_platform_has_a_command_when_there_are_several() {
        let surface = json!({
            "protocolVersion": "x", "serverInfo": { "name": "s", "title": "Demo", "version": "2" },
            "capabilities": { "tools": { "listChanged": true } },
        });
        let manifest = to_json(&package(), &surface, &[Platform::Linux, Platform::Windows]).unwrap();
        assert_eq!((&manifest["display_name"], &manifest["version"]), (&json!("Demo"), &json!("2")));
        assert_eq!(manifest["compatibility"]["platforms"], json!(["linux", "win32"]));
        let config = &manifest["server"]["mcp_config"];
        assert_eq!(config["command"], "${__dirname}/server/linux/demo");
        assert_eq!(config["platform_overrides"]["win32"]["command"], "${__dirname}/server/win32/demo.exe");
        assert_eq!(manifest["tools_generated"], true);
    }

    #[test]
    fn error_contains_the_option_when_a_field_is_missing() {
        let surface = json!({ "protocolVersion": "x" });
        for (field, expected) in [
            ("description", "the description is missing; set `description` in Cargo.toml, or use `--description`"),
            ("authors", "the author is missing; set `authors` in Cargo.toml, or use `--author`"),
        ] {
            let mut package = package();
            package.as_object_mut().unwrap().remove(field);
            let error = to_json(&package, &surface, &[Platform::Linux]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
