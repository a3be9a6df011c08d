//! A value that must not be seen: prints as `[redacted]`, cannot be serialised, is wiped when dropped.

use zeroize::Zeroize;

/// A secret text. Comparing two of them is deliberately not offered; expose it at the one place that sends it.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text itself, for the call that sends or seals it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns true when nothing is inside.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
