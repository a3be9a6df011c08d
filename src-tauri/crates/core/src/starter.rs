//! Starters: Dockerfiles that Slipway offers for code that has none. The texts are the application's, the words the console's.

use serde::{Deserialize, Serialize};

/// Which starter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum StarterId {
    /// The help pages' own sample: nginx and a page.
    HelloNginx,
    /// A web site of plain files.
    StaticSite,
    /// A Node.js service.
    Node,
    /// A web front end that npm builds into plain files.
    NodeStatic,
    /// A Python program.
    Python,
    /// A Go program.
    Go,
    /// A Rust program.
    Rust,
    /// A Java program that Maven builds.
    JavaMaven,
    /// A Java program that Gradle builds.
    JavaGradle,
    /// A PHP site.
    Php,
    /// A .NET program.
    Dotnet,
}
