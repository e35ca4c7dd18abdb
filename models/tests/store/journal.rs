//! The journal in front of a folder of objects.

use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use bytes::Bytes;
use dokuei_models::objects::{Objects, ObjectsUrl};
use futures_util::TryStreamExt as _;
use sha2::{Digest, Sha256};

const CAPACITY: u64 = 64 << 20;

fn body(seed: u8, len: usize) -> (String, Bytes) {
    let bytes: Vec<u8> = (0..len).map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed)).collect();
    (Objects::key("instances/1", &hex::encode(Sha256::digest(&bytes))), bytes.into())
}

#[tokio::test]
async fn only_whole_records_are_found_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let url = ObjectsUrl::Folder(folder.path().to_owned());
    {
        let (objects, _) = Objects::open_journaled(&url, CAPACITY).unwrap();
        let journal = objects.journal().unwrap();
        for seed in 0..3 {
            let (key, bytes) = body(seed, 10_000);
            journal.append(key, vec![seed], bytes).await.unwrap();
        }
        assert!(Objects::open_journaled(&url, CAPACITY).is_err(), "two processes must not write one journal");
        // Held for ever: this process is as good as dead.
        std::mem::forget(objects);
    }
    // A power cut in the middle of the third: one byte of its body never came to the disk.
    let crashed = tempfile::tempdir().unwrap();
    std::fs::create_dir(crashed.path().join("journal")).unwrap();
    let segment = crashed.path().join("journal/segment-0000");
    std::fs::copy(folder.path().join("journal/segment-0000"), &segment).unwrap();
    let file = std::fs::File::options().write(true).open(&segment).unwrap();
    file.write_all_at(&[0xFF], 4096 + 2 * 4 * 4096 + 4096 + 777).unwrap();
    let url = ObjectsUrl::Folder(crashed.path().to_owned());
    let (objects, left) = Objects::open_journaled(&url, CAPACITY).unwrap();
    let notes: Vec<&[u8]> = left.iter().map(|record| record.note()).collect();
    assert_eq!(notes, [&[0][..], &[1]]);
    for seed in 0..2 {
        let (key, bytes) = body(seed, 10_000);
        assert_eq!(objects.get(&key).await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_small_journal_is_used_again_and_again_and_nothing_is_missing_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let url = ObjectsUrl::Folder(folder.path().to_owned());
    let (objects, _) = Objects::open_journaled(&url, CAPACITY).unwrap();
    let mut kept = Vec::new();
    for seed in 0..90_u8 {
        let (key, bytes) = body(seed, 2 << 20);
        objects.journal().unwrap().append(key.clone(), Vec::new(), bytes.clone()).await.unwrap().filed();
        kept.push((key, Sha256::digest(&bytes)));
        let (key, hash) = &kept[usize::from(seed) / 2];
        assert_eq!(Sha256::digest(objects.get(key).await.unwrap()), *hash);
    }
    for (key, hash) in &kept {
        assert_eq!(Sha256::digest(objects.get(key).await.unwrap()), *hash);
    }
    for _ in 0..500 {
        if objects.journal().unwrap().used() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for (key, hash) in &kept {
        assert_eq!(Sha256::digest(std::fs::read(folder.path().join(key)).unwrap()), *hash, "moved");
    }
    let journal: u64 = std::fs::read_dir(folder.path().join("journal"))
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(journal <= CAPACITY, "{journal}");
}

#[tokio::test]
async fn an_object_is_given_in_pieces_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let url = ObjectsUrl::Folder(folder.path().to_owned());
    let (objects, _) = Objects::open_journaled(&url, CAPACITY).unwrap();
    let (journaled, bytes) = body(1, 3_500_000);
    let _record = objects.journal().unwrap().append(journaled.clone(), Vec::new(), bytes.clone()).await.unwrap();
    let filed = objects.keep("reports", bytes.clone()).await.unwrap().key;
    let mut spool = objects.spool().unwrap();
    bytes.chunks(99_999).for_each(|part| spool.write(part).unwrap());
    let spooled = objects.keep_spool("instances/2", spool).await.unwrap().key;
    for key in [journaled, filed, spooled] {
        for range in
            [None, Some(0..10), Some(1_000_000..3_000_001), Some(3_499_999..9_000_000), Some(8_000_000..9_000_000)]
        {
            let stream = objects.get_stream(&key, range.clone()).await.unwrap();
            assert_eq!(stream.size, 3_500_000);
            let pieces: Vec<Bytes> = stream.pieces.try_collect().await.unwrap();
            let cut = |at: u64| usize::try_from(at.min(3_500_000)).unwrap();
            let range = range.map_or(0..3_500_000, |range| cut(range.start)..cut(range.end));
            assert_eq!(pieces.concat(), bytes[range], "{key}");
        }
    }
}
