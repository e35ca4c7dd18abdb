//! The one thread that appends: what waits together is written together and synced once.
//!
//! A group is begun only when the one before is synced, and written in order: where a record is torn, none behind it
//! was acknowledged.

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::{Append, SEGMENT, Segment, Shared, lock, record, unavailable};
use crate::objects::ObjectError;

/// Bytes that are synced together, at most.
const GROUP: usize = 16 << 20;
/// How long an append waits for room before it is refused.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing may come before segments are looked at.
const QUIET: Duration = Duration::from_millis(500);

/// How long no segment is made after one could not be.
const AGAIN: Duration = Duration::from_secs(30);

struct Writer {
    shared: Arc<Shared>,
    /// The segment that is written, and where its next record goes.
    current: Option<(Arc<Segment>, u64)>,
    /// Segments that are full, or that a crash left records in.
    sealed: Vec<Arc<Segment>>,
    free: Vec<Arc<Segment>>,
    made: usize,
    /// When a segment could not be made.
    failed: Option<Instant>,
}

pub(super) fn start(
    shared: Arc<Shared>,
    segments: Vec<Arc<Segment>>,
    queue: mpsc::Receiver<Append>,
) -> Result<(), ObjectError> {
    let writer =
        Writer { shared, current: None, made: segments.len(), sealed: segments, free: Vec::new(), failed: None };
    std::thread::Builder::new()
        .name("journal-writer".to_owned())
        .spawn(move || writer.run(&queue))
        .map(drop)
        .map_err(unavailable)
}

impl Writer {
    fn run(mut self, queue: &mpsc::Receiver<Append>) {
        loop {
            match queue.recv_timeout(QUIET) {
                Ok(first) => self.group(first, queue),
                Err(mpsc::RecvTimeoutError::Timeout) => self.tidy(),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        self.shared.stop.store(true, Ordering::Release);
        self.shared.wake.notify_all();
    }

    fn group(&mut self, first: Append, queue: &mpsc::Receiver<Append>) {
        let mut next = Some(first);
        while let Some(append) = next.take() {
            let (segment, mut at) = match self.segment_for(record::room(append.body.len() as u64)) {
                Ok(place) => place,
                Err(error) => {
                    drop(append.answer.send(Err(error)));
                    next = queue.try_recv().ok();
                    continue;
                }
            };
            let generation = segment.generation.load(Ordering::Acquire);
            let (mut written, mut bytes) = (Vec::new(), 0);
            let mut waiting = Some(append);
            let mut outcome = Ok(());
            while let Some(append) = waiting.take() {
                let room = record::room(append.body.len() as u64);
                if at + room > SEGMENT {
                    // It begins the next group, in another segment.
                    next = Some(append);
                    break;
                }
                outcome = record::write(&segment.file, at, generation, &append.key, &append.note, &append.body);
                bytes += append.body.len();
                written.push((append, at));
                at += room;
                if outcome.is_err() || bytes >= GROUP {
                    break;
                }
                waiting = queue.try_recv().ok();
            }
            let outcome = outcome.and_then(|()| segment.file.sync_data());
            *lock(&self.shared.last_append) = Instant::now();
            match outcome {
                Ok(()) => {
                    self.current = Some((Arc::clone(&segment), at));
                    for (append, at) in written {
                        let len = append.body.len() as u64;
                        let record = self.shared.record(&segment, append.key, append.note, at + record::PAGE, len);
                        if let Err(Ok(record)) = append.answer.send(Ok(record)) {
                            // Whoever asked is gone and has acknowledged nothing.
                            self.shared.forget(&record);
                        }
                    }
                }
                Err(error) => {
                    // What a disk holds after a failed sync nobody knows: this segment is not written again before all
                    // that was safe in it is elsewhere.
                    tracing::error!(%error, "the journal could not be written");
                    self.current = None;
                    self.sealed.push(segment);
                    for (append, _) in written {
                        drop(append.answer.send(Err(ObjectError::Unavailable(format!("the journal: {error}")))));
                    }
                }
            }
        }
    }

    /// A segment with so much room, and where.
    fn segment_for(&mut self, room: u64) -> Result<(Arc<Segment>, u64), ObjectError> {
        if room > SEGMENT - record::PAGE {
            return Err(ObjectError::Unavailable("the object is too long for the journal".to_owned()));
        }
        if let Some((segment, at)) = &self.current
            && at + room <= SEGMENT
        {
            return Ok((Arc::clone(segment), *at));
        }
        self.sealed.extend(self.current.take().map(|(segment, _)| segment));
        let begun = Instant::now();
        loop {
            self.free_sealed();
            if let Some(segment) = self.free.pop() {
                return Ok((segment, record::PAGE));
            }
            if (self.made as u64 + 1) * SEGMENT <= self.shared.capacity {
                if self.failed.is_some_and(|at| at.elapsed() < AGAIN) {
                    return Err(ObjectError::Unavailable("the journal has no room to grow".to_owned()));
                }
                let segment = self.shared.make_segment(self.made).map_err(|error| {
                    self.failed = Some(Instant::now());
                    unavailable(error)
                })?;
                self.made += 1;
                return Ok((segment, record::PAGE));
            }
            if begun.elapsed() > PATIENCE {
                return Err(ObjectError::Unavailable("the journal is full".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Empties what nobody needs, so that a crash later finds nothing to do again.
    fn tidy(&mut self) {
        if let Some((segment, at)) = &self.current
            && *at > record::PAGE
            && segment.live.load(Ordering::Acquire) == 0
        {
            self.sealed.extend(self.current.take().map(|(segment, _)| segment));
        }
        self.free_sealed();
    }

    fn free_sealed(&mut self) {
        let mut index = 0;
        while index < self.sealed.len() {
            let segment = &self.sealed[index];
            if segment.live.load(Ordering::Acquire) > 0 {
                index += 1;
                continue;
            }
            let generation = segment.generation.load(Ordering::Acquire) + 1;
            match record::begin(&segment.file, generation) {
                Ok(()) => {
                    segment.generation.store(generation, Ordering::Release);
                    let segment = self.sealed.swap_remove(index);
                    self.free.push(segment);
                }
                Err(error) => {
                    tracing::error!(%error, "a journal segment could not be emptied");
                    index += 1;
                }
            }
        }
    }
}
