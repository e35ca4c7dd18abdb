//! A folder in front of a bucket: an object is safe when it and its row are on this disk, and is copied after.
//!
//! In this order, so that a crash between any two steps loses nothing and leaves nothing behind:
//! the file is complete and synced under its key; the row that says which node has it is committed; the caller is told.
//! Later, in the background: the bytes go to the bucket; they are read back and held against their hash; the row is
//! deleted; the file is deleted. What a crash left is found at start by looking through the folder, and copied again.
//!
//! A node is named by its folder, which one process opens at a time. Until a file is released its bytes are on one disk
//! only: whoever cannot bear that does without a spool.

mod copying;
mod nodes;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use object_store::ObjectStoreExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use tokio::sync::Notify;

use super::aside::is_ours;
use super::folder::Folder;
use super::{KeptObject, ObjectError, Spool};
use crate::db::Db;
use crate::store::sites;
use crate::store::spooled::{self, SpoolNode};

pub(super) use nodes::Nodes;

/// How a spool is set up.
#[derive(Debug, Clone)]
pub struct SpoolSettings {
    /// The folder, on a disk of this machine.
    pub folder: PathBuf,
    /// Bytes that may wait in it.
    pub capacity: u64,
    /// Codes of sites whose objects are answered only when the bucket has them.
    pub without: Vec<String>,
}

/// An object that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    size: u64,
    since: NaiveDateTime,
}

/// The folder; clones share it.
#[derive(Clone)]
pub struct BucketSpool(Arc<Shared>);

struct Shared {
    db: Db,
    folder: Folder,
    files: LocalFileSystem,
    /// One process at a time.
    _door: File,
    node: String,
    url: Mutex<String>,
    capacity: u64,
    without: Vec<String>,
    waiting: Mutex<BTreeMap<String, Waiting>>,
    /// Being copied now.
    underway: Mutex<BTreeSet<String>>,
    /// Bytes of all that waits and of what is being written.
    used: AtomicU64,
    failing: Mutex<Option<(NaiveDateTime, String)>>,
    /// Objects whose bytes are nowhere.
    lost: AtomicU64,
    came: Notify,
}

impl std::fmt::Debug for BucketSpool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BucketSpool").field("node", &self.0.node).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unavailable(error: &dyn std::fmt::Display) -> ObjectError {
    ObjectError::Unavailable(format!("the spool: {error}"))
}

impl BucketSpool {
    /// Opens the folder and finds what a crash left in it: half-written files go, whole ones wait to be copied.
    pub(super) fn open(settings: SpoolSettings, db: Db) -> Result<Self, ObjectError> {
        let root = settings.folder;
        std::fs::create_dir_all(&root).map_err(|error| unavailable(&error))?;
        let folder = Folder::new(root.clone());
        let door = File::options().create(true).truncate(false).write(true).open(root.join("lock"));
        let door = door.map_err(|error| unavailable(&error))?;
        if door.try_lock().is_err() {
            return Err(ObjectError::Unavailable(format!("the spool {}: another process has it open", root.display())));
        }
        let swept = folder.sweep_temporary(None).map_err(|error| unavailable(&error))?;
        let node = name_of(&folder).map_err(|error| unavailable(&error))?;
        let waiting = left_in(&root).map_err(|error| unavailable(&error))?;
        if swept > 0 || !waiting.is_empty() {
            tracing::info!(swept, waiting = waiting.len(), "the spool holds what was received before");
        }
        let used = AtomicU64::new(waiting.values().map(|one| one.size).sum());
        Ok(Self(Arc::new(Shared {
            db,
            files: LocalFileSystem::new_with_prefix(&root)?,
            folder,
            _door: door,
            node,
            url: Mutex::default(),
            capacity: settings.capacity,
            without: settings.without,
            waiting: Mutex::new(waiting),
            underway: Mutex::default(),
            used,
            failing: Mutex::default(),
            lost: AtomicU64::new(0),
            came: Notify::new(),
        })))
    }

    /// The node's name.
    pub fn node(&self) -> &str {
        &self.0.node
    }

    /// Says where other processes ask this one for objects, and writes the node down. Rows of objects that are not in
    /// the folder any more are looked at again.
    ///
    /// # Errors
    /// What the database says.
    pub async fn announce(&self, url: &str) -> Result<(), crate::StoreError> {
        *lock(&self.0.url) = url.to_owned();
        self.describe().await?;
        let node = self.0.node.clone();
        let named = self.0.db.read(move |conn| spooled::spooled_list(conn, &node)).await?;
        let mut waiting = lock(&self.0.waiting);
        let since = Utc::now().naive_utc();
        for key in named {
            waiting.entry(key).or_insert(Waiting { size: 0, since });
        }
        Ok(())
    }

    /// Writes down how much waits and whether the bucket takes it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn describe(&self) -> Result<SpoolNode, crate::StoreError> {
        let at = Utc::now().naive_utc();
        let failing = lock(&self.0.failing).clone();
        let (waiting, oldest_at) = {
            let waiting = lock(&self.0.waiting);
            (waiting.len(), waiting.values().map(|one| one.since).min())
        };
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let described = SpoolNode {
            node: self.0.node.clone(),
            url: lock(&self.0.url).clone(),
            waiting: number(waiting as u64),
            waiting_bytes: number(self.0.used.load(Ordering::Acquire)),
            limit_bytes: number(self.0.capacity),
            oldest_at,
            failing_since: failing.as_ref().map(|(since, _)| *since),
            fault: failing.map(|(_, fault)| fault).unwrap_or_default(),
            lost: number(self.0.lost.load(Ordering::Acquire)),
            seen_at: at,
        };
        let row = described.clone();
        self.0.db.tx(move |conn| spooled::spool_node_seen_in_tx(conn, &row)).await?;
        Ok(described)
    }

    /// Whether objects of this folder (`instances/SITE`) go through the spool.
    pub(super) async fn takes(&self, folder: &str) -> Result<bool, ObjectError> {
        let site = folder.split('/').nth(1).and_then(|site| site.parse::<i64>().ok());
        let Some(site) = site.filter(|_| !self.0.without.is_empty()) else { return Ok(true) };
        let code = self.0.db.read(move |conn| sites::site_get(conn, crate::SiteId(site)).map(|row| row.code)).await;
        let code = code.map_err(|error| unavailable(&error))?;
        Ok(!self.0.without.contains(&code))
    }

    /// Keeps bytes: on return they and their row are safe.
    pub(super) async fn keep(&self, kept: &KeptObject, bytes: Bytes) -> Result<(), ObjectError> {
        let room = self.room(bytes.len() as u64)?;
        let (folder, key) = (self.0.folder.clone(), kept.key.clone());
        placed(move || {
            let mut placing = folder.placing();
            placing.add(&key, &bytes)?;
            placing.finish()
        })
        .await?;
        self.enter(kept, room).await
    }

    /// The same of a file in the temporary folder.
    pub(super) async fn keep_spool(&self, kept: &KeptObject, mut spool: Spool) -> Result<(), ObjectError> {
        let room = self.room(spool.len())?;
        let (folder, key) = (self.0.folder.clone(), kept.key.clone());
        placed(move || {
            let Some(path) = spool.path.take() else { return Ok(()) };
            let mut placing = folder.placing();
            placing.rename(path, &key);
            placing.finish()
        })
        .await?;
        self.enter(kept, room).await
    }

    /// A temporary file in the folder.
    pub(super) fn temporary(&self) -> io::Result<(File, PathBuf)> {
        self.0.folder.temporary()
    }

    /// Notes that the object waits, here and in its row.
    async fn enter(&self, kept: &KeptObject, room: Room) -> Result<(), ObjectError> {
        let since = Utc::now().naive_utc();
        let (key, node, size) = (kept.key.clone(), self.0.node.clone(), kept.size);
        let noted = self.0.db.tx(move |conn| spooled::spooled_keep_in_tx(conn, &key, &node, size, since)).await;
        // The file is there, whatever became of the row: copying it sees to it.
        let known = lock(&self.0.waiting).insert(kept.key.clone(), Waiting { size: room.bytes, since });
        room.taken();
        if let Some(known) = known {
            self.0.used.fetch_sub(known.size, Ordering::AcqRel);
        }
        self.0.came.notify_one();
        noted.map_err(|error| unavailable(&error))
    }

    /// Room for an object.
    fn room(&self, bytes: u64) -> Result<Room, ObjectError> {
        let room = Room { shared: Arc::clone(&self.0), bytes, given_back: true };
        let before = self.0.used.fetch_add(bytes, Ordering::AcqRel);
        if before.saturating_add(bytes) > self.0.capacity { Err(ObjectError::Full) } else { Ok(room) }
    }

    /// Whether the folder can be written and has room.
    pub(super) async fn probe(&self) -> Result<(), ObjectError> {
        if self.0.used.load(Ordering::Acquire) >= self.0.capacity {
            return Err(ObjectError::Full);
        }
        let path = Path::from("spool/readiness");
        self.0.files.put(&path, Bytes::from_static(b"ready").into()).await?;
        Ok(self.0.files.delete(&path).await?)
    }
}

/// Bytes that are counted; given back unless they were [taken](Room::taken).
struct Room {
    shared: Arc<Shared>,
    bytes: u64,
    given_back: bool,
}

impl Room {
    fn taken(mut self) {
        self.given_back = false;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.given_back {
            self.shared.used.fetch_sub(self.bytes, Ordering::AcqRel);
        }
    }
}

/// Runs what blocks on the disk.
async fn placed(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<(), ObjectError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| unavailable(&error))?.map_err(|error| unavailable(&error))
}

/// The folder's name: random, made with the folder and kept in it.
fn name_of(folder: &Folder) -> io::Result<String> {
    let path = folder.root().join("node");
    match std::fs::read_to_string(&path) {
        Ok(name) if name.len() == 16 => return Ok(name),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let name = hex::encode(rand::random::<[u8; 8]>());
    let mut placing = folder.placing();
    placing.add("node", name.as_bytes())?;
    placing.finish()?;
    Ok(name)
}

/// Every object in the folder.
fn left_in(root: &FilePath) -> io::Result<BTreeMap<String, Waiting>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, meta) = (entry.path(), entry.metadata()?);
            if meta.is_dir() {
                folders.push(path);
                continue;
            }
            let key = path.strip_prefix(root).ok().and_then(FilePath::to_str).unwrap_or_default();
            if is_ours(key) {
                let since = DateTime::<Utc>::from(meta.modified()?).naive_utc();
                found.insert(key.to_owned(), Waiting { size: meta.len(), since });
            }
        }
    }
    Ok(found)
}
