//! Doc comments become descriptions.
//!
//! The lines of a paragraph are joined. Lists, tables, quotes, headings and code keep their lines.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, Meta};

use crate::options::literal;

/// Returns the description from the doc comment, as an expression; `None` if it is empty.
pub(crate) fn description(attributes: &[Attribute]) -> Option<TokenStream> {
    let parts: Vec<&Expr> = attributes.iter().filter_map(doc).collect();
    if let Some(texts) = parts.iter().map(|part| literal(part)).collect::<Option<Vec<_>>>() {
        let lines: Vec<String> = texts.iter().map(|text| text.value()).collect();
        let text = unwrap_lines(&lines.join("\n"));
        return (!text.is_empty()).then(|| quote!(#text));
    }
    // `#[doc = include_str!("…")]`: the text is not available to the macro.
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
    // The text of `/// text` is ` text`: the first space belongs to the comment marker.
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
        // A heading is one line. Text after a list item continues the item.
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
    fn omits_description_when_comment_is_empty() {
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
