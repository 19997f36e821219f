//! The files of the templates.
//!
//! `{{name}}` is the name of the package, in files and paths. `{{ferromcp}}` is the version or the path of the library.

use crate::cli::TemplateName;

/// A file of a template.
#[derive(Debug, Clone, Copy)]
pub(super) struct TemplateFile {
    pub(super) path: &'static str,
    pub(super) text: &'static str,
}

/// Lists the files of a folder below `templates`, and the common ones.
macro_rules! files {
    ($folder:literal $(, $path:literal = $source:literal)*) => {
        &[
            TemplateFile { path: ".gitignore", text: include_str!("../../templates/gitignore") },
            TemplateFile {
                path: "Cargo.toml",
                text: include_str!(concat!("../../templates/", $folder, "/Cargo.toml.template")),
            },
            TemplateFile { path: "README.md", text: include_str!(concat!("../../templates/", $folder, "/README.md")) },
            TemplateFile { path: "src/main.rs", text: include_str!(concat!("../../templates/", $folder, "/main.rs")) },
            $(TemplateFile {
                path: $path,
                text: include_str!(concat!("../../templates/", $folder, "/", $source)),
            },)*
        ]
    };
}

/// Returns the files of a template.
pub(super) fn files(template: TemplateName) -> &'static [TemplateFile] {
    match template {
        TemplateName::Minimal => files!("minimal"),
        TemplateName::Resources => files!("resources"),
        TemplateName::Elicitation => files!("elicitation"),
        TemplateName::Oauth => files!("oauth"),
        TemplateName::Http => files!(
            "http",
            "Dockerfile" = "Dockerfile",
            ".dockerignore" = "dockerignore",
            "deploy/{{name}}.service" = "server.service",
            "deploy/nginx.conf" = "nginx.conf"
        ),
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::super::name::DEPENDENCIES;
    use super::*;

    #[test]
    fn placeholders_are_known_in_all_templates() {
        for template in TemplateName::value_variants() {
            for file in files(*template) {
                for part in file.text.split("{{").skip(1) {
                    let name = part.split("}}").next().unwrap();
                    assert!(["name", "ferromcp"].contains(&name), "{template:?} {}: {name}", file.path);
                }
            }
        }
    }

    #[test]
    fn names_of_dependencies_are_reserved() {
        for template in TemplateName::value_variants() {
            let manifest = files(*template).iter().find(|file| file.path == "Cargo.toml").unwrap();
            let text = manifest.text.replace("{{name}}", "demo").replace("{{ferromcp}}", "version = \"1\"");
            let manifest: toml_edit::DocumentMut = text.parse().unwrap();
            for table in ["dependencies", "dev-dependencies"] {
                for (name, _) in manifest[table].as_table().unwrap() {
                    assert!(DEPENDENCIES.contains(&name), "{template:?}: {name}");
                }
            }
        }
    }
}
