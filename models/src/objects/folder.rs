//! Files written into a folder so that they survive a power cut.
//!
//! A file is complete under a temporary name and synced before it is renamed to its key, and the folder that now names it
//! is synced behind it, as is every folder above that had to be made. Several files share those syncs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Tells temporary names of one process apart.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The root of the objects. Keys are paths below it.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

/// Files on their way.
pub(super) struct Placing<'a> {
    folder: &'a Folder,
    files: Vec<(PathBuf, PathBuf)>,
}

impl Folder {
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, key: &str) -> PathBuf {
        key.split('/').fold(self.root.clone(), |path, step| path.join(step))
    }

    /// Makes a folder and those above it. Durable on return.
    pub fn make(&self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(above) = folder.parent() {
            self.make(above)?;
            match std::fs::create_dir(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => sync_folder(above)?,
            }
        }
        Ok(())
    }

    /// A new temporary file beside the objects, for [`Placing::rename`].
    pub fn temporary(&self) -> io::Result<(File, PathBuf)> {
        let spool = self.root.join("spool");
        self.make(&spool)?;
        loop {
            let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = spool.join(name);
            match File::options().read(true).write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, path)),
                // Left by a process that crashed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes temporary files: all, or those that nobody has written to for so long. Returns how many.
    pub fn sweep_temporary(&self, idle: Option<Duration>) -> io::Result<usize> {
        let found = match std::fs::read_dir(self.root.join("spool")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            found => found?,
        };
        let mut removed = 0;
        for entry in found {
            let entry = entry?;
            let written = entry.metadata().and_then(|meta| meta.modified());
            let left = match (idle, written) {
                (None, _) => true,
                (Some(idle), Ok(written)) => written.elapsed().is_ok_and(|since| since >= idle),
                // Gone since the folder was read.
                (Some(_), Err(_)) => false,
            };
            if left {
                match std::fs::remove_file(entry.path()) {
                    Ok(()) => removed += 1,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(removed)
    }

    /// Places several files under common syncs.
    pub fn placing(&self) -> Placing<'_> {
        Placing { folder: self, files: Vec::new() }
    }
}

impl Placing<'_> {
    /// Writes a file under a temporary name.
    pub fn add(&mut self, key: &str, bytes: &[u8]) -> io::Result<()> {
        let (mut file, path) = self.folder.temporary()?;
        self.files.push((path, self.folder.path(key)));
        file.write_all(bytes)
    }

    /// Takes a temporary file that is written already.
    pub fn rename(&mut self, temporary: PathBuf, key: &str) {
        self.files.push((temporary, self.folder.path(key)));
    }

    /// Durable under their keys on return. On an error what was not renamed is removed.
    pub fn finish(mut self) -> io::Result<()> {
        for (temporary, _) in &self.files {
            File::open(temporary)?.sync_all()?;
        }
        let mut folders = BTreeSet::new();
        while let Some((temporary, path)) = self.files.last() {
            if let Some(above) = path.parent() {
                self.folder.make(above)?;
                folders.insert(above.to_owned());
            }
            std::fs::rename(temporary, path)?;
            self.files.pop();
        }
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }
}

impl Drop for Placing<'_> {
    fn drop(&mut self) {
        for (temporary, _) in &self.files {
            if let Err(error) = std::fs::remove_file(temporary) {
                tracing::warn!(%error, "a temporary file could not be removed");
            }
        }
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
