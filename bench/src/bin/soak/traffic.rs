//! Runs a scenario many times at a fixed rate, and counts the outcomes.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::connection::Refused;
use crate::target::Target;

/// The amount of traffic. It does not depend on the speed of the server, so that all rounds have the same load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    pub(crate) clients: usize,
    /// How many scenarios each client runs.
    pub(crate) scenarios: usize,
    /// The time between the starts of two scenarios of a client.
    pub(crate) interval: Duration,
}

/// The outcomes of scenarios.
#[derive(Debug, Default, Clone)]
pub(crate) struct Outcomes {
    pub(crate) passed: usize,
    /// The server has refused a request, because a limit was reached.
    pub(crate) refused: usize,
    /// The answer was wrong, or missing.
    pub(crate) failed: usize,
    pub(crate) first_failure: Option<String>,
}

impl Traffic {
    /// Runs the scenarios.
    pub(crate) async fn run<F, Fut>(self, target: &Target, scenario: F) -> Outcomes
    where
        F: Fn(Target, usize) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send,
    {
        let mut clients = JoinSet::new();
        for client in 0..self.clients {
            let (target, scenario) = (target.clone(), scenario.clone());
            clients.spawn(async move {
                let mut outcomes = Outcomes::default();
                let mut tick = interval(self.interval);
                tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
                for turn in 0..self.scenarios {
                    tick.tick().await;
                    outcomes.add(scenario(target.clone(), client + turn * self.clients).await);
                }
                outcomes
            });
        }
        let mut total = Outcomes::default();
        for outcomes in clients.join_all().await {
            total.passed += outcomes.passed;
            total.refused += outcomes.refused;
            total.failed += outcomes.failed;
            total.first_failure = total.first_failure.or(outcomes.first_failure);
        }
        total
    }
}

impl Outcomes {
    fn add(&mut self, outcome: anyhow::Result<()>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(error) if error.downcast_ref::<Refused>().is_some() => self.refused += 1,
            Err(error) => {
                self.failed += 1;
                self.first_failure.get_or_insert(format!("{error:#}"));
            }
        }
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.passed, self.refused, self.failed)
    }
}
