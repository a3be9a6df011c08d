use base64::Engine as _;
use std::io::Read as _;

use slipway_testkit::{CANARY_MARK, Canary, CanaryScan};

#[test]
fn finds_every_form_in_files_below_a_folder_and_nothing_else() {
    let canary = Canary::new("token");
    let scan = CanaryScan::new(&canary);
    // Not a data folder of the tests: the canary in it is no leak.
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("logs")).unwrap();
    std::fs::write(data.path().join("logs/1.log"), "nothing here: token-").unwrap();
    assert_eq!(scan.folder(data.path()), vec![]);

    std::fs::write(data.path().join("logs/1.log"), format!("Authorization: {}", canary.text())).unwrap();
    let far: Vec<u8> = [vec![b'.'; (8 << 20) - 10], canary.text().as_bytes().to_vec(), vec![b'.'; 9 << 20]].concat();
    std::fs::write(data.path().join("across-two-pieces"), far).unwrap();
    assert_eq!(scan.look(data.path()).len(), 2, "the log, and the large file");
    std::fs::remove_file(data.path().join("across-two-pieces")).unwrap();
    let forms: Vec<_> = scan.folder(data.path()).into_iter().map(|sighting| sighting.form).collect();
    assert_eq!(forms, vec!["raw"]);
}

#[test]
fn finds_a_basic_login_that_is_base64_with_its_user() {
    let canary = Canary::new("password");
    let scan = CanaryScan::new(&canary);
    for user in ["a", "bo", "ann"] {
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{}\n", canary.text()));
        let seen = scan.bytes("header", encoded.as_bytes());
        assert!(seen.iter().any(|sighting| sighting.form == "base64"), "user {user}: {seen:?}");
    }
}

#[test]
fn sees_command_lines_of_other_processes() {
    // Without the mark of all tests, which would be a leak while all of them run.
    let canary = Canary::of(&Canary::new("argument").text().replace(CANARY_MARK, ""));
    let scan = CanaryScan::new(&canary);
    assert_eq!(scan.command_lines(), vec![]);

    let mut leaking = std::process::Command::new("sh")
        .args(["-c", "echo ready; read line", canary.text()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    leaking.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
    let seen = scan.command_lines();
    leaking.kill().unwrap();
    leaking.wait().unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].place, format!("process {} sh", leaking.id()));
}

#[test]
fn one_search_finds_every_canary_in_every_encoding() {
    let scan = CanaryScan::new(&Canary::any());
    for text in [Canary::new("token").text(), Canary::word("password").text()] {
        let login = |user: &str| base64::engine::general_purpose::STANDARD.encode(format!("{user}:{text}"));
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (form, bytes) in [
            ("raw", text.as_bytes().to_vec()),
            ("json", serde_json::to_vec(text).unwrap()),
            ("url", url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().into_bytes()),
            ("hex", hex::encode(text).into_bytes()),
            ("base64", login("a").into_bytes()),
            ("base64", login("bo").into_bytes()),
            ("base64", login("ann").into_bytes()),
            ("utf-16", wide),
        ] {
            let seen = scan.bytes("place", &bytes);
            assert!(seen.iter().any(|one| one.form == form), "{form}: {seen:?}");
        }
    }
}
