//! Mirrors, refs, trees, diffs and build contexts straight from git objects
