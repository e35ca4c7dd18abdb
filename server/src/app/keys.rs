//! What a reader signs with: his own key, sealed in the database, and the authority that issued it.
//!
//! The *authority* is one for demonstrations (`DIR/ca`), made at the first start;
//! a clinic brings certificates of its own. A reader's private key is kept only
//! sealed (AES-256-GCM, bound to the reader's id) under the *master key*, which
//! is never in the database: `DOKUEI_MASTER_KEY`, or a file of mode 0600.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{TimeDelta, Utc};
use dokuei_models::ReaderId;
use dokuei_models::store::signing_keys::{self, SigningKeyRow};
use dokuei_report::{Authority, SigningIdentity, Subject};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::error::{Error, Result};
use crate::state::State;

/// Years that the authority's certificate is valid.
const AUTHORITY_DAYS: i64 = 3653;
/// Days that a reader's certificate is valid.
const READER_DAYS: i64 = 1096;

/// Makes master key and authority where they are missing. Called when a process that signs starts.
///
/// # Errors
/// A folder that cannot be written, or a key file that is damaged.
pub async fn prepare(state: &State) -> anyhow::Result<()> {
    let state = state.clone();
    tokio::task::spawn_blocking(move || {
        master_key(&state)?;
        authority(&state).map(|_| ())
    })
    .await?
}

/// The authority's certificate as PEM: what a verifier imports.
///
/// # Errors
/// `internal` when it cannot be read or made.
pub async fn authority_certificate(state: &State) -> Result<String> {
    let state = state.clone();
    let pem = tokio::task::spawn_blocking(move || anyhow::Ok(authority(&state)?.certificate_pem()?)).await;
    pem.map_err(Error::internal)?.map_err(Error::internal)
}

/// The reader's signing identity; issued at his first signature, and anew before it runs out.
///
/// # Errors
/// `internal` when the key cannot be opened (another master key) or issued.
pub async fn identity_of(state: &State, reader: ReaderId, subject: Subject) -> Result<SigningIdentity> {
    let kept = state.db.read(move |conn| signing_keys::signing_key_of(conn, reader)).await?;
    let now = state.now().and_utc();
    if let Some(kept) = kept {
        let opening = state.clone();
        let row = kept.clone();
        let identity = blocking(move || open_row(&master_key(&opening)?, &row)).await?;
        if identity.valid_until() > now + TimeDelta::days(7) {
            return Ok(identity);
        }
        let (key, at) = (kept.id, state.now());
        state.db.tx(move |conn| signing_keys::signing_key_revoke_in_tx(conn, key, at)).await?;
    }
    let issuing = state.clone();
    let (identity, pem, sealed) = blocking(move || {
        let authority = authority(&issuing)?;
        let from = issuing.now().and_utc() - TimeDelta::days(1);
        let identity = authority.issue(&subject, from, from + TimeDelta::days(READER_DAYS), &mut rand::rng())?;
        let sealed = seal(&master_key(&issuing)?, reader, identity.key_pem()?.as_bytes())?;
        let pem = identity.chain_pem()?;
        Ok((identity, pem, sealed))
    })
    .await?;
    let at = state.now();
    let first = state
        .db
        .tx(move |conn| {
            // Another process may have been first: then its key counts.
            if let Some(row) = signing_keys::signing_key_of(conn, reader)? {
                return Ok(Some(row));
            }
            signing_keys::signing_key_add_in_tx(conn, reader, &pem, &sealed, at)?;
            Ok(None)
        })
        .await?;
    match first {
        None => Ok(identity),
        Some(row) => {
            let state = state.clone();
            blocking(move || open_row(&master_key(&state)?, &row)).await
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?.map_err(Error::internal)
}

fn open_row(master: &[u8; 32], row: &SigningKeyRow) -> anyhow::Result<SigningIdentity> {
    let key = unseal(master, row.reader_id, &row.sealed_key)?;
    let key = String::from_utf8(key).context("a reader's key is no text")?;
    Ok(SigningIdentity::from_pem(&row.certificate_pem, &key)?)
}

/// Seals bytes for one reader: 12 bytes of nonce, then ciphertext and tag.
fn seal(master: &[u8; 32], reader: ReaderId, plain: &[u8]) -> anyhow::Result<Vec<u8>> {
    use rand::Rng as _;
    let mut nonce = [0u8; NONCE_LEN];
    rand::rng().fill_bytes(&mut nonce);
    let mut sealed = plain.to_vec();
    key(master)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), owner(reader), &mut sealed)
        .map_err(|_| anyhow::anyhow!("a key could not be sealed"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn unseal(master: &[u8; 32], reader: ReaderId, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().context("a sealed key is too short")?;
    let mut body = body.to_vec();
    let plain =
        key(master)?.open_in_place(Nonce::assume_unique_for_key(*nonce), owner(reader), &mut body).map_err(|_| {
            anyhow::anyhow!("a sealed key does not open: the master key is another one, or the row was changed")
        })?;
    Ok(plain.to_vec())
}

fn key(master: &[u8; 32]) -> anyhow::Result<LessSafeKey> {
    let key =
        UnboundKey::new(&AES_256_GCM, master).map_err(|_| anyhow::anyhow!("the master key has a wrong length"))?;
    Ok(LessSafeKey::new(key))
}

/// Binds a sealed key to its reader: moved to another reader's row it does not open.
fn owner(reader: ReaderId) -> Aad<Vec<u8>> {
    Aad::from(format!("dokuei signing key of reader {reader}").into_bytes())
}

fn master_key(state: &State) -> anyhow::Result<[u8; 32]> {
    let text = match &state.config.signing.master_key {
        Some(key) => key.expose().to_owned(),
        None => {
            let path = state.config.paths.keys().join("master.key");
            read_or_make(&path, 0o600, || Ok(state.chance.token()))?
        }
    };
    let mut key = [0u8; 32];
    hex::decode_to_slice(text.trim(), &mut key)
        .map_err(|_| anyhow::anyhow!("the master key is not 64 hexadecimal digits"))?;
    Ok(key)
}

fn authority(state: &State) -> anyhow::Result<Authority> {
    let folder = &state.config.signing.ca;
    // Certificate and key are one file, so that two processes that start at once cannot mix theirs.
    let pair = read_or_make(&folder.join("authority.pem"), 0o600, || {
        let subject = Subject {
            name: "Dokuei demonstration authority".to_owned(),
            organization: "Dokuei".to_owned(),
            serial: String::new(),
        };
        let from = Utc::now().min(state.now().and_utc()) - TimeDelta::days(1);
        let made = Authority::create(&subject, from, from + TimeDelta::days(AUTHORITY_DAYS), &mut rand::rng())?;
        Ok(format!("{}{}", made.certificate_pem()?, made.key_pem()?))
    })?;
    let at = pair.find("-----BEGIN PRIVATE KEY-----").context("the authority's file holds no key")?;
    let (certificate, key) = pair.split_at(at);
    let authority = Authority::from_pem(certificate, key)?;
    read_or_make(&folder.join("root.pem"), 0o644, || Ok(certificate.to_owned()))?;
    Ok(authority)
}

/// Reads a file, or makes it whole in one step; of two that make it at once, one wins and both read the same.
fn read_or_make(path: &Path, mode: u32, make: impl FnOnce() -> anyhow::Result<String>) -> anyhow::Result<String> {
    if let Some(text) = read_if_there(path)? {
        return Ok(text);
    }
    let folder = path.parent().context("a key's file has no folder")?;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("{}", folder.display()))?;
    let own: PathBuf = folder.join(format!(".{}-{}", std::process::id(), hex::encode(rand::random::<[u8; 6]>())));
    let text = make()?;
    let written = (|| {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&own)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // A link never replaces: the second of two fails here and reads what the first made.
        match std::fs::hard_link(&own, path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    })();
    let _ = std::fs::remove_file(&own);
    written.with_context(|| format!("{} cannot be made", path.display()))?;
    read_if_there(path)?.with_context(|| format!("{} is gone", path.display()))
}

fn read_if_there(path: &Path) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASTER: [u8; 32] = [7; 32];

    #[test]
    fn a_sealed_key_opens_only_for_its_reader_and_under_its_master_key() {
        let sealed = seal(&MASTER, ReaderId(3), b"the key").unwrap();
        assert_eq!(unseal(&MASTER, ReaderId(3), &sealed).unwrap(), b"the key");
        assert!(unseal(&MASTER, ReaderId(4), &sealed).is_err(), "another reader's row");
        assert!(unseal(&[8; 32], ReaderId(3), &sealed).is_err(), "another master key");
        let mut touched = sealed.clone();
        *touched.last_mut().unwrap() ^= 1;
        assert!(unseal(&MASTER, ReaderId(3), &touched).is_err());
        assert!(unseal(&MASTER, ReaderId(3), &[]).is_err());
        assert!(!sealed.windows(7).any(|part| part == b"the key"));
    }

    #[test]
    fn two_that_make_a_key_file_at_once_read_the_same_and_only_its_owner_can() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/master.key");
        let made: Vec<String> = std::thread::scope(|scope| {
            let path = &path;
            let making: Vec<_> = (0..8)
                .map(|n| scope.spawn(move || read_or_make(path, 0o600, || Ok(format!("key {n}"))).unwrap()))
                .collect();
            making.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(made.iter().all(|one| *one == made[0]), "{made:?}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing half-made stays");
    }
}
