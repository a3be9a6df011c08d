//! T27: the diagnostics say what helps, and no secret is in them.

use crate::keychain::enter_all;
use crate::world::World;
use slipway_core::Failure;
use slipway_testkit::fakes::FakeBuild;
use slipway_testkit::{Canary, CanaryScan};
use std::io::Write as _;

#[tokio::test]
async fn t27_no_secret_and_no_login_of_an_address_is_in_the_diagnostics() {
    let world = World::new();
    let ready = world.ready().await;
    let names = ["code", "credential", "code-proxy", "registry-proxy", "rule", "header", "signing"];
    let canaries: Vec<Canary> = names.iter().map(|name| Canary::new(name)).collect();
    let of = |name: &str| canaries[names.iter().position(|one| *one == name).unwrap()].text().to_owned();
    enter_all(&ready, of).await;
    // In the program's own log, as a careless library may write it.
    let unknown = Canary::aside("never-stored");
    let mut log = slipway_app::program_log::tee();
    for canary in &canaries {
        writeln!(log, "WARN it sent {} and failed", canary.text()).unwrap();
        writeln!(log, "WARN as base64 {}", base64(canary.text())).unwrap();
    }
    writeln!(log, "WARN clone https://ann:{}@code.test/a.git?token={} failed", unknown.text(), unknown.text()).unwrap();
    writeln!(log, "WARN Authorization: Bearer {}", unknown.text()).unwrap();
    // In a build's failure, which is counted and not told.
    let words = Failure::new(slipway_core::ErrorCode::StepFailed, format!("exit 1: {}", unknown.text()));
    world.engine.next_build(FakeBuild { failure: Some(words), ..FakeBuild::default() });
    world.remote().push("main", "second", &[("index.html", "two")]);
    ready.look().await;
    ready.idle().await;

    let parts = ready.app.diagnostics().await;
    let text = |name: &str| parts.iter().find(|part| part.name == name).unwrap().text.clone();
    for canary in canaries.iter().chain([&unknown]) {
        let scan = CanaryScan::new(canary);
        assert!(!scan.bytes("planted", canary.text().as_bytes()).is_empty(), "the scan sees it when it is there");
        for part in &parts {
            assert_eq!(scan.bytes(part.name, part.text.as_bytes()), [], "{}", part.text);
        }
    }
    assert!(text("log.txt").contains("and failed") && text("log.txt").contains("https://***@code.test"));
    assert!(text("slipway.txt").contains(env!("CARGO_PKG_VERSION")));
    assert!(text("settings.json").contains("http://proxy.test:3128"));
    assert!(text("counts.txt").contains("builds: 1"), "{}", text("counts.txt"));
    assert!(text("health.txt").contains("step_failed"), "{}", text("health.txt"));
    assert!(text("engine.txt").contains("Version"));
    ready.app.shutdown().await;
}

#[tokio::test]
async fn t27_the_home_folder_is_not_named_and_a_silent_engine_is_a_fact() {
    let world = World::new();
    let app = world.open().await;
    world.engine.set_absent(true);
    let parts = app.diagnostics().await;
    let home = std::env::home_dir().unwrap();
    let home = home.to_str().unwrap();
    assert!(parts.iter().all(|part| !part.text.contains(&format!("{home}/"))), "{parts:?}");
    assert!(parts[1].text.starts_with("engine_absent"), "{parts:?}");
    app.shutdown().await;
}

fn base64(text: &str) -> String {
    use std::fmt::Write as _;
    // A form that the test writes by itself, so that a fault of the encoder in use would show.
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut all = String::new();
    for piece in text.as_bytes().chunks(3) {
        let bits = piece.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - piece.len()));
        for place in 0..=piece.len() {
            let sign = SIGNS[(bits >> (18 - 6 * place)) as usize & 63];
            write!(all, "{}", char::from(sign)).unwrap();
        }
    }
    all
}
