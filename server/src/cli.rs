//! The command line: what to do, and where the few things are that differ each time.
//!
//! Everything else is settings (`config`). Exit codes: 0 done, 1 failed while
//! working, 2 wrong command line or wrong settings.

mod account;
mod plan;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};

use crate::boot::{self, Role};
use crate::config::{Config, Flags};

/// Dokuei (読影): from a hospital's image to a signed report.
#[derive(Debug, Parser)]
#[command(name = "dokuei", version, about, arg_required_else_help = true)]
struct Cli {
    /// The file of settings; without it `dokuei.toml` in the working folder, if there is one
    #[arg(long, global = true, value_name = "FILE", env = "DOKUEI_CONFIG_FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything in one process: pages, DICOM and background work over an embedded database
    Run {
        #[command(flatten)]
        places: Places,
        /// Play a hospital day over real C-STORE
        #[arg(long)]
        demo: bool,
        /// How many seconds of the hospital day pass in one
        #[arg(long, value_name = "FACTOR", default_value_t = 6.0, value_parser = speed)]
        demo_speed: f64,
    },
    /// Pages and API only (needs PostgreSQL and Redis)
    Web(Places),
    /// DICOM in and out only (needs PostgreSQL and Redis)
    Gateway(Places),
    /// Background work only (needs PostgreSQL and Redis)
    Worker(Places),
    /// Make the first administrator
    Init {
        #[command(flatten)]
        places: Places,
        /// The administrator's login name
        #[arg(long, default_value = "admin")]
        login: String,
        /// The administrator's name
        #[arg(long, default_value = "管理者")]
        name: String,
    },
    /// Bring the tables up to date and say so
    Migrate(Places),
    /// Plan a bare assignment instance, as solvers are compared by
    Plan(plan::PlanArgs),
    /// Train a model
    #[command(subcommand)]
    Train(train::TrainCommand),
    /// Users: list, add, new password, let in or lock out, API token
    #[command(subcommand)]
    User(account::UserCommand),
}

/// Where things are; each wins over file and environment.
#[derive(Debug, Clone, Default, Args)]
struct Places {
    /// The folder that holds everything
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Where to listen for HTTP
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
    /// Where to listen for DICOM
    #[arg(long, value_name = "ADDR")]
    dicom: Option<String>,
}

/// A factor that the player can keep up with.
fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if (0.1..=600.0).contains(&factor) => Ok(factor),
        _ => Err("a number from 0.1 to 600".to_owned()),
    }
}

impl From<&Places> for Flags {
    fn from(places: &Places) -> Self {
        Self { data: places.data.clone(), http: places.http.clone(), dicom: places.dicom.clone() }
    }
}

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    let begun = Instant::now();
    let cli = Cli::parse();
    let nowhere = Places::default();
    let places = match &cli.command {
        Command::Run { places, .. } | Command::Init { places, .. } => places,
        Command::Web(places) | Command::Gateway(places) | Command::Worker(places) | Command::Migrate(places) => places,
        Command::User(command) => command.places(),
        Command::Plan(_) | Command::Train(_) => &nowhere,
    };
    let config = match Config::load(cli.config.as_deref(), Flags::from(places)) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("dokuei: the settings are not right:");
            for fault in faults {
                eprintln!("  {fault}");
            }
            eprintln!("Every setting is described in ops/dokuei.example.toml.");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = boot::log::start(&config.log) {
        eprintln!("dokuei: log.filter: {error}");
        return ExitCode::from(2);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("dokuei: no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Run { demo, demo_speed, .. } => {
                boot::serve(config, Role::All { demo: demo.then_some(demo_speed) }).await
            }
            Command::Web(_) => boot::serve(config, Role::Web).await,
            Command::Gateway(_) => boot::serve(config, Role::Gateway).await,
            Command::Worker(_) => boot::serve(config, Role::Worker).await,
            Command::Init { login, name, .. } => account::init(config, &login, &name).await,
            Command::Migrate(_) => boot::migrate(config).await,
            Command::User(command) => account::user(config, command).await,
            Command::Plan(args) => tokio::task::block_in_place(|| plan::run(args, begun)),
            Command::Train(command) => tokio::task::block_in_place(|| train::run(command)),
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(3));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dokuei: {error:#}");
            ExitCode::FAILURE
        }
    }
}
