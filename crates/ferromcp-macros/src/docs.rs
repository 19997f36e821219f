//! Doc comments become descriptions.
//!
//! A paragraph broken over lines is one line again, for the reader is a model and line width means nothing to it. Lists,
//! tables, quotes, headings and code keep their lines.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, Meta};

use crate::options::literal;

/// The description in the doc comment, as an expression; `None` if there is no text.
pub(crate) fn description(attributes: &[Attribute]) -> Option<TokenStream> {
    let parts: Vec<&Expr> = attributes.iter().filter_map(doc).collect();
    if let Some(texts) = parts.iter().map(|part| literal(part)).collect::<Option<Vec<_>>>() {
        let lines: Vec<String> = texts.iter().map(|text| text.value()).collect();
        let text = unwrap_lines(&lines.join("\n"));
        return (!text.is_empty()).then(|| quote!(#text));
    }
    // `#[doc = include_str!("…")]`: only the compiler knows the text.
    Some(quote!(::std::concat!(#(#parts, "\n"),*).trim()))
}

pub(crate) fn is_doc(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc")
}

fn doc(attribute: &Attribute) -> Option<&Expr> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => Some(&pair.value),
        _ => None,
    }
}

fn unwrap_lines(text: &str) -> String {
    let mut out = String::new();
    let mut fenced = false;
    let mut joinable = false;
    // `/// text` arrives as ` text`: one column of space belongs to the comment.
    for line in text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)) {
        let trimmed = line.trim();
        let fence = trimmed.starts_with("```") || trimmed.starts_with("~~~");
        let block = fence || fenced || starts_block(line);
        if joinable && !block && !trimmed.is_empty() {
            out.push(' ');
            out.push_str(trimmed);
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(line.trim_end());
        fenced ^= fence;
        // A heading ends with its line; text below a list item belongs to the item.
        joinable = !trimmed.is_empty() && !fence && !fenced && !ends_with_line(trimmed);
    }
    collapse_blank_lines(out.trim())
}

fn starts_block(line: &str) -> bool {
    let trimmed = line.trim_start();
    let numbered = trimmed.split_once(['.', ')']).is_some_and(|(number, rest)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with(' ')
    });
    let marked = ["- ", "* ", "+ "].iter().any(|mark| trimmed.starts_with(mark));
    numbered || marked || trimmed.starts_with(['#', '|', '>']) || line.starts_with("    ")
}

fn ends_with_line(trimmed: &str) -> bool {
    trimmed.starts_with(['#', '|', '>'])
}

fn collapse_blank_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    let mut fenced = false;
    for line in text.lines() {
        let empty = line.trim().is_empty();
        if empty && blank && !fenced {
            continue;
        }
        fenced ^= line.trim_start().starts_with("```");
        blank = empty;
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use syn::{ItemFn, parse_quote};

    use super::{description, unwrap_lines};

    #[test]
    fn paragraphs_are_unwrapped() {
        let text = " Adds two numbers\n and says the sum.\n\n\n It never fails.  \n";
        assert_eq!(unwrap_lines(text), "Adds two numbers and says the sum.\n\nIt never fails.");
    }

    #[test]
    fn lists_tables_and_code_keep_their_lines() {
        let text = " Sorts:\n - by name\n   and age\n - by size\n 1. first\n\n ```sql\n select 1\n\n\n from t\n ```\n | a |\n | b |";
        assert_eq!(
            unwrap_lines(text),
            "Sorts:\n- by name and age\n- by size\n1. first\n\n```sql\nselect 1\n\n\nfrom t\n```\n| a |\n| b |"
        );
    }

    #[test]
    fn description_is_none_when_comment_is_empty() {
        let item: ItemFn = parse_quote! {
            ///
            #[doc(hidden)]
            fn f() {}
        };
        assert!(description(&item.attrs).is_none());
    }

    #[test]
    fn included_text_is_concatenated_by_the_compiler() {
        let item: ItemFn = parse_quote! {
            /// Head
            #[doc = include_str!("more.md")]
            fn f() {}
        };
        let text = description(&item.attrs).map(|text| text.to_string());
        let wanted = r#":: std :: concat ! (r" Head" , "\n" , include_str ! ("more.md") , "\n") . trim ()"#;
        assert_eq!(text.as_deref(), Some(wanted));
    }
}
