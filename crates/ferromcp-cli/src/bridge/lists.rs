//! Lists of tools, prompts, resources and templates.

use std::collections::HashSet;
use std::future::IntoFuture;

use ferromcp_client::{Client, ListCall, Listable};
use ferromcp_core::model::{
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PromptDefinition,
    ToolDefinition,
};
use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientRequest, Error, ErrorCode, ServerResult};
use ferromcp_server::{Call, Reply};

use super::Bridge;
use super::members::{LIST_TIME, Members};

impl Bridge {
    /// Lists the items of all servers. The pages of a single server are forwarded unchanged.
    pub(super) async fn list(&self, call: Call) -> Reply {
        let request = call.request.clone();
        let members = match self.members().await {
            Ok(members) => members,
            Err(error) => return Reply::Failed(error),
        };
        if !self.is_replaceable && !offers(&members, &request) {
            return Reply::Failed(Error::method_not_found(request.method()));
        }
        if !members.has_prefixes() {
            return self.list_of_one(&members, &call, request).await;
        }
        if has_cursor(&request) {
            return Reply::Failed(Error::invalid_params("Invalid params: `cursor` is unknown; the list has one page"));
        }
        Reply::Done(match request {
            ClientRequest::ListTools(_) => {
                let tools = collect(&members, Client::tools, |tool: &mut ToolDefinition| &mut tool.name).await;
                ListToolsResult::new(tools).into()
            }
            ClientRequest::ListPrompts(_) => {
                let prompts =
                    collect(&members, Client::prompts, |prompt: &mut PromptDefinition| &mut prompt.name).await;
                ListPromptsResult::new(prompts).into()
            }
            ClientRequest::ListResources(_) => {
                let lists = fetch(&members, Client::resources).await;
                let mut resources: Vec<_> = lists.into_iter().flat_map(|(_, items)| items).collect();
                let mut seen = HashSet::new();
                resources.retain(|resource| {
                    let is_new = seen.insert(resource.uri.clone());
                    if !is_new {
                        tracing::warn!(uri = %excerpt(&resource.uri), "skipped a resource: another server has its URI");
                    }
                    is_new
                });
                ListResourcesResult::new(resources).into()
            }
            _ => {
                let lists = fetch(&members, Client::resource_templates).await;
                let items: Vec<_> = lists.into_iter().flat_map(|(_, items)| items).collect();
                ListResourceTemplatesResult::new(items).into()
            }
        })
    }

    /// Forwards the request for a page. A list that the server does not have is empty.
    async fn list_of_one(&self, members: &Members, call: &Call, request: ClientRequest) -> Reply {
        let empty: ServerResult = match &request {
            ClientRequest::ListTools(_) => ListToolsResult::new(Vec::new()).into(),
            ClientRequest::ListPrompts(_) => ListPromptsResult::new(Vec::new()).into(),
            ClientRequest::ListResources(_) => ListResourcesResult::new(Vec::new()).into(),
            _ => ListResourceTemplatesResult::new(Vec::new()).into(),
        };
        let member = match members.first() {
            Ok(member) => member,
            Err(error) => return Reply::Failed(error),
        };
        match self.send(call, member, request).await {
            Reply::Failed(error) if error.code == ErrorCode::METHOD_NOT_FOUND => Reply::Done(empty),
            reply => reply,
        }
    }
}

/// Returns whether any server has the list.
fn offers(members: &Members, request: &ClientRequest) -> bool {
    members.iter().any(|member| {
        let capabilities = member.client.capabilities();
        match request {
            ClientRequest::ListTools(_) => capabilities.tools.is_some(),
            ClientRequest::ListPrompts(_) => capabilities.prompts.is_some(),
            _ => capabilities.resources.is_some(),
        }
    })
}

/// Lists named items, with the prefix of their server.
async fn collect<T: Listable + Send + 'static>(
    members: &Members,
    list: impl Fn(&Client) -> ListCall<T>,
    name: impl Fn(&mut T) -> &mut String,
) -> Vec<T> {
    let mut all = Vec::new();
    for (prefix, items) in fetch(members, list).await {
        for mut item in items {
            let name = name(&mut item);
            name.insert_str(0, prefix);
            let routed_to = members.of_name(name, "item").ok().and_then(|(member, _)| member.prefix.as_deref());
            if routed_to == Some(prefix) {
                all.push(item);
            } else {
                tracing::warn!(name = %excerpt(name), "skipped an item: its name has the prefix of another server");
            }
        }
    }
    all
}

/// Fetches the lists of all servers at the same time. A server that fails is skipped with a warning.
async fn fetch<T: Listable + Send + 'static>(
    members: &Members,
    list: impl Fn(&Client) -> ListCall<T>,
) -> Vec<(&str, Vec<T>)> {
    let started = members.iter().map(|member| {
        let prefix = member.prefix.as_deref().unwrap_or_default();
        (prefix, tokio::spawn(list(&member.client).time_limit(LIST_TIME).into_future()))
    });
    let started: Vec<_> = started.collect();
    let mut lists = Vec::new();
    for (prefix, task) in started {
        match task.await {
            Ok(Ok(items)) => lists.push((prefix, items)),
            Ok(Err(error)) => tracing::warn!(server = prefix.trim_end_matches('_'), %error, "cannot list items"),
            Err(_) => tracing::error!("the task of a list panicked"),
        }
    }
    lists
}

fn has_cursor(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::ListTools(params)
        | ClientRequest::ListPrompts(params)
        | ClientRequest::ListResources(params)
        | ClientRequest::ListResourceTemplates(params) => params.cursor.is_some(),
        _ => false,
    }
}
