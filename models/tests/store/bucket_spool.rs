//! The spool in front of a bucket, while the bucket is not there.

use bytes::Bytes;
use chrono::Utc;
use dokuei_models::objects::{ObjectError, Objects, ObjectsUrl, SpoolSettings};
use dokuei_models::store::spooled;
use dokuei_models::{Connection, Db};
use futures_util::TryStreamExt as _;

use super::databases::{on_each, sqlite};

/// Nobody asks this bucket here.
fn open(folder: &std::path::Path, mib: u64, db: &Db) -> Result<Objects, ObjectError> {
    let url = ObjectsUrl::S3 { bucket: "nowhere".to_owned(), prefix: String::new() };
    let settings = SpoolSettings { folder: folder.to_owned(), capacity: mib << 20, without: Vec::new() };
    Objects::open(&url)?.through_spool(Some(settings), None, db)
}

fn files(folder: &std::path::Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        count += if entry.path().is_dir() { files(&entry.path()) } else { 1 };
    }
    count
}

#[tokio::test]
async fn what_is_in_the_spool_is_safe_and_readable_and_found_again_after_a_crash() {
    let (folder, fresh) = (tempfile::tempdir().unwrap(), sqlite());
    let objects = open(folder.path(), 64, &fresh.db).unwrap();
    let spool = objects.bucket_spool().unwrap().clone();
    spool.announce("http://127.0.0.1:1").await.unwrap();
    let short = objects.keep("instances/1", Bytes::from_static(b"a short object")).await.unwrap();
    let long: Vec<u8> = (0..5_000_000_u32).map(|at| (at >> 3) as u8).collect();
    let mut receiving = objects.spool().unwrap();
    receiving.write(&long).unwrap();
    let kept = objects.keep_spool("instances/1", receiving).await.unwrap();
    for (key, bytes) in [(&short.key, b"a short object".as_slice()), (&kept.key, &long)] {
        assert_eq!(objects.get(key).await.unwrap(), bytes);
        assert_eq!(objects.get_range(key, 2..9).await.unwrap(), bytes[2..9]);
        assert_eq!(objects.size(key).await.unwrap(), bytes.len() as u64);
        let stream = objects.get_stream(key, Some(3..8)).await.unwrap();
        let pieces: Vec<Bytes> = stream.pieces.try_collect().await.unwrap();
        assert_eq!(pieces.concat(), bytes[3..8]);
    }
    let node = spool.node().to_owned();
    let named = fresh.db.read(move |conn| spooled::spooled_list(conn, &node)).await.unwrap();
    assert_eq!(named.len(), 2, "each has its row before anybody is told: {named:?}");
    assert!(open(folder.path(), 64, &fresh.db).is_err(), "two processes must not have one spool");

    // A process that died while an object came: half of it is left, and nothing else is touched.
    let mut half = objects.spool().unwrap();
    half.write(&long[..1000]).unwrap();
    std::mem::forget(half);
    let described = spool.describe().await.unwrap();
    assert_eq!((described.waiting, described.waiting_bytes), (2, 5_000_014));
    let name = spool.node().to_owned();
    drop((objects, spool));
    let objects = open(folder.path(), 64, &fresh.db).unwrap();
    let spool = objects.bucket_spool().unwrap();
    assert_eq!(files(&folder.path().join("spool")), 0, "the half of it is swept");
    assert_eq!(spool.node(), name, "a node is its folder");
    let described = spool.describe().await.unwrap();
    assert_eq!((described.waiting, described.waiting_bytes), (2, 5_000_014));
    assert_eq!(objects.get(&short.key).await.unwrap(), b"a short object".as_slice());
    let mut taken = spool.take(10);
    taken.sort();
    let mut keys = [short.key, kept.key];
    keys.sort();
    assert_eq!(taken, keys, "and both are offered to the bucket");
    assert!(spool.take(10).is_empty(), "once at a time");
}

#[tokio::test]
async fn a_full_spool_takes_nothing_more_and_says_why() {
    let (folder, fresh) = (tempfile::tempdir().unwrap(), sqlite());
    let objects = open(folder.path(), 1, &fresh.db).unwrap();
    objects.bucket_spool().unwrap().announce("").await.unwrap();
    let body = |seed: u8| Bytes::from(vec![seed; 400 << 10]);
    let first = objects.keep("instances/1", body(1)).await.unwrap();
    objects.keep("instances/1", body(2)).await.unwrap();
    assert!(matches!(objects.keep("instances/1", body(3)).await, Err(ObjectError::Full)));
    objects.keep("instances/1", body(1)).await.expect_err("room is asked for before it is known to be the same");
    objects.probe().await.expect("it still has room for a smaller one");
    objects.keep("instances/1", Bytes::from(vec![9; 200 << 10])).await.unwrap();
    let described = objects.bucket_spool().unwrap().describe().await.unwrap();
    assert_eq!(described.waiting_bytes, (400 + 400 + 200) << 10, "what was refused is not counted");
    assert_eq!(objects.get(&first.key).await.unwrap(), body(1));
}

#[test]
fn a_node_is_asked_for_what_it_holds_and_not_for_what_it_has_released() {
    on_each(async |db| {
        let told = db.tx(|conn: &mut Connection| {
            let at = Utc::now().naive_utc();
            let node = |name: &str, url: &str| spooled::SpoolNode {
                node: name.to_owned(),
                url: url.to_owned(),
                waiting: 0,
                waiting_bytes: 0,
                limit_bytes: 1,
                oldest_at: Some(at),
                failing_since: None,
                fault: String::new(),
                lost: 0,
                seen_at: at,
            };
            for (name, url) in [("a", "http://a"), ("b", "http://b"), ("silent", "")] {
                spooled::spool_node_seen_in_tx(conn, &node(name, url))?;
                spooled::spooled_keep_in_tx(conn, "instances/1/ab/abc", name, 7, at)?;
            }
            spooled::spooled_keep_in_tx(conn, "instances/1/ab/abc", "a", 7, at)?;
            spooled::spool_node_seen_in_tx(conn, &spooled::SpoolNode { oldest_at: None, ..node("a", "http://a2") })?;
            let before = spooled::spooled_elsewhere(conn, "instances/1/ab/abc", "b")?;
            spooled::spooled_release_in_tx(conn, "instances/1/ab/abc", "a")?;
            let after = spooled::spooled_elsewhere(conn, "instances/1/ab/abc", "b")?;
            let nodes = spooled::spool_node_list(conn)?;
            Ok((before, after, nodes[0].oldest_at, nodes.len()))
        });
        assert_eq!(told.await.unwrap(), (vec!["http://a2".to_owned()], Vec::new(), None, 3));
    });
}
