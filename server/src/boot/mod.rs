//! How a process is put together: one [`State`], and the services of its role around it.
//!
//! `dokuei run` is every service in one process; `web`, `gateway` and `worker`
//! run them apart. A service is an async function that returns when
//! `state.stopped()` does. When all have begun, one line on stdout says
//! `ready http=ADDR dicom=ADDR` (each where it is served). SIGINT and SIGTERM
//! stop everything within seconds; a service that fails stops the process.

mod certificates;
mod gateway;
pub mod log;
mod metrics;
mod spool;
mod stop;
mod web;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use dokuei_dicom_gateway::intake::{self, IndexedArchive};
use dokuei_models::Db;
use dokuei_models::objects::Objects;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::passwords::Passwords;
use crate::clock::{SystemChance, WallClock};
use crate::config::Config;
use crate::demo;
use crate::state::{Parts, State};
use crate::wake::Wake;

pub use metrics::handle as metrics_handle;

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// Everything.
    All {
        /// Whether a hospital day is played, and how many of its seconds pass in one.
        demo: Option<f64>,
    },
    /// Pages and API.
    Web,
    /// DICOM in and out.
    Gateway,
    /// Background work.
    Worker,
}

/// Runs a role until it is told to stop.
///
/// # Errors
/// What could not be opened or bound, or the first service that failed.
pub async fn serve(config: Config, role: Role) -> anyhow::Result<()> {
    check_places(&config, role)?;
    // Only where nobody else reads the objects or writes the rows: other processes know nothing of a journal.
    let alone = matches!(role, Role::All { .. }) && !config.database.is_postgres();
    let journal = if alone { config.objects.journal_bytes() } else { 0 };
    // A worker takes nothing in.
    let spools = role != Role::Worker;
    let (state, stop) = open_as(config, journal, spools).await?;
    let mut services = Services::default();
    let outcome = begin(&state, role, &mut services).await;
    if outcome.is_ok() {
        announce(&services);
        tokio::select! {
            () = stop::asked() => tracing::info!("stopping"),
            failed = services.first_to_end() => {
                stop.send_replace(true);
                services.end().await;
                return failed;
            }
        }
    }
    stop.send_replace(true);
    services.end().await;
    outcome
}

async fn begin(state: &State, role: Role, services: &mut Services) -> anyhow::Result<()> {
    certificates::watch_client(state, services);
    match role {
        Role::All { demo } => {
            demo::seed_if_empty(state).await?;
            services.http = Some(web::begin(state, services).await?);
            services.dicom = gateway::begin(state, services).await?;
            worker::begin(state, services);
            if let (Some(speed), Some(dicom)) = (demo, services.dicom) {
                let player = state.clone();
                services.add("the hospital day", async move {
                    demo::play(player.clone(), dicom, speed).await?;
                    player.stopped().await;
                    Ok(())
                });
            }
        }
        Role::Web => services.http = Some(web::begin(state, services).await?),
        Role::Gateway => {
            services.dicom = gateway::begin(state, services).await?;
            services.http = Some(web::begin(state, services).await?);
        }
        Role::Worker => worker::begin(state, services),
    }
    spool::begin(state, services).await
}

/// Separate roles share nothing but PostgreSQL, Redis and the objects; a file of SQLite cannot be shared.
fn check_places(config: &Config, role: Role) -> anyhow::Result<()> {
    if matches!(role, Role::All { .. }) {
        return Ok(());
    }
    let mut missing = Vec::new();
    if !config.database.is_postgres() {
        missing.push("DATABASE_URL=postgres://… (SQLite cannot be shared between processes)");
    }
    if config.redis.url.is_none() {
        missing.push("REDIS_URL=redis://…");
    }
    if !config.objects.is_set {
        missing.push("OBJECTS_URL=s3://… or file:///… (a folder that all roles share)");
    }
    if config.objects.spool.is_some() && config.objects.node_token.is_none() {
        missing.push(
            "DOKUEI_OBJECTS_NODE_TOKEN=… (the same for all, so that they can ask each other for what waits in a spool)",
        );
    }
    anyhow::ensure!(
        missing.is_empty(),
        "a role of its own needs {}; `dokuei run` needs none of them",
        missing.join(", ")
    );
    Ok(())
}

/// Opens everything that is shared. The sender stops the process.
///
/// # Errors
/// What could not be opened.
pub async fn open(config: Config) -> anyhow::Result<(State, watch::Sender<bool>)> {
    open_as(config, 0, false).await
}

/// The same with a journal of so many bytes in front of the objects, what a crash left in it being filed first; and with
/// a spool in front of a bucket, where this process has one.
async fn open_as(config: Config, journal: u64, spools: bool) -> anyhow::Result<(State, watch::Sender<bool>)> {
    let data = &config.paths.data;
    std::fs::create_dir_all(data).with_context(|| format!("{}: cannot be made", data.display()))?;
    let (stop, stopped) = watch::channel(false);
    let database = config.database.url.expose().parse()?;
    let db = tokio::task::spawn_blocking(move || Db::open(&database)).await??;
    let url = config.objects.url.parse()?;
    let (objects, left) = tokio::task::spawn_blocking(move || Objects::open_journaled(&url, journal)).await??;
    let settings = config.objects.spool_settings().filter(|_| spools);
    let token = config.objects.node_token.as_ref().map(|token| token.expose().to_owned());
    let database = db.clone();
    let objects = tokio::task::spawn_blocking(move || objects.through_spool(settings, token, &database)).await??;
    if let Some(spool) = objects.bucket_spool() {
        spool.announce(config.objects.node_url.as_deref().unwrap_or_default()).await?;
    }
    let replayed = intake::replay(&IndexedArchive::new(db.clone(), objects.clone()), left)
        .await
        .context("what was received before cannot be filed")?;
    if replayed > 0 {
        tracing::info!(replayed, "objects were filed that the journal held");
    }
    let dicom_tls = certificates::client(&config)?;
    let wake = match &config.redis.url {
        Some(url) => Wake::over_redis(url.expose(), stopped.clone())?,
        None => Wake::in_process(),
    };
    let state = State::new(Parts {
        passwords: Passwords::new(&config.security)?,
        db,
        objects,
        wake,
        dicom_tls,
        clock: Arc::new(WallClock),
        chance: Arc::new(SystemChance),
        metrics: metrics::handle()?,
        stop: stopped,
        config,
    });
    Ok((state, stop))
}

/// Brings the tables up to date.
///
/// # Errors
/// The database cannot be opened.
pub async fn migrate(config: Config) -> anyhow::Result<()> {
    open(config).await?;
    println!("the tables are up to date");
    Ok(())
}

/// The services of a process, and where it serves.
#[derive(Default)]
pub struct Services {
    running: JoinSet<anyhow::Result<()>>,
    http: Option<std::net::SocketAddr>,
    http_redirect: Option<std::net::SocketAddr>,
    dicom: Option<std::net::SocketAddr>,
    dicom_tls: Option<std::net::SocketAddr>,
}

impl Services {
    /// Adds a service. `name` stands in the error when it fails.
    pub fn add(&mut self, name: &'static str, service: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.running.spawn(async move { service.await.with_context(|| format!("{name} failed")) });
    }

    /// Waits until one ends though nobody asked it to.
    async fn first_to_end(&mut self) -> anyhow::Result<()> {
        match self.running.join_next().await {
            Some(Ok(Ok(()))) => anyhow::bail!("a service ended by itself"),
            Some(Ok(failed)) => failed,
            Some(Err(error)) => Err(error).context("a service panicked"),
            None => std::future::pending().await,
        }
    }

    /// Waits for all to end, five seconds at the most.
    async fn end(&mut self) {
        let all = async {
            while let Some(ended) = self.running.join_next().await {
                if let Ok(Err(error)) = ended {
                    tracing::warn!("{error:#}");
                }
            }
        };
        if tokio::time::timeout(Duration::from_secs(5), all).await.is_err() {
            tracing::warn!("not every service ended in time");
            self.running.abort_all();
        }
    }
}

/// The one line on stdout.
fn announce(services: &Services) {
    let mut line = "ready".to_owned();
    if let Some(address) = services.http {
        line.push_str(&format!(" http={address}"));
    }
    if let Some(address) = services.http_redirect {
        line.push_str(&format!(" http-redirect={address}"));
    }
    if let Some(address) = services.dicom {
        line.push_str(&format!(" dicom={address}"));
    }
    if let Some(address) = services.dicom_tls {
        line.push_str(&format!(" dicom-tls={address}"));
    }
    println!("{line}");
}
