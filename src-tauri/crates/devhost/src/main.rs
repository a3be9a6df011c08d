//! `slipway-devhost --data-dir D --port 0`: opens the product without a window, prints `{"url","token"}` on one line, and
//! serves until it is told to stop (Ctrl-C, SIGTERM, or the end of its standard input when `--until-stdin-closes`).

use anyhow::Context;
use slipway_api::Api;
use slipway_app::{OpenOptions, Slipway};
use slipway_devhost::{Devhost, DevhostOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

struct Arguments {
    data_dir: Option<PathBuf>,
    port: u16,
    console: Option<PathBuf>,
    until_stdin_closes: bool,
}

fn main() -> anyhow::Result<()> {
    // Two TLS users with different defaults would panic at their first handshake.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another TLS provider was installed before"))?;
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("SLIPWAY_LOG").unwrap_or_else(|_| "warn".into()))
        .with_writer(slipway_app::program_log::tee)
        .init();
    let arguments = parse(std::env::args().skip(1))?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let folder = slipway_app::data_folder(arguments.data_dir, |name| std::env::var_os(name))
        .context("no data folder: give --data-dir or set SLIPWAY_DATA_DIR")?;
    let app = Slipway::open(OpenOptions::new(folder))
        .await
        .map_err(|failure| anyhow::anyhow!("{} ({})", failure.message, failure.code.as_str()))?;
    let app = Arc::new(app);
    let devhost =
        Devhost::start(Api::new(Arc::clone(&app)), DevhostOptions { port: arguments.port, console: arguments.console })
            .await?;
    let hello = serde_json::json!({ "url": devhost.url(), "token": devhost.token() });
    writeln!(std::io::stdout(), "{hello}").context("the address could not be printed")?;
    wait_for_end(arguments.until_stdin_closes).await?;
    devhost.stop().await?;
    app.shutdown().await;
    Ok(())
}

/// Waits for Ctrl-C, SIGTERM or, when asked for, the end of the standard input (so that a test's host dies with it).
async fn wait_for_end(until_stdin_closes: bool) -> anyhow::Result<()> {
    let closed = async {
        if until_stdin_closes {
            tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await.map(|_| ())
        } else {
            std::future::pending().await
        }
    };
    #[cfg(unix)]
    let terminated = async {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?.recv().await;
        Ok::<(), std::io::Error>(())
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<std::io::Result<()>>();
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        result = closed => result?,
        result = terminated => result?,
    }
    Ok(())
}

fn parse(arguments: impl Iterator<Item = String>) -> anyhow::Result<Arguments> {
    let mut parsed = Arguments { data_dir: None, port: 0, console: None, until_stdin_closes: false };
    let mut arguments = arguments;
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{name} needs a value"));
        match name.as_str() {
            "--data-dir" => parsed.data_dir = Some(value()?.into()),
            "--port" => parsed.port = value()?.parse().context("--port is a number")?,
            "--console" => parsed.console = Some(value()?.into()),
            "--until-stdin-closes" => parsed.until_stdin_closes = true,
            other => anyhow::bail!(
                "unknown argument {other}; usage: slipway-devhost [--data-dir D] [--port P] [--console ui/dist] [--until-stdin-closes]"
            ),
        }
    }
    Ok(parsed)
}
