//! Faults at seeded moments, one at a time.

use crate::place::Place;
use crate::random::Random;
use crate::say;
use slipway_testkit::Fault;
use std::collections::BTreeMap;
use std::time::Duration;

/// Pause between two faults, and how long one lasts.
const PAUSE: (u64, u64) = (5_000, 20_000);
const LASTS: (u64, u64) = (1_000, 7_000);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    RegistryIll,
    RegistryRefusesMore,
    RegistryStalls,
    RegistryCuts,
    RegistryRestarts,
    EngineCuts,
    EngineStalls,
    EngineAway,
    CodeAway(usize),
    ProgramSleeps,
}

impl Kind {
    fn any(random: &mut Random, clones: usize) -> Self {
        match random.below(10) {
            0 => Self::RegistryIll,
            1 => Self::RegistryRefusesMore,
            2 => Self::RegistryStalls,
            3 => Self::RegistryCuts,
            4 => Self::RegistryRestarts,
            5 => Self::EngineCuts,
            6 => Self::EngineStalls,
            7 => Self::EngineAway,
            8 => Self::CodeAway(usize::try_from(random.below(clones as u64)).unwrap_or_default()),
            _ => Self::ProgramSleeps,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::RegistryIll => "registry answers 500",
            Self::RegistryRefusesMore => "registry answers 429",
            Self::RegistryStalls => "registry stalls",
            Self::RegistryCuts => "registry cuts",
            Self::RegistryRestarts => "registry restarts",
            Self::EngineCuts => "engine cuts",
            Self::EngineStalls => "engine stalls",
            Self::EngineAway => "engine away",
            Self::CodeAway(_) => "code away",
            Self::ProgramSleeps => "program sleeps",
        }
    }
}

#[derive(Default)]
pub(crate) struct Trouble {
    now: Option<Kind>,
    /// When the one that is ends, or the next begins.
    turns: Duration,
    count: BTreeMap<&'static str, usize>,
}

impl Trouble {
    /// Begins or ends what is due.
    pub(crate) async fn go_on(&mut self, now: Duration, place: &mut Place, random: &mut Random) {
        if now < self.turns {
            return;
        }
        let between =
            |random: &mut Random, (least, most): (u64, u64)| Duration::from_millis(least + random.below(most - least));
        if self.now.is_some() {
            self.end(place).await;
            self.turns = now + between(random, PAUSE);
            return;
        }
        let kind = Kind::any(random, place.clones.len());
        self.now = Some(kind);
        self.turns = now + between(random, LASTS);
        *self.count.entry(kind.name()).or_default() += 1;
        say(&format!("{:6.0} s  {}", now.as_secs_f64(), kind.name()));
        match kind {
            Kind::RegistryIll => {
                let ill = "{\"errors\":[{\"code\":\"UNKNOWN\",\"message\":\"ill\"}]}";
                place
                    .registry_door
                    .fail(Fault::Answer("500 Internal Server Error\r\ncontent-type: application/json", ill));
            }
            Kind::RegistryRefusesMore => {
                place.registry_door.fail(Fault::Answer("429 Too Many Requests\r\nretry-after: 1", ""));
            }
            Kind::RegistryStalls => place.registry_door.fail(Fault::Stall),
            Kind::RegistryCuts => place.registry_door.fail(Fault::Cut),
            Kind::RegistryRestarts => place.registry.stop().await,
            Kind::EngineCuts => place.engine_door.fail(Fault::Cut),
            Kind::EngineStalls => place.engine_door.fail(Fault::Stall),
            Kind::EngineAway => place.engine_door.go_away().await,
            Kind::CodeAway(clone) => rename(place, clone, false),
            Kind::ProgramSleeps => signal(place, "STOP").await,
        }
    }

    /// Ends what is.
    pub(crate) async fn end(&mut self, place: &mut Place) {
        match self.now.take() {
            Some(Kind::RegistryIll | Kind::RegistryRefusesMore | Kind::RegistryStalls | Kind::RegistryCuts) => {
                place.registry_door.heal();
            }
            Some(Kind::RegistryRestarts) => place.registry.start_again().await,
            Some(Kind::EngineCuts | Kind::EngineStalls) => {
                place.engine_door.heal();
            }
            Some(Kind::EngineAway) => place.engine_door.come_back().await,
            Some(Kind::CodeAway(clone)) => rename(place, clone, true),
            Some(Kind::ProgramSleeps) => signal(place, "CONT").await,
            None => {}
        }
    }

    /// The clone that is not where it was.
    pub(crate) fn away(&self) -> Option<usize> {
        match self.now {
            Some(Kind::CodeAway(clone)) => Some(clone),
            _ => None,
        }
    }

    pub(crate) fn table(&self) -> String {
        let lines: Vec<String> = self.count.iter().map(|(name, count)| format!("{name:24} {count:5}")).collect();
        lines.join("\n")
    }
}

fn rename(place: &Place, clone: usize, back: bool) {
    let here = place.clones[clone].path();
    let away = here.with_extension("away");
    let (from, to) = if back { (away.as_path(), here) } else { (here, away.as_path()) };
    std::fs::rename(from, to).expect("a clone can be renamed");
}

async fn signal(place: &Place, name: &str) {
    let process = place.product.process_id().to_string();
    let sent = tokio::process::Command::new("kill").args([&format!("-{name}"), &process]).status().await;
    assert!(sent.expect("kill can be started").success(), "the program is gone");
}
