//! How a segment is written: one page that says which lap it is in, then records that begin at whole pages.
//!
//! ```text
//! page 0:  "DOKUEI-J" | generation u64
//! record:  one page: "DKREC-01" | generation u64 | body u64 | key u32 | note u32 | key | note | SHA-256 of all that
//!          then the body, filled up to a whole page
//! ```
//! Numbers are little endian. A key ends in the SHA-256 of its body, so that a record can be told from a torn one. Whole
//! pages, because a page that was synced must not be written again by the record behind it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use sha2::{Digest, Sha256};

/// Bytes of a page.
pub(super) const PAGE: u64 = 4096;
const SEGMENT_MAGIC: &[u8; 8] = b"DOKUEI-J";
const RECORD_MAGIC: &[u8; 8] = b"DKREC-01";
const FIXED: usize = 32;
const HASH: usize = 32;
/// Bytes that are hashed at once.
const CHUNK: usize = 1 << 20;

/// The head of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub key: String,
    pub note: Vec<u8>,
    /// Bytes of the body.
    pub body: u64,
}

/// Bytes that a record takes.
pub(super) const fn room(body: u64) -> u64 {
    PAGE + body.div_ceil(PAGE) * PAGE
}

/// Makes a segment an empty one of this generation: what lies in it is none of it. Durable on return.
pub(super) fn begin(file: &File, generation: u64) -> io::Result<()> {
    let mut page = [0; PAGE as usize];
    page[..8].copy_from_slice(SEGMENT_MAGIC);
    page[8..16].copy_from_slice(&generation.to_le_bytes());
    file.write_all_at(&page, 0)?;
    file.sync_data()
}

/// The segment's generation, if it is one.
pub(super) fn generation(file: &File) -> io::Result<Option<u64>> {
    let mut page = [0; 16];
    match file.read_exact_at(&mut page, 0) {
        Ok(()) if page[..8] == *SEGMENT_MAGIC => Ok(page[8..].try_into().ok().map(u64::from_le_bytes)),
        Ok(()) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a record at `at`. Durable after the file's next sync.
pub(super) fn write(file: &File, at: u64, generation: u64, key: &str, note: &[u8], body: &[u8]) -> io::Result<()> {
    let mut page = Vec::with_capacity(PAGE as usize);
    page.extend_from_slice(RECORD_MAGIC);
    page.extend_from_slice(&generation.to_le_bytes());
    page.extend_from_slice(&(body.len() as u64).to_le_bytes());
    page.extend_from_slice(&(key.len() as u32).to_le_bytes());
    page.extend_from_slice(&(note.len() as u32).to_le_bytes());
    page.extend_from_slice(key.as_bytes());
    page.extend_from_slice(note);
    let hash = Sha256::digest(&page);
    page.extend_from_slice(&hash);
    if page.len() > PAGE as usize {
        return Err(io::Error::other("a record's key and note exceed a page"));
    }
    page.resize(PAGE as usize, 0);
    file.write_all_at(&page, at)?;
    file.write_all_at(body, at + PAGE)
}

/// The head of the record at `at`, if a record of this generation is there whose body is whole.
pub(super) fn read(file: &File, at: u64, generation: u64, end: u64) -> io::Result<Option<Head>> {
    if at + PAGE > end {
        return Ok(None);
    }
    let mut page = vec![0; PAGE as usize];
    file.read_exact_at(&mut page, at)?;
    let Some(head) = parse(&page, generation) else { return Ok(None) };
    if end - at - PAGE < head.body {
        return Ok(None);
    }
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut done = 0;
    while done < head.body {
        let part = &mut chunk[..usize::try_from(head.body - done).unwrap_or(CHUNK).min(CHUNK)];
        file.read_exact_at(part, at + PAGE + done)?;
        hash.update(&*part);
        done += part.len() as u64;
    }
    Ok(head.key.ends_with(&hex::encode(hash.finalize())).then_some(head))
}

fn parse(page: &[u8], generation: u64) -> Option<Head> {
    let number = |at: usize| Some(u64::from_le_bytes(page.get(at..at + 8)?.try_into().ok()?));
    let length = |at: usize| Some(u32::from_le_bytes(page.get(at..at + 4)?.try_into().ok()?) as usize);
    if !page.starts_with(RECORD_MAGIC) || number(8)? != generation {
        return None;
    }
    let (body, key_at) = (number(16)?, FIXED);
    let note_at = key_at.checked_add(length(24)?)?;
    let hash_at = note_at.checked_add(length(28)?)?;
    let hash = page.get(hash_at..hash_at.checked_add(HASH)?)?;
    if Sha256::digest(page.get(..hash_at)?)[..] != *hash {
        return None;
    }
    let key = std::str::from_utf8(page.get(key_at..note_at)?).ok()?.to_owned();
    Some(Head { key, note: page.get(note_at..hash_at)?.to_vec(), body })
}
