use std::io::Read as _;

use slipway_testkit::{Canary, CanaryScan, TempDataDir};

#[test]
fn finds_every_form_in_files_below_a_folder_and_nothing_else() {
    let canary = Canary::new("token");
    let scan = CanaryScan::new(&canary);
    let data = TempDataDir::new();
    std::fs::create_dir(data.path().join("logs")).unwrap();
    std::fs::write(data.path().join("logs/1.log"), "nothing here: token-").unwrap();
    assert_eq!(scan.folder(data.path()), vec![]);

    std::fs::write(data.path().join("logs/1.log"), format!("Authorization: {}", canary.text())).unwrap();
    let forms: Vec<_> = scan.folder(data.path()).into_iter().map(|sighting| sighting.form).collect();
    assert_eq!(forms, vec!["raw"]);
}

#[test]
fn finds_a_basic_login_that_is_base64_with_its_user() {
    use base64::Engine as _;
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
    let canary = Canary::new("argument");
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
    assert_eq!(seen[0].place, format!("process {}", leaking.id()));
}
