//! A command that prints a password at the moment of use (tokens that live an hour).

use super::failed;
use super::helper::read_answer;
use super::process::run;
use slipway_core::image::RegistryLogin;
use slipway_core::{ErrorCode, Failure, Secret};
use std::ffi::OsStr;
use std::time::Duration;

/// Runs a program and takes the first line that it prints, without surrounding blanks, as the password of `username`; when it
/// prints a JSON object with `Username` and `Secret`, those count.
///
/// # Errors
/// [`ErrorCode::CredentialHelperFailed`] when the program is missing, fails, hangs or prints nothing;
/// [`ErrorCode::InvalidField`] when `argv` is empty.
pub async fn login_from_command(username: &str, argv: &[String], deadline: Duration) -> Result<RegistryLogin, Failure> {
    let Some((program, arguments)) = argv.split_first().filter(|(program, _)| !program.is_empty()) else {
        return Err(Failure::new(ErrorCode::InvalidField, "there is no command").at("argv"));
    };
    let finished = run(OsStr::new(program), arguments, None, "", deadline).await?;
    if !finished.success {
        return Err(failed(format!("{program} failed with {}", finished.status)).with("program", program.as_str()));
    }
    let printed = finished.output.trim();
    if let Some(login) = read_answer(printed) {
        return Ok(login);
    }
    match printed.lines().next().map(str::trim) {
        Some(password) if !password.is_empty() && !printed.starts_with('{') => {
            Ok(RegistryLogin::Basic { username: username.to_owned(), password: Secret::new(password) })
        }
        _ => Err(failed(format!("{program} prints no password")).with("program", program.as_str())),
    }
}
