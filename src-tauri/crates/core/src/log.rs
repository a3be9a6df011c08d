//! The flat stream of a build: idempotent step updates and log bytes, keyed by step. A view is a fold over it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The engine's key of a step (a vertex digest), or one of Slipway's own (`slipway:checkout`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct StepKey(pub String);

/// Which output of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What a step is now. Sent whole each time: the last one wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct StepUpdate {
    /// Its key.
    pub key: StepKey,
    /// Its name, masked (build arguments leak into step names).
    pub name: String,
    /// The Dockerfile stage, when it has a name (`[build 2/5]`).
    pub stage: Option<String>,
    /// Position in its stage: `(2, 5)`; `None` for internal steps.
    pub position: Option<(u32, u32)>,
    /// The engine's own doing (loading the context, exporting): shown folded.
    pub internal: bool,
    /// Start, by the engine's clock.
    pub started: Option<DateTime<Utc>>,
    /// End, by the engine's clock.
    pub completed: Option<DateTime<Utc>>,
    /// It came from the cache.
    pub cached: bool,
    /// What it failed with.
    pub error: Option<String>,
    /// First and last line of the Dockerfile that it belongs to, 1-based.
    pub lines: Option<(u32, u32)>,
}

/// One event of a running build.
#[derive(Debug, Clone, PartialEq)]
pub enum BuildEvent {
    /// A step began, changed or ended.
    Step(StepUpdate),
    /// Output of a step, cut at arbitrary bytes.
    Log {
        /// The step.
        key: StepKey,
        /// Which output.
        stream: LogStream,
        /// The bytes, not masked yet.
        bytes: bytes::Bytes,
        /// When, by the engine's clock.
        at: Option<DateTime<Utc>>,
    },
    /// Transfer inside a step (layers of a base image, context).
    Progress {
        /// The step.
        key: StepKey,
        /// What is transferred.
        item: String,
        /// Bytes so far.
        current: u64,
        /// Bytes in all; 0 when unknown.
        total: u64,
    },
    /// The engine clipped a step's log; the rest is lost.
    Clipped {
        /// The step.
        key: StepKey,
        /// The engine's own words.
        marker: String,
    },
    /// A warning of the Dockerfile frontend.
    Warning {
        /// The step, when it names one.
        key: Option<StepKey>,
        /// What it says.
        message: String,
        /// Dockerfile line, 1-based.
        line: Option<u32>,
    },
}

/// Progress of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushProgress {
    /// Short id of the layer.
    pub layer: String,
    /// What happens to it.
    pub state: LayerState,
    /// Bytes so far; may exceed `total`.
    pub current: u64,
    /// Bytes in all; 0 when unknown.
    pub total: u64,
}

/// What happens to a layer during a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LayerState {
    /// Waits its turn.
    Waiting,
    /// On its way.
    Pushing,
    /// There.
    Pushed,
    /// Was there already.
    Exists,
    /// Taken over from another repository of the registry.
    Mounted,
}
