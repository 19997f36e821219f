//! `cfg(feature)` only in a `lib.rs`: a feature adds or leaves out whole modules and never changes what code does.

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
            if asks_for_feature(group.stream()) {
                let what = "`cfg(feature = …)` outside of a lib.rs; put what is optional in a module of its own and \
                            gate its `mod` line in lib.rs";
                found.push(Violation::new(&file.path, name.span().start().line, what));
            }
        }
    });
    found
}

fn asks_for_feature(stream: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    tokens.iter().enumerate().any(|(i, token)| match token {
        TokenTree::Ident(name) => {
            name == "feature" && matches!(tokens.get(i + 1), Some(TokenTree::Punct(p)) if p.as_char() == '=')
        }
        TokenTree::Group(group) => asks_for_feature(group.stream()),
        _ => false,
    })
}
