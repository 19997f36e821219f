//! Runs single attacks, each on a new process, and prints their figures.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::attacks::{Attack, Attacker, ClientAttack};
use crate::latencies::Latencies;
use crate::options::Options;
use crate::probe::Probe;
use crate::process::{MEMORY_CEILING, Server};
use crate::report::{load_average, mib};

/// How long the probe runs before an attack.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long all calls of the probe must be good after an attack, until others count as served.
const CALM: Duration = Duration::from_secs(5);
/// How long the server is observed after an attack at most.
const OBSERVED: Duration = Duration::from_secs(60);

/// Runs the attacks one after another.
pub(crate) async fn run(options: &Options, attacks: &[Attack], client: &[ClientAttack]) -> anyhow::Result<()> {
    println!("load average: {}", load_average());
    for attack in attacks {
        run_on_server(options, *attack).await?;
    }
    for attack in client {
        println!("\n{}: {}", attack.name(), attack.about());
        let figures = attack.run(&options.client)?;
        println!("  memory of the client: {} at most", mib(figures.peak));
        println!("  the client ended after {}", figures.outcome);
    }
    println!("load average: {}", load_average());
    Ok(())
}

async fn run_on_server(options: &Options, attack: Attack) -> anyhow::Result<()> {
    println!("\n{}: {}", attack.name(), attack.about());
    let server = Server::start(&options.server, &[])?;
    let probe = Probe::start(&server.target)?;
    sleep(WARM_UP).await;
    let (before, idle) = (server.process.memory.take_peak(), Latencies::of(&probe.take()));
    println!("  before: {}, probe {idle}", mib(before));
    let started = Instant::now();
    let attacker = Attacker {
        target: server.target.attacked(),
        other: server.target.clone(),
        memory: server.process.memory.clone(),
        hold: options.hold,
    };
    let outcome = attack.run(&attacker).await;
    let (peak, during) = (server.process.memory.take_peak(), Latencies::of(&probe.take()));
    if server.process.memory.is_exceeded() {
        let time = started.elapsed().as_secs_f64();
        println!(
            "  STOPPED: the memory has exceeded {} (peak {}); the attack ended after {time:.0} s",
            mib(MEMORY_CEILING),
            mib(peak)
        );
        println!("  probe {during}");
        return Ok(());
    }
    println!("  attack, {:.0} s: {}", started.elapsed().as_secs_f64(), outcome.unwrap_or_else(|e| format!("{e:#}")));
    println!("  probe {during}");
    let recovery = match observe_recovery(&probe).await {
        Some(time) => format!("{:.1} s after the attack", time.as_secs_f64()),
        None => format!("not within {} s", OBSERVED.as_secs()),
    };
    let peak = peak.max(server.process.memory.take_peak());
    println!("  others are served: {recovery}");
    println!("  memory: {} at most, {} after", mib(peak), mib(server.process.memory.current()));
    Ok(())
}

/// Waits until all calls of the probe are good. Returns when the last bad one ended, after the attack.
async fn observe_recovery(probe: &Probe) -> Option<Duration> {
    let ended = Instant::now();
    let mut last_bad = ended;
    while last_bad.elapsed() < CALM {
        if ended.elapsed() > OBSERVED {
            return None;
        }
        sleep(Duration::from_millis(100)).await;
        let bad = probe.take().into_iter().filter(|sample| !sample.is_good()).map(|sample| sample.finished_at).max();
        last_bad = last_bad.max(bad.unwrap_or(ended));
    }
    Some(last_bad - ended)
}
