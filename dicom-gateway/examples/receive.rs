//! The receiver alone on the real archive, for measuring: any calling AE title is
//! taken as the one site of an empty archive made in FOLDER.
//!
//! usage: receive FOLDER PORT [DATABASE]     SQLite in FOLDER if no path or postgres://... is given
//! The site and endpoint rows with id 1 must be there: ops/bench/ingest makes them.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::intake::{IndexedArchive, replay};
use dokuei_dicom_gateway::scp::{
    AssociationSummary, Caller, Desk, Limits, Peer, Refusal, ScpConfig, SiteLimits, serve,
};
use dokuei_models::db::DatabaseUrl;
use dokuei_models::objects::{Objects, ObjectsUrl};
use dokuei_models::{Db, EndpointId, SiteId};

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of the journal, as the server has it.
const JOURNAL: u64 = 1 << 30;

struct OpenDesk;

#[async_trait]
impl Desk for OpenDesk {
    async fn admit(&self, _: &AeTitle, _: &AeTitle, _: &Caller) -> Result<Peer, Refusal> {
        Ok(Peer {
            site: SiteId(1),
            endpoint: EndpointId(1),
            private_classes: true,
            stores: true,
            queries: false,
            limits: SiteLimits::NONE,
        })
    }

    async fn ended(&self, summary: AssociationSummary) {
        let took = (summary.ended_at - summary.started_at).num_milliseconds();
        println!(
            "{} new, {} repeated, {} failed in {took} ms",
            summary.tally.new, summary.tally.repeated, summary.tally.failed
        );
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(port)) = (arguments.next().map(PathBuf::from), arguments.next()) else {
        return Err("usage: receive FOLDER PORT [DATABASE]".into());
    };
    let database = match arguments.next() {
        Some(address) if address.contains("://") => address.parse()?,
        Some(path) => DatabaseUrl::Sqlite(path.into()),
        None => DatabaseUrl::Sqlite(folder.join("dokuei.sqlite")),
    };
    let journal = if matches!(database, DatabaseUrl::Sqlite(_)) { JOURNAL } else { 0 };
    let db = Db::open(&database)?;
    let (objects, left) = Objects::open_journaled(&ObjectsUrl::Folder(folder.join("objects")), journal)?;
    replay(&IndexedArchive::new(db.clone(), objects.clone()), left).await?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port.parse::<u16>()?)).await?;
    let (_stop, shutdown) = tokio::sync::watch::channel(false);
    let config = ScpConfig { ae_title: AeTitle::parse("DOKUEI")?, limits: Limits::default() };
    println!("ready");
    serve(listener, config, Arc::new(OpenDesk), Arc::new(IndexedArchive::new(db, objects)), shutdown).await;
    Ok(())
}
