//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::attacks::{Attack, ClientAttack};

const USAGE: &str = "\
usage: soak [--minutes N] [--server PATH]          rounds of valid, invalid and hostile traffic (default: 30 minutes)
       soak --attack NAME… [--hold SECONDS] [--server PATH] [--client PATH]
                                                   single attacks, each on a new process (`all`: every attack)";

/// What to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Rounds of mixed traffic for about this long.
    Rounds(Duration),
    /// Single attacks.
    Attacks(Vec<Attack>, Vec<ClientAttack>),
}

/// The options.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    /// How long the connections of a single attack stay open.
    pub(crate) hold: Duration,
    pub(crate) server: PathBuf,
    pub(crate) client: PathBuf,
}

impl Options {
    /// Parses the arguments.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let (mut attacks, mut client_attacks) = (Vec::new(), Vec::new());
        let (mut minutes, mut hold) = (30, 45);
        let (mut server, mut client) = (None, None);
        while let Some(option) = args.next() {
            let value = args.next().with_context(|| format!("{option} requires a value\n{}", usage()))?;
            let number = || value.parse::<u64>().with_context(|| format!("invalid value of {option}: {value}"));
            match option.as_str() {
                "--minutes" => minutes = number()?,
                "--hold" => hold = number()?,
                "--server" => server = Some(PathBuf::from(value)),
                "--client" => client = Some(PathBuf::from(value)),
                "--attack" => {
                    let (known, selected) = (attacks.len() + client_attacks.len(), value.as_str());
                    attacks.extend(Attack::ALL.iter().filter(|it| selected == "all" || selected == it.name()));
                    client_attacks
                        .extend(ClientAttack::ALL.iter().filter(|it| selected == "all" || selected == it.name()));
                    if attacks.len() + client_attacks.len() == known {
                        bail!("unknown attack {selected}\n{}", usage());
                    }
                }
                _ => bail!("unknown option {option}\n{}", usage()),
            }
        }
        let mode = if attacks.is_empty() && client_attacks.is_empty() {
            Mode::Rounds(Duration::from_secs(60 * minutes))
        } else {
            Mode::Attacks(attacks, client_attacks)
        };
        let sibling = |name: &str| anyhow::Ok(std::env::current_exe()?.with_file_name(name));
        Ok(Self {
            mode,
            hold: Duration::from_secs(hold),
            server: server.map_or_else(|| sibling("soak-server"), Ok)?,
            client: client.map_or_else(|| sibling("soak-client"), Ok)?,
        })
    }
}

fn usage() -> String {
    let server = Attack::ALL.map(|attack| (attack.name(), attack.about()));
    let client = ClientAttack::ALL.map(|attack| (attack.name(), attack.about()));
    let attacks = server.iter().chain(&client).map(|(name, about)| format!("\n  {name:<16}{about}"));
    format!("{USAGE}\nattacks:{}", attacks.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str) -> anyhow::Result<Options> {
        Options::parse(args.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn parses_durations_and_programs() {
        let options = parse("--minutes 3 --server /bin/true").unwrap();
        assert_eq!(options.mode, Mode::Rounds(Duration::from_secs(180)));
        assert_eq!(options.server, PathBuf::from("/bin/true"));
        assert!(options.client.ends_with("soak-client"));
    }

    #[test]
    fn selects_attacks_by_name() {
        let options = parse("--attack questions --attack client-pages --hold 5").unwrap();
        assert_eq!(options.mode, Mode::Attacks(vec![Attack::Questions], vec![ClientAttack::Pages]));
        assert_eq!(options.hold, Duration::from_secs(5));
        let all = Mode::Attacks(Attack::ALL.to_vec(), ClientAttack::ALL.to_vec());
        assert_eq!(parse("--attack all").unwrap().mode, all);
    }

    #[test]
    fn error_lists_the_attacks_when_an_argument_is_invalid() {
        for args in ["--attack none", "--minutes", "--minutes x", "--fast 1"] {
            assert!(parse(args).is_err(), "{args}");
        }
        assert!(parse("--attack none").unwrap_err().to_string().contains("many-sessions"));
    }
}
