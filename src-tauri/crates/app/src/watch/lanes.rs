//! How many looks go on at the same time. Each host has a lane of its own: one that hangs, or asks to wait, delays its own
//! code alone. Pure: times come in.

use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::code::CodeLocation;
use slipway_core::ssh::SshAddress;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use url::Url;

/// Looks at the same time: at everything together, and at one host.
const MOST: usize = 16;
const MOST_AT_ONE_HOST: usize = 4;
/// A wait that lies further ahead was noted before the clock was set back.
const LONGEST_HOLD: TimeDelta = TimeDelta::days(2);

/// Returns the lane of a place: scheme, host and port, or this machine.
pub(super) fn lane_of(location: &CodeLocation) -> String {
    match location {
        CodeLocation::GitUrl { url, .. } => {
            Url::parse(url).map_or_else(|_| url.clone(), |url| url.origin().ascii_serialization())
        }
        CodeLocation::Ssh { url } => match SshAddress::parse(url) {
            Ok(address) => format!("ssh://{}:{}", address.host().to_ascii_lowercase(), address.port().unwrap_or(22)),
            Err(_) => url.clone(),
        },
        CodeLocation::LocalClone { .. } => String::new(),
    }
}

/// All lanes.
#[derive(Debug)]
pub(super) struct Lanes {
    /// Between two looks of the schedule at one host: a thousand repositories do not come as one storm.
    gap: Duration,
    running: usize,
    hosts: HashMap<String, Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    running: usize,
    /// When the schedule's next look may begin.
    next: Option<Instant>,
    /// What the host asked for.
    held_until: Option<DateTime<Utc>>,
}

/// Why a look does not begin now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// As long as this.
    For(Duration),
    /// Until a look of this host ends.
    HostIsBusy,
    /// Until any look ends.
    AllAreBusy,
}

impl Lanes {
    pub(super) fn new(gap: Duration) -> Self {
        Self { gap, running: 0, hosts: HashMap::new() }
    }

    /// Takes a place for a look at a host. What was `asked` for does not wait for the gap.
    pub(super) fn enter(&mut self, host: &str, asked: bool, now: DateTime<Utc>, at: Instant) -> Result<(), Closed> {
        if self.running >= MOST {
            return Err(Closed::AllAreBusy);
        }
        let lane = self.hosts.entry(host.to_owned()).or_default();
        let held = lane.held_until.map(|until| until - now);
        if let Some(held) = held.filter(|held| *held > TimeDelta::zero() && *held < LONGEST_HOLD) {
            return Err(Closed::For(held.to_std().unwrap_or_default()));
        }
        if lane.running >= MOST_AT_ONE_HOST {
            return Err(Closed::HostIsBusy);
        }
        if !asked {
            if let Some(next) = lane.next.filter(|next| *next > at) {
                return Err(Closed::For(next - at));
            }
            lane.next = Some(at + self.gap);
        }
        lane.running += 1;
        self.running += 1;
        Ok(())
    }

    /// Gives the place back.
    pub(super) fn leave(&mut self, host: &str) {
        self.running = self.running.saturating_sub(1);
        if let Some(lane) = self.hosts.get_mut(host) {
            lane.running = lane.running.saturating_sub(1);
        }
    }

    /// A host asked to wait: none of its code is looked at before.
    pub(super) fn hold(&mut self, host: &str, until: DateTime<Utc>) {
        self.hosts.entry(host.to_owned()).or_default().held_until = Some(until);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GAP: Duration = Duration::from_millis(250);

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    #[test]
    fn a_host_takes_four_and_all_together_sixteen() {
        let (mut lanes, at) = (Lanes::new(Duration::ZERO), Instant::now());
        for host in ["a", "b", "c"] {
            for _ in 0..4 {
                lanes.enter(host, false, now(), at).unwrap();
            }
            assert_eq!(lanes.enter(host, true, now(), at), Err(Closed::HostIsBusy));
        }
        for host in ["d", "e", "f", "g"] {
            lanes.enter(host, true, now(), at).unwrap();
        }
        assert_eq!(lanes.enter("h", true, now(), at), Err(Closed::AllAreBusy));
        lanes.leave("a");
        assert_eq!(lanes.enter("b", true, now(), at), Err(Closed::HostIsBusy));
        lanes.enter("a", true, now(), at).unwrap();
    }

    #[test]
    fn the_schedule_keeps_a_distance_and_a_question_does_not() {
        let (mut lanes, at) = (Lanes::new(GAP), Instant::now());
        lanes.enter("a", false, now(), at).unwrap();
        assert_eq!(lanes.enter("a", false, now(), at + GAP / 5), Err(Closed::For(GAP * 4 / 5)));
        lanes.enter("b", false, now(), at).unwrap();
        lanes.enter("a", true, now(), at).unwrap();
        lanes.enter("a", false, now(), at + GAP).unwrap();
    }

    #[test]
    fn a_host_that_asks_to_wait_is_left_alone_for_so_long() {
        let (mut lanes, at) = (Lanes::new(GAP), Instant::now());
        lanes.hold("a", now() + TimeDelta::seconds(90));
        for asked in [false, true] {
            assert_eq!(lanes.enter("a", asked, now(), at), Err(Closed::For(Duration::from_secs(90))));
        }
        lanes.enter("b", true, now(), at).unwrap();
        lanes.enter("a", true, now() + TimeDelta::seconds(90), at).unwrap();
        lanes.hold("a", now() + TimeDelta::hours(1));
        lanes.enter("a", true, now() - TimeDelta::days(3), at).unwrap();
    }

    #[test]
    fn a_lane_is_an_origin() {
        let of = |url: &str| {
            lane_of(&CodeLocation::GitUrl {
                url: url.to_owned(),
                username: None,
                password: None,
                ca_pem: None,
                allow_plain_http: false,
            })
        };
        assert_eq!(of("https://Git.test/a.git"), of("https://git.test:443/b.git"));
        assert_ne!(of("https://git.test/a.git"), of("https://git.test:8443/a.git"));
        assert_eq!(lane_of(&CodeLocation::LocalClone { path: "/a".into() }), "");
    }
}
