//! The soak: rounds of the same valid, invalid and hostile traffic, with figures of the server after each round.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::time::{sleep, timeout};

use crate::attacks::{Attack, Attacker};
use crate::latencies::Latencies;
use crate::options::Options;
use crate::probe::Probe;
use crate::process::{Resources, Server};
use crate::report::{Report, Round};
use crate::session::Session;
use crate::traffic::Traffic;
use crate::{invalid, valid};

/// The timeouts of the server. They are shorter than the defaults, so that a round ends within about a minute.
const SERVER_ARGS: [&str; 4] = ["--session-idle", "15", "--stall-timeout", "10"];

const VALID: Traffic = Traffic { clients: 4, scenarios: 300, interval: Duration::from_millis(100) };
const INVALID: Traffic = Traffic { clients: 2, scenarios: 160, interval: Duration::from_millis(180) };
/// How long the connections of an attack stay open.
const HOLD: Duration = Duration::from_secs(3);
/// How long the traffic of a round may take.
const ROUND_TIMEOUT: Duration = Duration::from_secs(300);
/// How long the server may take to release all resources: questions end after twice the stall timeout, and their
/// sessions expire after the idle timeout.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs rounds for about `time`. Returns whether the server has kept its bounds.
pub(crate) async fn run(options: &Options, time: Duration) -> anyhow::Result<bool> {
    let server = Server::start(&options.server, &SERVER_ARGS)?;
    // The first session starts the task that expires sessions.
    Session::open(&server.target).await?.delete().await?;
    sleep(Duration::from_secs(1)).await;
    let start = server.resources().await?;
    let probe = Probe::start(&server.target)?;
    let mut report = Report::new(start);
    let started = Instant::now();
    while started.elapsed() < time && !server.process.memory.is_exceeded() {
        report.add(round(&server, &probe, &start).await?);
    }
    Ok(report.finish(server.process.memory.is_exceeded()))
}

async fn round(server: &Server, probe: &Probe, start: &Resources) -> anyhow::Result<Round> {
    let started = Instant::now();
    probe.resume();
    server.process.memory.take_peak();
    let traffic = async {
        let target = &server.target;
        tokio::join!(
            VALID.run(target, |target, turn| async move { valid::run(&target, turn).await }),
            INVALID.run(target, |target, turn| async move { invalid::run(&target, turn).await }),
            attack(server),
        )
    };
    let (valid, invalid, attacks) = timeout(ROUND_TIMEOUT, traffic).await.context("a round did not end")?;
    let attacks = if server.process.memory.is_exceeded() { Vec::new() } else { attacks? };
    let latencies = Latencies::of(&probe.take());
    probe.pause();
    let (resources, release) = release(server, start).await?;
    Ok(Round {
        time: started.elapsed(),
        peak: server.process.memory.take_peak(),
        memory: server.process.memory.current(),
        resources,
        release,
        latencies,
        valid,
        invalid,
        attacks,
    })
}

/// Runs the attacks one after another.
async fn attack(server: &Server) -> anyhow::Result<Vec<String>> {
    let (target, other, memory) = (server.target.attacked(), server.target.clone(), server.process.memory.clone());
    let attacker = Attacker { target, other, memory, hold: HOLD };
    let mut outcomes = Vec::new();
    for attack in Attack::ROUND {
        let outcome = attack.run(&attacker).await.with_context(|| attack.name())?;
        outcomes.push(format!("{}: {outcome}", attack.name()));
    }
    Ok(outcomes)
}

/// Waits until the server has released all resources, up to a timeout.
async fn release(server: &Server, start: &Resources) -> anyhow::Result<(Resources, Duration)> {
    let ended = Instant::now();
    loop {
        ensure!(!server.process.memory.is_exceeded(), "the memory of the server exceeded the ceiling");
        let resources = server.resources().await?;
        if resources.is_back_to(start) || ended.elapsed() > RELEASE_TIMEOUT {
            return Ok((resources, ended.elapsed()));
        }
        sleep(Duration::from_millis(500)).await;
    }
}
