//! A journal in front of a folder of objects: bytes and what is to be done with them, under one sync.
//!
//! Writing a file of its own for every object costs three syncs one after the other (file, folder, index row). The
//! journal is a few preallocated files, the segments; a record is appended to one and synced, together with whatever
//! waits beside it, and is then safe: [`Journal::append`] returns. Whoever appended it writes the index row that its note
//! tells of and says so ([`Record::filed`]); later, when nothing comes in, its bytes are moved into the folder. Until then
//! [`Journal::find`] gives them. A segment whose records are all moved is used again.
//!
//! After a crash [`Journal::open`] gives back every record that is whole. Some of them may have been filed and moved
//! before: whoever files them again must find them there.

mod mover;
mod record;
mod writer;

use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::ObjectError;
use super::folder::Folder;

/// Bytes of a segment.
const SEGMENT: u64 = 32 << 20;

/// A handle; clones are the same journal.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
    appends: mpsc::Sender<Append>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Journal")
    }
}

/// What the writer, the mover and the readers share.
struct Shared {
    place: PathBuf,
    /// Locked: two processes must not write one journal.
    _door: File,
    /// Records whose bytes are not in the folder yet, by key.
    unmoved: Mutex<HashMap<String, Arc<Record>>>,
    /// Records that wait for the mover, and whether it is to stop.
    filed: Mutex<VecDeque<Arc<Record>>>,
    wake: Condvar,
    stop: AtomicBool,
    /// Bytes of records that are not moved yet.
    used: AtomicU64,
    capacity: u64,
    last_append: Mutex<Instant>,
}

struct Segment {
    file: File,
    generation: AtomicU64,
    /// Records that somebody still holds.
    live: AtomicUsize,
}

struct Append {
    key: String,
    note: Vec<u8>,
    body: Bytes,
    answer: oneshot::Sender<Result<Arc<Record>, ObjectError>>,
}

/// A record that is safe. Its segment is not used again while somebody holds it.
pub struct Record {
    segment: Arc<Segment>,
    shared: Arc<Shared>,
    key: String,
    note: Vec<u8>,
    at: u64,
    len: u64,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.shared.used.fetch_sub(record::room(self.len), Ordering::AcqRel);
        self.segment.live.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Record {
    /// Where its bytes are to be.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What whoever appended it wrote beside the bytes.
    pub fn note(&self) -> &[u8] {
        &self.note
    }

    /// A part of its bytes, cut at its end.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`].
    pub fn read(&self, range: std::ops::Range<u64>) -> Result<Bytes, ObjectError> {
        let end = range.end.min(self.len);
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(range.start)).unwrap_or(0)];
        self.segment.file.read_exact_at(&mut bytes, self.at + range.start).map_err(unavailable)?;
        Ok(bytes.into())
    }

    /// Bytes in all.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What its note tells of is durable elsewhere: the bytes may be moved.
    pub fn filed(self: Arc<Self>) {
        let shared = Arc::clone(&self.shared);
        lock(&shared.filed).push_back(self);
        shared.wake.notify_one();
    }
}

impl Journal {
    /// Opens the journal in `place` in front of `folder`, and gives back what a crash left in it. At most about
    /// `capacity` bytes are used; segments are made as they are needed.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`].
    pub(super) fn open(place: &Path, folder: Folder, capacity: u64) -> Result<(Self, Vec<Arc<Record>>), ObjectError> {
        folder.make(place).map_err(unavailable)?;
        let door = open_file(&place.join("lock")).map_err(unavailable)?;
        if door.try_lock().is_err() {
            return Err(ObjectError::Unavailable("another process has the journal open".to_owned()));
        }
        let shared = Arc::new(Shared {
            place: place.to_owned(),
            _door: door,
            unmoved: Mutex::default(),
            filed: Mutex::default(),
            wake: Condvar::new(),
            stop: AtomicBool::new(false),
            used: AtomicU64::new(0),
            capacity: capacity.max(2 * SEGMENT),
            last_append: Mutex::new(Instant::now()),
        });
        let (segments, left) = find_segments(&shared).map_err(unavailable)?;
        let (appends, queue) = mpsc::channel();
        writer::start(Arc::clone(&shared), segments, queue)?;
        mover::start(Arc::clone(&shared), folder)?;
        Ok((Self { shared, appends }, left))
    }

    /// The longest object that is appended here.
    pub const fn longest(&self) -> u64 {
        SEGMENT / 8
    }

    /// Appends bytes and what is to be done with them; they are safe on return. `key` ends in their SHA-256.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`]: no room, or the disk failed. Nothing may be acknowledged then.
    pub async fn append(&self, key: String, note: Vec<u8>, body: Bytes) -> Result<Arc<Record>, ObjectError> {
        let (answer, safe) = oneshot::channel();
        let stopped = || ObjectError::Unavailable("the journal has stopped".to_owned());
        self.appends.send(Append { key, note, body, answer }).map_err(|_| stopped())?;
        safe.await.map_err(|_| stopped())?
    }

    /// A record whose bytes may not be in the folder yet.
    pub fn find(&self, key: &str) -> Option<Arc<Record>> {
        lock(&self.shared.unmoved).get(key).cloned()
    }

    /// Bytes that are not moved yet.
    pub fn used(&self) -> u64 {
        self.shared.used.load(Ordering::Acquire)
    }
}

impl Shared {
    fn record(self: &Arc<Self>, segment: &Arc<Segment>, key: String, note: Vec<u8>, at: u64, len: u64) -> Arc<Record> {
        segment.live.fetch_add(1, Ordering::AcqRel);
        self.used.fetch_add(record::room(len), Ordering::AcqRel);
        let record = Arc::new(Record { segment: Arc::clone(segment), shared: Arc::clone(self), key, note, at, len });
        lock(&self.unmoved).insert(record.key.clone(), Arc::clone(&record));
        record
    }

    /// Its bytes are not to be given from here any more.
    fn forget(&self, record: &Arc<Record>) {
        let mut unmoved = lock(&self.unmoved);
        if unmoved.get(&record.key).is_some_and(|newest| Arc::ptr_eq(newest, record)) {
            unmoved.remove(&record.key);
        }
    }

    /// Makes a segment of its whole length, so that a sync of it has no metadata to write. Durable.
    fn make_segment(&self, number: usize) -> std::io::Result<Arc<Segment>> {
        let path = self.place.join(format!("segment-{number:04}"));
        let file = open_file(&path)?;
        let zeros = vec![0; 1 << 20];
        let mut filled = (0..SEGMENT).step_by(zeros.len()).try_for_each(|at| file.write_all_at(&zeros, at));
        filled = filled.and_then(|()| record::begin(&file, 1)).and_then(|()| file.sync_all());
        if let Err(error) = filled.and_then(|()| File::open(&self.place)?.sync_all()) {
            // Others need the room more.
            std::fs::remove_file(&path)?;
            return Err(error);
        }
        Ok(Arc::new(Segment { file, generation: AtomicU64::new(1), live: AtomicUsize::new(0) }))
    }
}

fn open_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Segments, and the records in them.
type Found = (Vec<Arc<Segment>>, Vec<Arc<Record>>);

/// What is in the journal's folder.
fn find_segments(shared: &Arc<Shared>) -> std::io::Result<Found> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&shared.place)? {
        let path = entry?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("segment-")) {
            paths.push(path);
        }
    }
    paths.sort();
    let (mut segments, mut left) = (Vec::new(), Vec::new());
    for path in paths {
        let file = open_file(&path)?;
        let end = file.metadata()?.len();
        let generation = match record::generation(&file)? {
            Some(generation) if end >= SEGMENT => generation,
            // Making it was interrupted: nothing was ever written into it.
            _ => {
                std::fs::remove_file(&path)?;
                continue;
            }
        };
        let segment = Arc::new(Segment { file, generation: AtomicU64::new(generation), live: AtomicUsize::new(0) });
        let mut at = record::PAGE;
        while let Some(head) = record::read(&segment.file, at, generation, end)? {
            left.push(shared.record(&segment, head.key, head.note, at + record::PAGE, head.body));
            at += record::room(head.body);
        }
        segments.push(segment);
    }
    Ok((segments, left))
}

fn unavailable(error: std::io::Error) -> ObjectError {
    ObjectError::Unavailable(format!("the journal: {error}"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
