//! Mailboxes and the broadcaster: no change is lost or delivered twice, and queues are bounded.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ferromcp_core::{Meta, ServerNotification};
use proptest::prelude::*;

use super::{Broadcaster, Change, ListKinds, Mailbox};
use crate::limits::{MAX_SUBSCRIPTION_BYTES, ServerLimits};

/// Returns the URI of a resource update, or the method of another notification.
fn label(notification: &ServerNotification) -> String {
    match notification {
        ServerNotification::ResourceUpdated(params) => params.uri.clone(),
        other => other.method().to_owned(),
    }
}

fn all(mailbox: &Mailbox) -> Vec<String> {
    std::iter::from_fn(|| mailbox.try_next()).map(|notification| label(&notification)).collect()
}

fn updated(uri: &str) -> Change {
    Change::Resource(uri.into())
}

fn subscribe_to(broadcaster: &Arc<Broadcaster>, uris: &[&str]) -> Mailbox {
    let mailbox = broadcaster.listen(ListKinds::NONE, Meta::new());
    for uri in uris {
        mailbox.subscribe(uri, &ServerLimits::default()).unwrap();
    }
    mailbox
}

#[test]
fn subscriber_receives_each_subscribed_change_once() {
    // M26-265, M26-278, M26-361, S-272
    let broadcaster = Arc::new(Broadcaster::default());
    let tools = broadcaster.listen(ListKinds::TOOLS, Meta::new());
    let folder = subscribe_to(&broadcaster, &["file:///a", "file:///a/b"]);
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
fn queue_is_bounded_and_falls_back_to_subscribed_uri_when_not_read() {
    let broadcaster = Arc::new(Broadcaster::default());
    let folder = subscribe_to(&broadcaster, &["file:///a", "file:///b"]);
    for round in 0..10_000 {
        broadcaster.notify(updated(&format!("file:///a/{round}")));
        broadcaster.notify(updated("file:///b/x"));
    }
    let received = all(&folder);
    assert!(received.len() <= 256 + 2, "{} queued changes", received.len());
    assert!(received.contains(&"file:///a".to_owned()) && received.contains(&"file:///b/x".to_owned()));
    broadcaster.notify(updated("file:///a/1"));
    assert_eq!(all(&folder), ["file:///a/1"], "an empty queue accepts descendant URIs");
}

#[test]
fn completed_elicitations_are_dropped_when_queue_is_full() {
    let broadcaster = Arc::new(Broadcaster::default());
    let session = broadcaster.open_session();
    for number in 0..300 {
        let id = format!("elicitation-{number}");
        session.expect_elicitation(&id);
        broadcaster.complete_elicitation(&id);
    }
    assert_eq!(all(&session).len(), 256);
    session.expect_elicitation("later");
    assert!(broadcaster.complete_elicitation("later"));
    assert_eq!(all(&session).len(), 1, "completions are queued again when the queue is empty");
}

#[test]
fn subscribe_fails_with_limit_when_limit_exceeded() {
    let broadcaster = Arc::new(Broadcaster::default());
    let mailbox = broadcaster.open_session();
    let limits = ServerLimits::new().subscriptions(2);
    let most = format!("a://{}", "x".repeat(MAX_SUBSCRIPTION_BYTES - "a://1a://".len()));
    mailbox.subscribe("a://1", &limits).unwrap();
    mailbox.subscribe("a://1", &limits).unwrap();
    let error = mailbox.subscribe(&(most.clone() + "x"), &limits).unwrap_err();
    assert!(error.code.0 == -32602 && error.message.contains("at most 262144 bytes"), "{error}");
    mailbox.subscribe(&most, &limits).unwrap();
    mailbox.unsubscribe(&most);
    mailbox.subscribe("a://2", &limits).unwrap();
    let error = mailbox.subscribe("a://3", &limits).unwrap_err();
    assert!(error.code.0 == -32602 && error.message.contains("at most 2"), "{error}");
    mailbox.unsubscribe("a://1");
    mailbox.unsubscribe("a://unknown");
    mailbox.subscribe("a://3", &limits).unwrap();
    assert_eq!(broadcaster.size(), (1, 2));
}

#[test]
fn subscriptions_are_removed_when_mailbox_closed() {
    let broadcaster = Arc::new(Broadcaster::default());
    let (first, second) = (subscribe_to(&broadcaster, &["a://1", "a://2"]), subscribe_to(&broadcaster, &["a://2"]));
    assert_eq!(broadcaster.size(), (2, 2));
    assert!(broadcaster.has_subscribers("a://1/x") && !broadcaster.has_subscribers("a://"));
    drop(first);
    assert_eq!(broadcaster.size(), (1, 1));
    second.close();
    assert_eq!(broadcaster.size(), (0, 0));
    second.subscribe("a://3", &ServerLimits::default()).unwrap();
    broadcaster.notify(updated("a://3"));
    assert_eq!((broadcaster.size(), all(&second).len()), ((0, 0), 0));
}

#[test]
fn queued_changes_are_removed_when_unsubscribed() {
    // M26-361, S-272
    let broadcaster = Arc::new(Broadcaster::default());
    let mailbox = broadcaster.open_session();
    for uri in ["a://x", "a://x/y", "b://z"] {
        mailbox.subscribe(uri, &ServerLimits::default()).unwrap();
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
async fn each_change_is_delivered_once_when_several_tasks_wait() {
    const CHANGES: usize = 100;
    let broadcaster = Arc::new(Broadcaster::default());
    let mailbox = Arc::new(subscribe_to(&broadcaster, &["a://x"]));
    let received = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (mailbox, received) = (Arc::clone(&mailbox), Arc::clone(&received));
            tokio::spawn(async move {
                loop {
                    mailbox.next().await;
                    received.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for n in 0..CHANGES {
        broadcaster.notify(updated(&format!("a://x/{n}")));
        tokio::task::yield_now().await;
    }
    let all_received = async {
        while received.load(Ordering::Relaxed) < CHANGES {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), all_received).await.expect("a change was lost");
    assert_eq!((received.load(Ordering::Relaxed), mailbox.try_next()), (CHANGES, None));
    readers.iter().for_each(tokio::task::JoinHandle::abort);
}

/// An operation on a mailbox.
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

/// A pending `Mailbox::next`, and whether it was woken.
struct Waiter {
    flag: Arc<Flag>,
    future: Pin<Box<dyn Future<Output = ServerNotification>>>,
}

/// A mailbox and its expected content.
struct Model {
    broadcaster: Arc<Broadcaster>,
    mailbox: Arc<Mailbox>,
    waiters: [Option<Waiter>; 3],
    queued: HashSet<String>,
}

impl Model {
    fn new() -> Self {
        let broadcaster = Arc::new(Broadcaster::default());
        let mailbox = broadcaster.open_session();
        mailbox.subscribe("a://x", &ServerLimits::default()).unwrap();
        Self { broadcaster, mailbox, waiters: [None, None, None], queued: HashSet::new() }
    }

    fn received(&mut self, notification: &ServerNotification) {
        assert!(self.queued.remove(&label(notification)), "unexpected {notification:?}");
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Notify(number) => {
                let change = change(number);
                self.queued.insert(label(&change.clone().into_notification(Meta::new())));
                self.broadcaster.notify(change);
            }
            Step::TryNext => match self.mailbox.try_next() {
                Some(notification) => self.received(&notification),
                None => assert!(self.queued.is_empty(), "{:?} was lost", self.queued),
            },
            Step::Poll(number) => self.poll(number),
            Step::Drop(number) => self.waiters[number] = None,
        }
        let woken = |waiter: &Waiter| waiter.flag.0.load(Ordering::Relaxed);
        let mut waiters = self.waiters.iter().flatten().peekable();
        if !self.queued.is_empty() && waiters.peek().is_some() {
            assert!(waiters.any(woken), "no task was woken for {:?}", self.queued);
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
        if let Poll::Ready(notification) = waiter.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            self.waiters[number] = None;
            self.received(&notification);
        }
    }
}

#[test]
fn change_is_delivered_to_another_task_when_woken_task_does_not_poll() {
    // S-162, S-163
    let mut model = Model::new();
    for step in [Step::Poll(0), Step::Poll(1), Step::Notify(0), Step::Poll(1)] {
        model.run(&step); // task 0 is a connection whose client does not read
    }
    assert!(model.queued.is_empty(), "{:?} was not delivered", model.queued);
}

proptest! {
    #[test]
    fn no_change_is_lost_in_any_order_of_steps(steps in prop::collection::vec(step(), 1..60)) {
        let mut model = Model::new();
        for step in &steps {
            model.run(step);
        }
        let mut remaining = all(&model.mailbox);
        let mut expected: Vec<String> = model.queued.into_iter().collect();
        remaining.sort();
        expected.sort();
        prop_assert_eq!(remaining, expected);
    }
}
