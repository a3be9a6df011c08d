//! Living, being killed, being started again, coming to rest.

use crate::database::Database;
use crate::house::{APP, DEADLINE, House, soon};
use crate::life::{Act, Death, Life};
use slipway_testkit::eventually;
use std::time::{Duration, Instant};

impl House {
    /// Lives one life to its end and asserts what must be true afterwards. `number` is different for each life.
    pub(crate) async fn live(&mut self, life: &Life, number: usize) {
        match &life.death {
            Death::At(point) => self.die_at(point, life, number).await,
            Death::AtThenAt(first, second) => {
                self.die_at(first, life, number).await;
                self.start_to_die_at(second, &[], number).await;
            }
            Death::After(moment, again) => self.die_after(*moment, *again, life, number).await,
        }
        if life.push_while_dead {
            self.push("main", true).await;
        }
        self.product.kill_and_start_again().await;
        let left_open = [Act::RollBack, Act::Elsewhere, Act::PushBad];
        if life.acts.iter().any(|act| left_open.contains(act)) && life.acts.last() != Some(&Act::Push)
            || life.acts.contains(&Act::RollBack)
        {
            self.quiet().await;
            if life.acts.contains(&Act::Elsewhere) {
                // Seen after the push that follows it would rightly be served in the end.
                self.elsewhere_is_seen().await;
            }
            self.put_right().await;
            self.push("main", true).await;
        }
        self.at_rest().await;
        self.put_right().await;
    }

    async fn die_at(&mut self, point: &str, life: &Life, number: usize) {
        self.start_to_die_at(point, &life.acts, number).await;
    }

    async fn start_to_die_at(&mut self, point: &str, acts: &[Act], number: usize) {
        self.ledger.kills += 1;
        if !self.product.kill_and_start_with(&[("SLIPWAY_DIE_AT", point)]).await {
            return;
        }
        for act in acts {
            self.act(*act, number).await;
        }
        assert!(self.ends_within(DEADLINE).await, "{point} was not reached by {acts:?}");
    }

    async fn die_after(&mut self, moment: Duration, again: Option<Duration>, life: &Life, number: usize) {
        self.ledger.kills += 1;
        let killer = self.kill_in(moment);
        for (at, (act, pause)) in life.acts.iter().zip(&life.pauses).enumerate() {
            self.ends_within(*pause).await;
            self.act(*act, number * 10 + at).await;
        }
        self.ends_within(DEADLINE).await;
        killer.await.expect("the killer ends");
        if let Some(moment) = again {
            self.ledger.kills += 1;
            self.product.kill_and_start_again().await;
            let killer = self.kill_in(moment);
            assert!(self.ends_within(DEADLINE).await, "it was killed");
            killer.await.expect("the killer ends");
        }
    }

    /// Kills the program after a while, whatever is done with it meanwhile.
    fn kill_in(&self, moment: Duration) -> tokio::task::JoinHandle<()> {
        let process = self.product.process_id().to_string();
        tokio::spawn(async move {
            // Not a wait for something: the moment of the kill is what a seed varies.
            tokio::time::sleep(moment).await;
            let killed = tokio::process::Command::new("kill").args(["-KILL", &process]).status().await;
            assert!(killed.expect("kill can be started").success(), "the program had ended before it was killed");
        })
    }

    /// Reads logs until the program ends or time is over; returns whether it has ended.
    async fn ends_within(&mut self, time: Duration) -> bool {
        let begun = Instant::now();
        loop {
            if self.product.has_ended() {
                return true;
            }
            if begun.elapsed() >= time {
                return false;
            }
            Self::watch_logs(&self.product, &mut self.ledger.shown).await;
            tokio::time::sleep(Duration::from_millis(30).min(time)).await;
        }
    }

    /// Waits until nothing is left to do.
    async fn quiet(&self) {
        let database = Database::open(self.product.data_dir()).await;
        soon("nothing is stuck", async || {
            let open = database.unfinished().await;
            if open.is_empty() { Ok(()) } else { Err(open) }
        })
        .await;
    }

    /// Waits until the program has noticed what the tag from elsewhere holds, and has done what follows from it.
    async fn elsewhere_is_seen(&self) {
        let database = Database::open(self.product.data_dir()).await;
        let digest = self.registry.digest(APP, "elsewhere").await.expect("the registry holds the tag from elsewhere");
        // Tags of a registry are looked at once a minute.
        eventually("what the tag from elsewhere holds is noticed", DEADLINE * 3, async || {
            let newest = database.newest_event("elsewhere").await;
            if newest.as_ref() == Some(&digest) { Ok(()) } else { Err(newest) }
        })
        .await;
        self.quiet().await;
    }
}
