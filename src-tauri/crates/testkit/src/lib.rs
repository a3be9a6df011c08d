//! Scripted fakes, real fixtures, fault proxies, the crash driver
