//! A program started by a fixture: it never outlives the fixture, nor the test that a crash ended.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// A running program with everything that it started, in a process group of its own. Dropping it kills the group.
#[derive(Debug)]
pub struct OwnedProcess {
    child: Child,
    group: Pid,
}

impl OwnedProcess {
    /// Starts `program`. `prepare` adds arguments, environment and pipes; standard output and error are closed unless it
    /// sets them. Panics with `how_to_get_it` when the program is missing.
    ///
    /// The kernel also kills the program when the starting thread ends (`setpriv --pdeathsig`), which covers a test that
    /// is killed: start it from the test's own task, not from a short-lived thread.
    #[must_use]
    pub fn start(program: &str, how_to_get_it: &str, prepare: impl FnOnce(&mut Command)) -> Self {
        assert!(is_installed(program), "{program} is missing: {how_to_get_it}");
        let mut command = if cfg!(target_os = "linux") {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "--", program]);
            command
        } else {
            Command::new(program)
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        prepare(&mut command);
        let child = command.process_group(0).kill_on_drop(true).spawn().expect("a program that is installed starts");
        let id = child.id().expect("a program that was just started has an id");
        let group = Pid::from_raw(i32::try_from(id).expect("process ids are small")).expect("a process id is not zero");
        Self { child, group }
    }

    /// Returns the running program, to read its pipes or to wait for its end.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Returns the process id, which is also the id of the group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.group.as_raw_nonzero().get().unsigned_abs()
    }

    /// Stops the whole group where it stands, as a host that no longer answers; [`Self::resume`] lets it go on.
    pub fn freeze(&self) {
        kill_process_group(self.group, Signal::STOP).expect("the group exists as long as its owner");
    }

    /// Lets a frozen group go on.
    pub fn resume(&self) {
        kill_process_group(self.group, Signal::CONT).expect("the group exists as long as its owner");
    }

    /// Kills the group and waits until the program is gone.
    pub async fn kill(&mut self) {
        // The group may be gone already: that is what was asked for.
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.wait().await;
    }
}

impl Drop for OwnedProcess {
    fn drop(&mut self) {
        // An id that was waited for may belong to somebody else by now.
        if self.child.id().is_some() {
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }
}

/// Returns true when `program` (a name or a path) can be started here. Debian keeps some servers in `/usr/sbin`.
#[must_use]
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    program.contains('/') && std::path::Path::new(program).exists()
        || std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Returns a TCP port of the loopback interface that nothing listens on, for a program that cannot choose one by itself. It is
/// none of those that systems hand out by themselves (Linux: from 32768 on): such a one may be anybody's before it is listened on.
#[must_use]
pub fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU32, Ordering};
    const PORTS: std::ops::Range<u32> = 20_000..32_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Tests run in processes of their own at the same time: each begins elsewhere.
    let begin = std::process::id().wrapping_mul(37);
    let ports = (0..PORTS.len()).map(|_| {
        let offset = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start);
        u16::try_from(PORTS.start + offset).expect("the range is one of ports")
    });
    let mut free = ports.filter(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().expect("a loopback port is free")
}
