//! Logins from outside.
