//! One window per data folder. Whoever holds the folder's lock leaves a door beside it: a loopback port with a token, in a
//! file that only the same user can read. A second start knocks, which brings the first one's window to the front.
//! A desktop bus would do the same, but not every session has one, and it knows nothing of data folders.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const FILE: &str = "window";
const TOKEN_BYTES: usize = 32;
const ANSWER: &[u8] = b"shown";
/// How long one side waits for the other.
const PATIENCE: Duration = Duration::from_secs(2);
/// A first start that still opens its database has no door yet.
const OPENS_WITHIN: Duration = Duration::from_secs(10);

/// An open door.
pub(crate) struct Door {
    file: PathBuf,
}

impl Door {
    /// Takes the door away: nobody is behind it any more.
    pub(crate) fn close(&self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Opens the door of a data folder, whose lock is held; `knocked` is called on a thread of its own for each knock.
pub(crate) fn open(folder: &Path, knocked: impl Fn() + Send + 'static) -> std::io::Result<Door> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut random = [0; TOKEN_BYTES / 2];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let file = folder.join(FILE);
    write_private(&file, &format!("{} {token}", listener.local_addr()?.port()))?;
    std::thread::Builder::new().name("door".to_owned()).spawn(move || {
        for visitor in listener.incoming().flatten() {
            if let Err(error) = answer(visitor, &token, &knocked) {
                tracing::debug!(%error, "somebody knocked and went away");
            }
        }
    })?;
    Ok(Door { file })
}

fn answer(mut visitor: TcpStream, token: &str, knocked: &impl Fn()) -> std::io::Result<()> {
    visitor.set_read_timeout(Some(PATIENCE))?;
    visitor.set_write_timeout(Some(PATIENCE))?;
    let mut given = [0; TOKEN_BYTES];
    visitor.read_exact(&mut given)?;
    if given == *token.as_bytes() {
        knocked();
        visitor.write_all(ANSWER)?;
    }
    Ok(())
}

/// Knocks at the door of a data folder that somebody else has open. False when there is no window behind it.
pub(crate) fn knock(folder: &Path) -> bool {
    let until = Instant::now() + OPENS_WITHIN;
    loop {
        if let Ok(true) = knock_once(folder) {
            return true;
        }
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn knock_once(folder: &Path) -> std::io::Result<bool> {
    let text = std::fs::read_to_string(folder.join(FILE))?;
    let Some((port, token)) = text.split_once(' ') else { return Ok(false) };
    let Ok(port) = port.parse() else { return Ok(false) };
    let mut first = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE)?;
    first.set_read_timeout(Some(PATIENCE))?;
    first.set_write_timeout(Some(PATIENCE))?;
    first.write_all(token.as_bytes())?;
    let mut said = Vec::new();
    first.take(ANSWER.len() as u64).read_to_end(&mut said)?;
    Ok(said == ANSWER)
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    // A file that a killed run left keeps its mode; a new one gets ours.
    let _ = std::fs::remove_file(file);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_knock_reaches_the_first_and_a_wrong_token_does_not() {
        let folder = tempfile::tempdir().unwrap();
        assert!(knock_once(folder.path()).is_err(), "no door yet");
        let (sender, knocks) = mpsc::channel();
        let door = open(folder.path(), move || sender.send(()).unwrap()).unwrap();
        assert!(knock(folder.path()));
        knocks.recv_timeout(PATIENCE).unwrap();

        let file = folder.path().join(FILE);
        let text = std::fs::read_to_string(&file).unwrap();
        let port = text.split_once(' ').unwrap().0;
        std::fs::write(&file, format!("{port} {}", "0".repeat(TOKEN_BYTES))).unwrap();
        assert!(!knock_once(folder.path()).unwrap());
        assert!(knocks.try_recv().is_err());

        door.close();
        assert!(!file.exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_read_the_token() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "left by a killed run").unwrap();
        let _door = open(folder.path(), || {}).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&folder.path().join(FILE).metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}
