//! What the driver knows by itself, apart from what the program says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// The page of each commit.
    pub(crate) texts: HashMap<String, String>,
    /// Commits whose image ends at once.
    pub(crate) bad: BTreeSet<String>,
    /// The newest commit of each ref that was pushed.
    pub(crate) heads: BTreeMap<String, String>,
    /// Builds whose creation was answered; they may not be lost.
    pub(crate) answered: BTreeSet<i64>,
    /// Builds whose record was to be deleted.
    pub(crate) deleted: BTreeSet<i64>,
    /// Lines of logs that were shown.
    pub(crate) shown: BTreeMap<i64, Vec<String>>,
    /// What each build says that it published: repository, tag, digest. Kept when its record is deleted.
    pub(crate) published: BTreeMap<(i64, String), (String, String)>,
    /// Publications (build, repository, tag) that were killed on their way and overtaken by a later push before the next start
    /// came to them: the tag may have moved to them in between.
    pub(crate) overtaken: BTreeSet<(i64, String, String)>,
    /// How often the program was killed.
    pub(crate) kills: usize,
}
