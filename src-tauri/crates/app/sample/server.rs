//! Serves the files of one folder over HTTP: `serve <folder> <port>`. Made for the sample image, which holds nothing else.
//!
//! GET and HEAD only; one thread for each of at most 64 connections at a time, one request for each connection. What is not
//! a plain path below the folder is "not found", and links are not followed.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The first line of a request and all its headers are not longer than this.
const REQUEST_BYTES: u64 = 16 * 1024;
/// A peer that is silent for longer is hung up on.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECTIONS: usize = 64;

static OPEN: AtomicUsize = AtomicUsize::new(0);

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments.next().map(PathBuf::from);
    let port = arguments.next().and_then(|port| port.to_str()?.parse::<u16>().ok());
    let (Some(folder), Some(port)) = (folder, port) else { fail("usage: serve <folder> <port>") };
    let listener = TcpListener::bind(("0.0.0.0", port)).unwrap_or_else(|_| fail("the port cannot be opened"));
    let port = listener.local_addr().map_or(port, |address| address.port());
    let mut output = std::io::stdout();
    let _ = output.write_all(b"listening on port ");
    let _ = output.write_all(port.to_string().as_bytes());
    let _ = output.write_all(b"\n");
    let _ = output.flush();
    for connection in listener.incoming() {
        let Ok(connection) = connection else {
            // Out of file descriptors: give the others time to end.
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        if OPEN.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
            OPEN.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let folder = folder.clone();
        let started = std::thread::Builder::new().spawn(move || {
            let _ = answer(connection, &folder);
            OPEN.fetch_sub(1, Ordering::Relaxed);
        });
        if started.is_err() {
            OPEN.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn fail(why: &str) -> ! {
    let _ = std::io::stderr().write_all(why.as_bytes());
    let _ = std::io::stderr().write_all(b"\n");
    std::process::exit(2)
}

fn answer(mut connection: TcpStream, folder: &Path) -> std::io::Result<()> {
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(connection.try_clone()?.take(REQUEST_BYTES));
    let mut first = Vec::new();
    reader.read_until(b'\n', &mut first)?;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if read == 0 {
            return status(&mut connection, "400 Bad Request");
        }
        if line == b"\r\n" || line == b"\n" {
            break;
        }
    }
    let mut words = first.split(|byte| *byte == b' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if method != b"GET" && method != b"HEAD" {
        return status(&mut connection, "405 Method Not Allowed");
    }
    let Some((mut file, kind, size)) = path_of(target).and_then(|path| open(folder, &path)) else {
        return status(&mut connection, "404 Not Found");
    };
    let mut head = Vec::from(&b"HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: no-cache\r\nContent-Type: "[..]);
    head.extend_from_slice(kind.as_bytes());
    head.extend_from_slice(b"\r\nX-Content-Type-Options: nosniff\r\nContent-Length: ");
    head.extend_from_slice(size.to_string().as_bytes());
    head.extend_from_slice(b"\r\n\r\n");
    connection.write_all(&head)?;
    if method == b"GET" {
        std::io::copy(&mut (&mut file).take(size), &mut connection)?;
    }
    connection.flush()
}

fn status(connection: &mut TcpStream, status: &str) -> std::io::Result<()> {
    connection.write_all(b"HTTP/1.1 ")?;
    connection.write_all(status.as_bytes())?;
    connection.write_all(b"\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ")?;
    connection.write_all((status.len() + 1).to_string().as_bytes())?;
    connection.write_all(b"\r\n\r\n")?;
    connection.write_all(status.as_bytes())?;
    connection.write_all(b"\n")
}

/// The path below the folder that a request asks for; `None` for everything that is not plainly below it.
fn path_of(target: &[u8]) -> Option<PathBuf> {
    let end = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
    let decoded = decode(target[..end].strip_prefix(b"/")?)?;
    let text = String::from_utf8(decoded).ok()?;
    let mut path = PathBuf::new();
    for part in text.split('/') {
        match part {
            "" => {}
            part if part.starts_with('.') || part.contains(['\\', '\0']) => return None,
            part => path.push(part),
        }
    }
    Some(path)
}

fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| (*byte as char).to_digit(16);
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        out.push(match byte {
            b'%' => u8::try_from(digit(rest.next()?)? * 16 + digit(rest.next()?)?).ok()?,
            byte => *byte,
        });
    }
    Some(out)
}

/// Opens a regular file below the folder; a folder is its `index.html`. No part of the way may be a link.
fn open(folder: &Path, path: &Path) -> Option<(File, &'static str, u64)> {
    let mut full = folder.to_owned();
    for part in path {
        full.push(part);
        if full.symlink_metadata().ok()?.is_symlink() {
            return None;
        }
    }
    if full.is_dir() {
        full.push("index.html");
        if full.symlink_metadata().ok()?.is_symlink() {
            return None;
        }
    }
    let file = File::open(&full).ok()?;
    let metadata = file.metadata().ok()?;
    let kind = match full.extension().and_then(|extension| extension.to_str()).unwrap_or("") {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    metadata.is_file().then_some((file, kind, metadata.len()))
}
