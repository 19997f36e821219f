//! Mailboxes and the broadcaster: nothing is lost, nothing grows, nothing comes twice.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ferromcp_core::{Meta, ServerNotification};
use proptest::prelude::*;

use super::{Change, Broadcaster, ListKinds, Mailbox};
use crate::limits::Limits;

/// A change in a word.
fn word(notification: &ServerNotification) -> String {
    match notification {
        ServerNotification::ResourceUpdated(params) => params.uri.clone(),
        other => other.method().to_owned(),
    }
}

fn all(mailbox: &Mailbox) -> Vec<String> {
    std::iter::from_fn(|| mailbox.try_next()).map(|news| word(&news)).collect()
}

fn updated(uri: &str) -> Change {
    Change::Resource(uri.into())
}

fn watching(broadcaster: &Arc<Broadcaster>, uris: &[&str]) -> Mailbox {
    let mailbox = broadcaster.listen(ListKinds::NONE, Meta::new());
    for uri in uris {
        mailbox.subscribe(uri, &Limits::default()).unwrap();
    }
    mailbox
}

#[test]
fn each_hears_what_it_wants_and_once() {
    // M26-265, M26-278, M26-361, S-272
    let broadcaster = Arc::new(Broadcaster::default());
    let tools = broadcaster.listen(ListKinds::TOOLS, Meta::new());
    let folder = watching(&broadcaster, &["file:///a", "file:///a/b"]);
    for change in [Change::Tools, Change::Prompts, Change::Tools, updated("file:///a/b/c"), updated("file:///ab")] {
        broadcaster.notify(change);
    }
    assert_eq!(all(&tools), ["notifications/tools/list_changed"]);
    assert_eq!(all(&folder), ["file:///a/b/c"]);
    broadcaster.notify(updated("file:///a/b/c"));
    broadcaster.notify(updated("file:///a"));
    broadcaster.notify(updated("file:///a/b/c"));
    assert_eq!(all(&folder), ["file:///a/b/c", "file:///a"]);
}

#[test]
fn what_is_not_read_does_not_grow_and_is_told_in_few_words() {
    let broadcaster = Arc::new(Broadcaster::default());
    let folder = watching(&broadcaster, &["file:///a", "file:///b"]);
    for round in 0..10_000 {
        broadcaster.notify(updated(&format!("file:///a/{round}")));
        broadcaster.notify(updated("file:///b/x"));
    }
    let heard = all(&folder);
    assert!(heard.len() <= 256 + 2, "{} wait", heard.len());
    assert!(heard.contains(&"file:///a".to_owned()) && heard.contains(&"file:///b/x".to_owned()));
    broadcaster.notify(updated("file:///a/1"));
    assert_eq!(all(&folder), ["file:///a/1"], "read, it lists_wanted of parts again");
}

#[test]
fn limits_are_named_when_they_refuse() {
    let broadcaster = Arc::new(Broadcaster::default());
    let mailbox = broadcaster.join();
    let mut limits = Limits::default();
    (limits.subscriptions, limits.subscription_bytes) = (2, 20);
    mailbox.subscribe("a://1", &limits).unwrap();
    mailbox.subscribe("a://1", &limits).unwrap();
    let error = mailbox.subscribe("a://long/long/long", &limits).unwrap_err();
    assert!(error.message.contains("at most 20 bytes"), "{error}");
    mailbox.subscribe("a://2", &limits).unwrap();
    let error = mailbox.subscribe("a://3", &limits).unwrap_err();
    assert!(error.code.0 == -32602 && error.message.contains("at most 2"), "{error}");
    mailbox.unsubscribe("a://1");
    mailbox.unsubscribe("a://unknown");
    mailbox.subscribe("a://3", &limits).unwrap();
    assert_eq!(broadcaster.size(), (1, 2));
}

#[test]
fn who_is_gone_leaves_nothing_behind() {
    let broadcaster = Arc::new(Broadcaster::default());
    let (first, second) = (watching(&broadcaster, &["a://1", "a://2"]), watching(&broadcaster, &["a://2"]));
    assert_eq!(broadcaster.size(), (2, 2));
    assert!(broadcaster.is_watched("a://1/x") && !broadcaster.is_watched("a://"));
    drop(first);
    assert_eq!(broadcaster.size(), (1, 1));
    second.leave();
    assert_eq!(broadcaster.size(), (0, 0));
    second.subscribe("a://3", &Limits::default()).unwrap();
    broadcaster.notify(updated("a://3"));
    assert_eq!((broadcaster.size(), all(&second).len()), ((0, 0), 0));
}

#[test]
fn what_is_no_longer_wanted_no_longer_waits() {
    // M26-361, S-272
    let broadcaster = Arc::new(Broadcaster::default());
    let mailbox = broadcaster.join();
    for uri in ["a://x", "a://x/y", "b://z"] {
        mailbox.subscribe(uri, &Limits::default()).unwrap();
    }
    for change in [updated("a://x/y/1"), Change::Tools, updated("a://x/2"), updated("b://z"), Change::Prompts] {
        broadcaster.notify(change);
    }
    mailbox.unsubscribe("a://x");
    mailbox.restrict_to(ListKinds::PROMPTS);
    broadcaster.notify(Change::Tools);
    assert_eq!(all(&mailbox), ["a://x/y/1", "b://z", "notifications/prompts/list_changed"]);
    broadcaster.notify(Change::Prompts);
    broadcaster.notify(updated("b://z"));
    assert_eq!(all(&mailbox).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_who_wait_share_the_changes() {
    const CHANGES: usize = 100;
    let broadcaster = Arc::new(Broadcaster::default());
    let mailbox = Arc::new(watching(&broadcaster, &["a://x"]));
    let heard = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (mailbox, heard) = (Arc::clone(&mailbox), Arc::clone(&heard));
            tokio::spawn(async move {
                loop {
                    mailbox.next().await;
                    heard.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for n in 0..CHANGES {
        broadcaster.notify(updated(&format!("a://x/{n}")));
        tokio::task::yield_now().await;
    }
    let all_heard = async {
        while heard.load(Ordering::Relaxed) < CHANGES {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), all_heard).await.expect("a change is lost");
    assert_eq!((heard.load(Ordering::Relaxed), mailbox.try_next()), (CHANGES, None));
    readers.iter().for_each(tokio::task::JoinHandle::abort);
}

/// What can happen to a mailbox.
#[derive(Debug, Clone)]
enum Step {
    Notify(usize),
    TryNext,
    Poll(usize),
    Drop(usize),
}

const URIS: [&str; 3] = ["a://x", "a://x/1", "a://x/2"];

fn change(number: usize) -> Change {
    URIS.get(number).map_or(Change::Tools, |uri| updated(uri))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..=URIS.len()).prop_map(Step::Notify),
        1 => Just(Step::TryNext),
        3 => (0..3_usize).prop_map(Step::Poll),
        1 => (0..3_usize).prop_map(Step::Drop),
    ]
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One that waits, and whether it was woken.
struct Waiter {
    flag: Arc<Flag>,
    future: Pin<Box<dyn Future<Output = ServerNotification>>>,
}

/// A mailbox beside what it must hold.
struct Model {
    broadcaster: Arc<Broadcaster>,
    mailbox: Arc<Mailbox>,
    waiters: [Option<Waiter>; 3],
    waiting: HashSet<String>,
}

impl Model {
    fn new() -> Self {
        let broadcaster = Arc::new(Broadcaster::default());
        let mailbox = broadcaster.join();
        mailbox.subscribe("a://x", &Limits::default()).unwrap();
        Self { broadcaster, mailbox, waiters: [None, None, None], waiting: HashSet::new() }
    }

    fn heard(&mut self, news: &ServerNotification) {
        assert!(self.waiting.remove(&word(news)), "{news:?} was not to come");
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Notify(number) => {
                let change = change(number);
                self.waiting.insert(word(&change.clone().into_notification(Meta::new())));
                self.broadcaster.notify(change);
            }
            Step::TryNext => match self.mailbox.try_next() {
                Some(news) => self.heard(&news),
                None => assert!(self.waiting.is_empty(), "{:?} is lost", self.waiting),
            },
            Step::Poll(number) => self.poll(number),
            Step::Drop(number) => self.waiters[number] = None,
        }
        let woken = |waiter: &Waiter| waiter.flag.0.load(Ordering::Relaxed);
        let mut asleep = self.waiters.iter().flatten().peekable();
        if !self.waiting.is_empty() && asleep.peek().is_some() {
            assert!(asleep.any(woken), "all sleep while {:?} waits", self.waiting);
        }
    }

    fn poll(&mut self, number: usize) {
        let mailbox = Arc::clone(&self.mailbox);
        let waiter = self.waiters[number].get_or_insert_with(|| Waiter {
            flag: Arc::default(),
            future: Box::pin(async move { mailbox.next().await }),
        });
        waiter.flag.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&waiter.flag));
        if let Poll::Ready(news) = waiter.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            self.waiters[number] = None;
            self.heard(&news);
        }
    }
}

#[test]
fn one_who_is_woken_and_does_not_come_keeps_no_change_from_another() {
    // S-162, S-163
    let mut model = Model::new();
    for step in [Step::Poll(0), Step::Poll(1), Step::Notify(0), Step::Poll(1)] {
        model.run(&step); // 0 is a connection whose client reads nothing
    }
    assert!(model.waiting.is_empty(), "{:?} waits for one who does not come", model.waiting);
}

proptest! {
    #[test]
    fn no_order_of_steps_loses_the_last_change(steps in prop::collection::vec(step(), 1..60)) {
        let mut model = Model::new();
        for step in &steps {
            model.run(step);
        }
        let mut left = all(&model.mailbox);
        let mut expected: Vec<String> = model.waiting.into_iter().collect();
        left.sort();
        expected.sort();
        prop_assert_eq!(left, expected);
    }
}
