//! The api over loopback HTTP: browser tests, development, and the unattended service later
