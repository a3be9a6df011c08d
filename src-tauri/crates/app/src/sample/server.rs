//! The sample's server as a program: compiled by the build script where it can be, else taken from where it was told.

include!(concat!(env!("OUT_DIR"), "/sample_servers.rs"));

/// Returns the program for an architecture of the engine (`amd64`, `arm64`); `None` when this build has none.
pub(super) fn for_architecture(architecture: &str) -> Option<&'static [u8]> {
    SERVERS.iter().find(|(name, _)| *name == architecture).map(|(_, bytes)| *bytes)
}

/// Returns this machine's architecture in the engine's words.
pub(super) const fn own_architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Child, Command, Stdio};

    struct Server {
        child: Child,
        port: u16,
        folder: tempfile::TempDir,
    }

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("serve");
        std::fs::write(&program, for_architecture(own_architecture()).unwrap()).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let www = folder.path().join("www");
        std::fs::create_dir_all(www.join("more")).unwrap();
        std::fs::write(folder.path().join("secret"), "secret").unwrap();
        std::fs::write(www.join("index.html"), "hello\n").unwrap();
        std::fs::write(www.join("more/index.html"), "more\n").unwrap();
        std::fs::write(www.join("你好 a.css"), "body {}\n").unwrap();
        std::fs::write(www.join(".hidden"), "hidden").unwrap();
        std::os::unix::fs::symlink("/etc", www.join("etc")).unwrap();
        std::os::unix::fs::symlink("../secret", www.join("link")).unwrap();
        let mut child = Command::new(&program).arg(&www).arg("0").env_clear().stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
        Server { child, port, folder }
    }

    fn say(server: &Server, request: &[u8]) -> String {
        let mut connection = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        connection.write_all(request).unwrap();
        let mut answer = Vec::new();
        // A server that hangs up early may reset the connection.
        let _ = connection.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(server: &Server, target: &str) -> String {
        say(server, format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
    }

    #[test]
    fn it_serves_the_folder_and_nothing_else() {
        let server = start();
        let page = get(&server, "/");
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("\r\n\r\nhello\n"), "{page}");
        assert!(page.contains("Content-Type: text/html; charset=utf-8\r\n") && page.contains("Content-Length: 6\r\n"));
        for (target, end) in [
            ("/index.html?x=1", "hello\n"),
            ("//index.html", "hello\n"),
            ("/more/", "more\n"),
            ("/more", "more\n"),
            ("/%e4%bd%a0%e5%a5%bd%20a.css", "body {}\n"),
        ] {
            assert!(get(&server, target).ends_with(end), "{target}");
        }
        for target in [
            "/../secret",
            "/more/../../secret",
            "/%2e%2e/secret",
            "/..%2fsecret",
            "/%2e%2e%2fsecret",
            "/..\\secret",
            "/etc/passwd",
            "/etc/",
            "/link",
            "/.hidden",
            "/nothing",
            "/index.html%00.css",
            "/%zz",
            "/%e4",
            "/%ff",
            "index.html",
            "http://x/index.html",
            "*",
        ] {
            let answer = get(&server, target);
            assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{target}: {answer}");
        }
        assert!(server.folder.path().exists());
    }

    #[test]
    fn it_answers_bad_requests_and_goes_on() {
        let server = start();
        let head = say(&server, b"HEAD / HTTP/1.1\r\n\r\n");
        assert!(head.contains("Content-Length: 6\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(say(&server, b"POST / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
        assert!(say(&server, b"\r\n\r\n").starts_with("HTTP/1.1 405 "));
        assert!(say(&server, b"GET \n\n").starts_with("HTTP/1.1 404 "));
        let endless = [b"GET / HTTP/1.1\r\n".as_slice(), &b"x: y\r\n".repeat(4096)].concat();
        let answer = say(&server, &endless);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
        // Some that say nothing do not keep others out.
        let silent: Vec<_> = (0..8).map(|_| TcpStream::connect(("127.0.0.1", server.port)).unwrap()).collect();
        assert!(get(&server, "/").ends_with("hello\n"));
        drop(silent);
        assert!(get(&server, "/").ends_with("hello\n"), "it is still there");
    }

    #[test]
    fn it_is_small_and_there_for_this_machine_only() {
        assert!(for_architecture("riscv64").is_none());
        let size = for_architecture(own_architecture()).unwrap().len();
        assert!(size < 1_500_000, "{size} bytes");
    }
}
