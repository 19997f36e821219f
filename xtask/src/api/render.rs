//! Types and signatures from rustdoc's JSON, as Rust source text.

use serde_json::Value;

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn join(parts: impl IntoIterator<Item = String>, separator: &str) -> String {
    parts.into_iter().collect::<Vec<_>>().join(separator)
}

/// Renders a type.
pub(super) fn type_of(value: &Value) -> String {
    let Some((kind, inner)) = value.as_object().and_then(|value| value.iter().next()) else {
        return text(value).to_owned();
    };
    match kind.as_str() {
        "resolved_path" => path_of(inner).unwrap_or_default(),
        "generic" | "primitive" => text(inner).to_owned(),
        "tuple" => {
            let comma = if array(inner).len() == 1 { "," } else { "" };
            format!("({}{comma})", join(array(inner).iter().map(type_of), ", "))
        }
        "slice" => format!("[{}]", type_of(inner)),
        "array" => format!("[{}; {}]", type_of(&inner["type"]), text(&inner["len"])),
        "impl_trait" => format!("impl {}", bounds(inner)),
        "dyn_trait" => {
            let traits =
                join(array(&inner["traits"]).iter().map(|bound| path_of(&bound["trait"]).unwrap_or_default()), " + ");
            format!("dyn {traits}{}", inner["lifetime"].as_str().map(|name| format!(" + {name}")).unwrap_or_default())
        }
        "borrowed_ref" => {
            let lifetime = inner["lifetime"].as_str().map(|name| format!("{name} ")).unwrap_or_default();
            let mutable = if inner["is_mutable"] == true { "mut " } else { "" };
            format!("&{lifetime}{mutable}{}", type_of(&inner["type"]))
        }
        "qualified_path" => {
            let of = type_of(&inner["self_type"]);
            match path_of(&inner["trait"]).filter(|path| !path.is_empty()) {
                Some(path) => format!("<{of} as {path}>::{}", text(&inner["name"])),
                None => format!("{of}::{}", text(&inner["name"])),
            }
        }
        "function_pointer" => format!("fn{}", inputs_and_output(&inner["sig"])),
        other => format!("{other}?"),
    }
}

/// Renders a path with its generic arguments; `None` for an absent one.
pub(super) fn path_of(value: &Value) -> Option<String> {
    let path = value["path"].as_str()?;
    let path = path.rsplit("::").next().unwrap_or(path);
    Some(format!("{path}{}", arguments(&value["args"])))
}

fn arguments(args: &Value) -> String {
    let angle = &args["angle_bracketed"];
    if let Some(round) = args.get("parenthesized") {
        let output =
            if round["output"].is_null() { String::new() } else { format!(" -> {}", type_of(&round["output"])) };
        return format!("({}){output}", join(array(&round["inputs"]).iter().map(type_of), ", "));
    }
    let mut parts: Vec<String> = array(&angle["args"]).iter().map(argument).collect();
    parts.extend(array(&angle["constraints"]).iter().map(constraint));
    if parts.is_empty() { String::new() } else { format!("<{}>", parts.join(", ")) }
}

fn argument(value: &Value) -> String {
    match value.as_object().and_then(|value| value.iter().next()) {
        Some((kind, inner)) if kind == "type" => type_of(inner),
        Some((kind, inner)) if kind == "lifetime" => text(inner).to_owned(),
        Some((kind, inner)) if kind == "const" => text(&inner["expr"]).to_owned(),
        _ => "_".to_owned(),
    }
}

fn constraint(value: &Value) -> String {
    let binding = &value["binding"];
    if let Some(equal) = binding.get("equality") {
        return format!("{} = {}", text(&value["name"]), equal.get("type").map_or_else(|| argument(equal), type_of));
    }
    format!("{}: {}", text(&value["name"]), bounds(&binding["constraint"]))
}

fn bounds(value: &Value) -> String {
    join(array(value).iter().map(bound).filter(|bound| !bound.is_empty()), " + ")
}

fn bound(value: &Value) -> String {
    if let Some(lifetime) = value["outlives"].as_str() {
        return lifetime.to_owned();
    }
    let maybe = if value["trait_bound"]["modifier"] == "maybe" { "?" } else { "" };
    path_of(&value["trait_bound"]["trait"]).map(|path| format!("{maybe}{path}")).unwrap_or_default()
}

/// Renders bounds after `before`; returns an empty string without bounds.
pub(super) fn list(before: &str, value: &Value) -> String {
    let bounds = bounds(value);
    if bounds.is_empty() { bounds } else { format!("{before}{bounds}") }
}

/// Renders generic parameters with their bounds, and the `where` clause.
pub(super) fn generics(value: &Value) -> String {
    let parameters = array(&value["params"]).iter().filter(|parameter| {
        // `impl Trait` in an argument appears as a synthetic parameter as well.
        parameter["kind"]["type"]["is_synthetic"] != true
    });
    let parameters: Vec<String> = parameters
        .map(|parameter| {
            let kind = &parameter["kind"];
            let name = text(&parameter["name"]);
            match (kind.get("type"), kind.get("const")) {
                (Some(of), _) => format!("{name}{}", list(": ", &of["bounds"])),
                (_, Some(of)) => format!("const {name}: {}", type_of(&of["type"])),
                _ => name.to_owned(),
            }
        })
        .collect();
    let clauses = array(&value["where_predicates"]).iter().filter_map(|clause| {
        let clause = clause.get("bound_predicate")?;
        Some(format!("{}{}", type_of(&clause["type"]), list(": ", &clause["bounds"])))
    });
    let clauses = join(clauses, ", ");
    let angle = if parameters.is_empty() { String::new() } else { format!("<{}>", parameters.join(", ")) };
    if clauses.is_empty() { angle } else { format!("{angle} where {clauses}") }
}

/// Renders the signature of a function or method.
pub(super) fn signature(name: &str, function: &Value) -> String {
    let header = &function["header"];
    let mut before = String::new();
    for (flag, word) in [("is_const", "const "), ("is_async", "async "), ("is_unsafe", "unsafe ")] {
        if header[flag] == true {
            before.push_str(word);
        }
    }
    let generics = generics(&function["generics"]);
    let (angle, clauses) =
        generics.split_once(" where ").map_or((generics.as_str(), ""), |(angle, rest)| (angle, rest));
    let clauses = if clauses.is_empty() { String::new() } else { format!(" where {clauses}") };
    format!("{before}fn {name}{angle}{}{clauses}", inputs_and_output(&function["sig"]))
}

fn inputs_and_output(sig: &Value) -> String {
    let inputs = join(
        array(&sig["inputs"]).iter().map(|input| match (text(&input[0]), type_of(&input[1])) {
            ("self", of) if of == "Self" => "self".to_owned(),
            ("self", of) if of.starts_with('&') && of.ends_with("Self") => {
                format!("{}self", of.trim_end_matches("Self"))
            }
            (name, of) => format!("{name}: {of}"),
        }),
        ", ",
    );
    let output = if sig["output"].is_null() { String::new() } else { format!(" -> {}", type_of(&sig["output"])) };
    format!("({inputs}){output}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn renders_references_and_generic_arguments() {
        let text = json!({ "borrowed_ref": { "lifetime": "'a", "is_mutable": true, "type": { "primitive": "str" } } });
        assert_eq!(type_of(&text), "&'a mut str");
        let args = json!({ "angle_bracketed": { "args": [{ "type": { "primitive": "u8" } }], "constraints": [] } });
        let option = json!({ "resolved_path": { "path": "option::Option", "id": 1, "args": args } });
        assert_eq!(type_of(&option), "Option<u8>");
    }

    #[test]
    fn renders_signatures_with_self_and_output() {
        let receiver =
            json!({ "borrowed_ref": { "lifetime": null, "is_mutable": false, "type": { "generic": "Self" } } });
        let function = json!({
            "header": { "is_async": true },
            "generics": { "params": [], "where_predicates": [] },
            "sig": { "inputs": [["self", receiver], ["n", { "primitive": "u8" }]], "output": { "primitive": "bool" } }
        });
        assert_eq!(signature("T::f", &function), "async fn T::f(&self, n: u8) -> bool");
    }
}
