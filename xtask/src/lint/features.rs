//! Allows `cfg(feature)` only in `lib.rs`: a feature adds or removes whole modules and does not change behavior.

use proc_macro2::{TokenStream, TokenTree};

use super::{SourceFile, Violation};

pub(super) fn check(file: &SourceFile) -> Vec<Violation> {
    let mut found = Vec::new();
    if file.path.ends_with("/lib.rs") {
        return found;
    }
    file.each_token(|token, rest| {
        let TokenTree::Ident(name) = token else { return };
        if name != "cfg" && name != "cfg_attr" {
            return;
        }
        let bang = usize::from(matches!(rest.first(), Some(TokenTree::Punct(p)) if p.as_char() == '!'));
        if let Some(TokenTree::Group(group)) = rest.get(bang) {
            if contains_feature(group.stream()) {
                let message = "`cfg(feature = …)` outside of lib.rs; move the optional code into a separate module and \
                               gate its `mod` item in lib.rs";
                found.push(Violation::new(&file.path, name.span().start().line, message));
            }
        }
    });
    found
}

fn contains_feature(stream: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    tokens.iter().enumerate().any(|(i, token)| match token {
        TokenTree::Ident(name) => {
            name == "feature" && matches!(tokens.get(i + 1), Some(TokenTree::Punct(p)) if p.as_char() == '=')
        }
        TokenTree::Group(group) => contains_feature(group.stream()),
        _ => false,
    })
}
