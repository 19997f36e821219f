//! Uniqueness, isolation, eviction and expiry of sessions.

use super::*;

/// Adds a session from a connection and an address.
fn add_from(sessions: &Sessions, connection: u64, address: u8) -> Result<Added, NotAdded> {
    let source = Source::new(Some(connection), None, Some([10, 0, 0, address].into()));
    sessions.add(None, source, Session::default())
}

/// Adds a session from an unknown source.
fn add(sessions: &Sessions) -> Option<SessionGuard> {
    sessions.add(None, Source::default(), Session::default()).ok().map(|added| added.session)
}

/// Adds an idle session whose handshake is complete.
fn add_idle(sessions: &Sessions, connection: u64, address: u8) -> Arc<str> {
    let session = add_from(sessions, connection, address).unwrap_or_else(|reason| panic!("{reason:?}")).session;
    session.mark_initialized();
    Arc::clone(&session.id)
}

fn remaining(sessions: &Sessions, ids: &[Arc<str>]) -> usize {
    ids.iter().filter(|id| sessions.shard(id).contains_key(*id)).count() // `find` would count as a use
}

#[test]
fn session_ids_are_unique_visible_ascii() {
    // S-174, S-175, A-203
    let sessions = Sessions::new(100);
    let guards: Vec<SessionGuard> = (0..100).map(|_| add(&sessions).unwrap()).collect();
    for (index, one) in guards.iter().enumerate() {
        assert!(one.id.len() >= 43 && one.id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
        assert!(guards[..index].iter().all(|other| other.id != one.id));
    }
}

#[test]
fn session_is_not_found_when_the_identity_differs() {
    let sessions = Sessions::new(10);
    let (ann, bob) = (Identity::new("ann"), Identity::new("bob"));
    let session = sessions
        .add(Some(ann.clone()), Source::default(), Session::default())
        .unwrap_or_else(|reason| panic!("{reason:?}"))
        .session;
    assert!(sessions.find(&session.id, Some(&ann)).is_some());
    assert!(sessions.find(&session.id, Some(&bob)).is_none());
    assert!(sessions.find(&session.id, None).is_none());
}

#[test]
fn evicts_only_idle_sessions_when_the_limit_is_reached() {
    let sessions = Sessions::new(32);
    let busy: Vec<SessionGuard> = (0..16).map(|_| add(&sessions).unwrap()).collect();
    let idle: Vec<Arc<str>> = (0..16).map(|_| Arc::clone(&add(&sessions).unwrap().id)).collect();
    assert!(add(&sessions).is_some());
    assert!(sessions.len() <= 32);
    assert!(idle.iter().any(|id| sessions.find(id, None).is_none()));
    assert!(busy.iter().all(|session| sessions.find(&session.id, None).is_some()));
}

#[test]
fn rejects_a_session_when_the_limit_is_reached_and_none_is_idle() {
    let sessions = Sessions::new(2);
    let _busy = (add(&sessions).unwrap(), add(&sessions).unwrap());
    assert!(add(&sessions).is_none());
    assert_eq!(sessions.len(), 2);
}

#[test]
fn evicts_sessions_of_the_same_connection_before_others() {
    let sessions = Sessions::new(64);
    let others: Vec<Arc<str>> = (0..32).map(|number| add_idle(&sessions, number, 2)).collect();
    let started = (0..10_000).filter(|_| add_from(&sessions, 100, 1).is_ok()).count();
    assert!((64..100).contains(&started), "{started} sessions at once from one address");
    assert_eq!(remaining(&sessions, &others), 32);
    assert!(matches!(add_from(&sessions, 101, 1), Err(NotAdded::TooFast)), "another connection of the same address");
}

#[test]
fn evicts_uninitialized_sessions_and_those_of_the_same_origin_before_others() {
    let sessions = Sessions::new(40);
    let others: Vec<Arc<str>> = (0..10_u8).map(|number| add_idle(&sessions, number.into(), number)).collect();
    let own: Vec<Arc<str>> = (0..10).map(|number| add_idle(&sessions, 100 + number, 200)).collect();
    std::thread::sleep(Duration::from_millis(5)); // so that they are the longest idle ones of their origin
    for number in 0..20 {
        drop(add_from(&sessions, 200 + number, 100)); // never initialized
    }
    for number in 0..20 {
        add_idle(&sessions, 300 + number, 200);
    }
    assert_eq!(remaining(&sessions, &own), 10, "uninitialized sessions come first");
    for number in 0..10 {
        add_idle(&sessions, 400 + number, 200);
    }
    assert_eq!((remaining(&sessions, &own), remaining(&sessions, &others)), (0, 10));
    assert_eq!(sessions.len(), 40);
}

#[test]
fn evictions_of_other_origins_are_limited() {
    let sessions = Sessions::new(300);
    let victims: Vec<Arc<str>> =
        (0..300_u64).map(|number| add_idle(&sessions, number, u8::try_from(number % 250).unwrap())).collect();
    // Each on its own connection, held open so that it is never idle.
    let held: Vec<_> = (1000..2000).map(|number| add_from(&sessions, number, 255)).collect();
    let started = held.iter().filter(|added| added.is_ok()).count();
    assert!((64..70).contains(&started), "{started}");
    assert_eq!(remaining(&sessions, &victims), 300 - started);
    assert!(add_from(&sessions, 3000, 254).is_ok(), "another address");
}

#[test]
fn idle_sessions_expire_after_timeout() {
    let sessions = Sessions::new(10);
    let busy = add(&sessions).unwrap();
    drop(add(&sessions));
    std::thread::sleep(Duration::from_millis(5));
    assert!(sessions.expire_idle(Duration::from_secs(60)).is_empty());
    assert_eq!(sessions.expire_idle(Duration::from_millis(1)).len(), 1);
    assert!(sessions.find(&busy.id, None).is_some());
    assert_eq!(sessions.len(), 1);
}
