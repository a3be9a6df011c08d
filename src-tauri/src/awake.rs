//! While a build runs the machine does not fall asleep by itself. The person may still send it to sleep.

use crate::words::Language;
use std::sync::mpsc;

/// Keeps the machine awake while it is told to.
pub(crate) struct Awake {
    wanted: mpsc::Sender<Option<Language>>,
}

impl Awake {
    /// Starts the thread that holds the desktop's lock: asking for one blocks.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (wanted, changes) = mpsc::channel::<Option<Language>>();
        std::thread::Builder::new().name("awake".to_owned()).spawn(move || {
            let mut held = None;
            while let Ok(mut wanted) = changes.recv() {
                // Only the newest wish counts.
                while let Ok(newer) = changes.try_recv() {
                    wanted = newer;
                }
                match wanted {
                    Some(language) if held.is_none() => held = hold(language),
                    None => held = None,
                    Some(_) => {}
                }
            }
        })?;
        Ok(Self { wanted })
    }

    /// Keeps the machine awake, or lets it sleep again.
    pub(crate) fn set(&self, awake: bool, language: Language) {
        // The thread ends only with this.
        let _ = self.wanted.send(awake.then_some(language));
    }
}

fn hold(language: Language) -> Option<keepawake::KeepAwake> {
    let mut lock = keepawake::Builder::default();
    lock.idle(true).reason(language.awake()).app_name("Slipway").app_reverse_domain("dev.slipway.console");
    lock.create().inspect_err(|error| tracing::info!(%error, "the machine may fall asleep while a build runs")).ok()
}
