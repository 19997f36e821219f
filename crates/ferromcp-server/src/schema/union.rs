//! The union of object shapes: one list of properties that describes every variant of an enum.
//!
//! A property of several variants accepts what any of them accepts. Only properties that every variant requires are
//! required. Descriptions list which properties belong to which variant.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::merge::{either, merge};
use super::plain::{line_prefix, texts};
use super::shape::{Rest, Shape};

/// Returns the shape of the objects that match any of the variants. `None` without variants.
pub(super) fn union(mut variants: Vec<Shape>) -> Option<Shape> {
    let [first, rest @ ..] = variants.as_slice() else { return None };
    if rest.is_empty() {
        return variants.pop();
    }
    let required: Vec<String> = first.required.iter().filter(|name| in_every(rest, name)).cloned().collect();
    let tag = required.iter().find(|name| variants.iter().all(|variant| is_tag(variant, name))).cloned();
    let mut names: Vec<&String> = Vec::new();
    let mut seen = HashSet::new();
    names.extend(variants.iter().flat_map(|variant| variant.properties.keys()).filter(|name| seen.insert(*name)));
    let mut properties = Map::new();
    let mut partial = HashSet::new();
    for name in names {
        if variants.iter().any(|variant| !variant.properties.contains_key(name) || variant.partial.contains(name)) {
            partial.insert(name.clone());
        }
        properties.insert(name.clone(), merge(alternatives(&variants, name)));
    }
    let mut notes: Vec<String> = variants.iter().flat_map(|variant| variant.notes.clone()).collect();
    match &tag {
        Some(tag) => describe_tag(&mut properties, tag, &variants, &required),
        None => notes.extend(combinations(&mut properties, &variants, &required)),
    }
    let unlisted = variants.iter().map(|variant| variant.unlisted.clone()).fold(None, either);
    Some(Shape { unlisted, properties, required, rest: rest_of(&variants), partial, description: None, notes })
}

fn in_every(variants: &[Shape], name: &String) -> bool {
    variants.iter().all(|variant| variant.required.contains(name))
}

fn is_tag(variant: &Shape, name: &str) -> bool {
    variant.properties.get(name).and_then(Value::as_object).and_then(texts).is_some()
}

/// Returns the schemas that the variants allow for a property.
fn alternatives(variants: &[Shape], name: &str) -> Vec<Value> {
    let of_variant = |variant: &Shape| variant.properties.get(name).cloned().or_else(|| variant.unlisted.clone());
    variants.iter().filter_map(of_variant).collect()
}

/// Describes in the tag which properties each variant requires and allows.
fn describe_tag(properties: &mut Map<String, Value>, tag: &str, variants: &[Shape], required: &[String]) {
    let Some(property) = properties.get_mut(tag).and_then(Value::as_object_mut) else { return };
    let mut lines: Vec<String> =
        property.get("description").and_then(Value::as_str).map(str::to_owned).into_iter().collect();
    for variant in variants {
        let own = own_properties(variant, required);
        let description = variant.description.as_deref().map(one_line);
        let text: Vec<String> = description.into_iter().chain(own).collect();
        let choices = variant.properties.get(tag).and_then(Value::as_object).and_then(texts).unwrap_or_default();
        if !text.is_empty() {
            lines.extend(choices.iter().map(|choice| format!("{}{}", line_prefix(choice), text.join("; "))));
        }
    }
    if !lines.is_empty() {
        property.insert("description".into(), lines.join("\n").into());
    }
}

/// Returns what a variant requires and allows besides the properties that all variants require.
fn own_properties(variant: &Shape, common: &[String]) -> Option<String> {
    let own = variant.properties.keys().filter(|name| !common.contains(name));
    let (required, optional): (Vec<&String>, Vec<&String>) = own.partition(|name| variant.required.contains(name));
    let list = |verb: &str, names: &[&String]| (!names.is_empty()).then(|| format!("{verb} {}", quoted(names)));
    let parts: Vec<String> = list("requires", &required).into_iter().chain(list("allows", &optional)).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Returns the sentence that lists which properties belong together where no property is a tag.
fn combinations(properties: &mut Map<String, Value>, variants: &[Shape], common: &[String]) -> Option<String> {
    let own: Vec<Vec<&String>> = variants
        .iter()
        .map(|variant| variant.required.iter().filter(|name| !common.contains(name)).collect())
        .collect();
    let singles: Vec<&String> =
        own.iter().filter_map(|names| if let [only] = names.as_slice() { Some(*only) } else { None }).collect();
    if singles.len() == variants.len() && singles.iter().collect::<HashSet<_>>().len() == singles.len() {
        for (name, variant) in singles.iter().zip(variants) {
            if let (Some(Value::Object(property)), Some(description)) =
                (properties.get_mut(*name), &variant.description)
            {
                property.entry("description").or_insert_with(|| description.clone().into());
            }
        }
        return Some(format!("Give one of {}.", quoted(&singles)));
    }
    let set = |(variant, names): (&Shape, &Vec<&String>)| {
        let names = if names.is_empty() { "none of them".to_owned() } else { quoted(names) };
        match &variant.description {
            Some(description) => format!("- {names}: {}", one_line(description)),
            None => format!("- {names}"),
        }
    };
    let sets: Vec<String> = variants.iter().zip(&own).map(set).collect();
    let distinct: HashSet<&String> = sets.iter().collect();
    (distinct.len() > 1).then(|| format!("Give one of these sets of arguments:\n{}", sets.join("\n")))
}

fn rest_of(variants: &[Shape]) -> Rest {
    let mut stated = variants.iter().map(|variant| &variant.rest).filter(|rest| **rest != Rest::Closed);
    let Some(first) = stated.next() else { return Rest::Closed };
    if stated.clone().any(|rest| *rest == Rest::Any) || *first == Rest::Any {
        return Rest::Any;
    }
    if stated.all(|rest| rest == first) { first.clone() } else { Rest::Unstated }
}

fn quoted(names: &[&String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
