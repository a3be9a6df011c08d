//! The command line: where the data is, and how the window begins.

use anyhow::Context as _;
use std::ffi::OsString;
use std::path::PathBuf;

/// What the command line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The data folder, instead of the one of the environment or the platform.
    pub(crate) data_dir: Option<PathBuf>,
    /// Begin in the tray, where there is one: the desktop starts it so at login.
    pub(crate) hidden: bool,
    /// Begin with a build of the bundled sample, and say on the standard output how it ended.
    pub(crate) sample: bool,
}

impl Arguments {
    /// Reads the command line without the program's name.
    pub(crate) fn read(given: impl IntoIterator<Item = OsString>) -> anyhow::Result<Self> {
        let mut read = Self::default();
        let mut given = given.into_iter();
        while let Some(argument) = given.next() {
            match argument.to_str() {
                Some("--data-dir") => read.data_dir = Some(given.next().context("--data-dir needs a folder")?.into()),
                Some("--hidden") => read.hidden = true,
                Some("--sample") => read.sample = true,
                _ => anyhow::bail!(
                    "unknown argument {}; usage: slipway [--data-dir <folder>] [--hidden] [--sample]",
                    argument.display()
                ),
            }
        }
        Ok(read)
    }

    /// Returns the command line of a start at login on the same data.
    pub(crate) fn at_login(&self) -> Vec<String> {
        let folder = self.data_dir.as_ref().and_then(|folder| std::path::absolute(folder).ok());
        let folder = folder.and_then(|folder| folder.into_os_string().into_string().ok());
        let mut arguments = vec!["--hidden".to_owned()];
        if let Some(folder) = folder {
            arguments.extend(["--data-dir".to_owned(), folder]);
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(given: &[&str]) -> anyhow::Result<Arguments> {
        Arguments::read(given.iter().map(OsString::from))
    }

    #[test]
    fn the_command_line_is_read() {
        assert_eq!(read(&[]).unwrap(), Arguments::default());
        let both = read(&["--hidden", "--data-dir", "/d"]).unwrap();
        assert_eq!(both, Arguments { data_dir: Some("/d".into()), hidden: true, sample: false });
        assert!(read(&["--sample"]).unwrap().sample);
        assert_eq!(both.at_login(), ["--hidden", "--data-dir", "/d"]);
        for wrong in [&["--data-dir"][..], &["--no-such"], &["file"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
