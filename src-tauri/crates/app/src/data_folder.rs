//! Where the data folder is, when nobody says it on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

/// Returns the data folder: `chosen`, else `SLIPWAY_DATA_DIR`, else the platform's data folder + `slipway`.
/// `variable` reads the environment. `None` when the platform's folder cannot be found.
#[must_use]
pub fn data_folder(chosen: Option<PathBuf>, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let platform = || {
        if cfg!(target_os = "macos") {
            set("HOME").map(|home| home.join("Library/Application Support"))
        } else if cfg!(windows) {
            set("APPDATA")
        } else {
            // The XDG rule: a relative path there is ignored.
            set("XDG_DATA_HOME")
                .filter(|path| path.is_absolute())
                .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        }
    };
    chosen.or_else(|| set("SLIPWAY_DATA_DIR")).or_else(|| platform().map(|folder| folder.join("slipway")))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    type Row<'row> = (Option<&'row str>, &'row [(&'row str, &'row str)], Option<&'row str>);

    #[test]
    fn the_command_line_wins_then_the_variable_then_the_platform() {
        let home = ("HOME", "/home/ann");
        let table: &[Row<'_>] = &[
            (Some("/d"), &[("SLIPWAY_DATA_DIR", "/v"), home], Some("/d")),
            (None, &[("SLIPWAY_DATA_DIR", "/v"), home], Some("/v")),
            (None, &[("SLIPWAY_DATA_DIR", ""), home], Some("/home/ann/.local/share/slipway")),
            (None, &[("XDG_DATA_HOME", "/x"), home], Some("/x/slipway")),
            (None, &[("XDG_DATA_HOME", "x"), home], Some("/home/ann/.local/share/slipway")),
            (None, &[], None),
        ];
        for (chosen, variables, expected) in table {
            let found = data_folder(chosen.map(PathBuf::from), |name| {
                variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).into())
            });
            assert_eq!(found, expected.map(PathBuf::from), "{chosen:?} {variables:?}");
        }
    }
}
