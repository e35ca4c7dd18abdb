//! A power cut: what was written and not synced is gone.
//!
//! `kill -9` leaves every write in the kernel's memory, so it cannot show that a sync is missing. Here the process runs
//! with `c/synced.c` loaded, which copies a file when it is synced and a folder's listing when the folder is; after the
//! kill the data folder is made anew from those copies alone.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::run_checked;

/// Copies of all that was synced below a folder.
#[derive(Debug)]
pub struct Shadow {
    folder: TempDir,
    watched: PathBuf,
    root: u64,
}

impl Shadow {
    /// Begins with what is in `watched` now as synced.
    ///
    /// # Errors
    /// When the C compiler is missing or the folder cannot be read.
    pub async fn of(watched: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for kind in ["file", "folder"] {
            fs::create_dir(folder.path().join(kind))?;
        }
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("c/synced.c");
        let mut compile = Command::new("cc");
        compile.args(["-shared", "-fPIC", "-O2", "-o"]).arg(folder.path().join("synced.so")).arg(source).arg("-ldl");
        run_checked(&mut compile).await?;
        let shadow = Self { folder, watched: watched.to_owned(), root: fs::metadata(watched)?.ino() };
        shadow.take(watched)?;
        Ok(shadow)
    }

    /// The settings of a process that is to be watched. Syncs of a path that contains `forget` count for nothing.
    pub fn settings(&self, forget: &str) -> Vec<(&'static str, String)> {
        let folder = self.folder.path();
        vec![
            ("LD_PRELOAD", folder.join("synced.so").display().to_string()),
            ("SYNCED_SHADOW", folder.display().to_string()),
            ("SYNCED_WATCH", self.watched.display().to_string()),
            ("SYNCED_FORGET", forget.to_owned()),
        ]
    }

    fn take(&self, folder: &Path) -> Result<()> {
        let mut listing = String::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let (status, name) = (fs::symlink_metadata(&path)?, path.file_name().context("it has a name")?);
            listing.push_str(&format!("{}\t{}\n", name.to_string_lossy(), status.ino()));
            if status.is_dir() {
                self.take(&path)?;
            } else {
                fs::copy(&path, self.kept("file", status.ino()))?;
            }
        }
        Ok(fs::write(self.kept("folder", fs::metadata(folder)?.ino()), listing)?)
    }

    fn kept(&self, kind: &str, inode: u64) -> PathBuf {
        self.folder.path().join(kind).join(inode.to_string())
    }

    /// Writes what a power cut leaves into `to`. The process must be gone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn restore(&self, to: &Path) -> Result<()> {
        self.restore_folder(self.root, to)
    }

    fn restore_folder(&self, inode: u64, to: &Path) -> Result<()> {
        fs::create_dir_all(to)?;
        // A folder that was never synced has nothing in it.
        let Ok(listing) = fs::read_to_string(self.kept("folder", inode)) else { return Ok(()) };
        for line in listing.lines() {
            let (name, inode) = line.split_once('\t').context("a line of a listing")?;
            let (inode, path): (u64, _) = (inode.parse()?, to.join(name));
            let live = self.find(inode);
            if self.kept("folder", inode).is_file() || live.is_some_and(|status| status.is_dir()) {
                self.restore_folder(inode, &path)?;
            } else if self.kept("file", inode).is_file() {
                fs::copy(self.kept("file", inode), &path)?;
            } else {
                fs::write(&path, [])?;
            }
        }
        Ok(())
    }

    /// What has this inode below the watched folder now.
    fn find(&self, inode: u64) -> Option<fs::Metadata> {
        let mut folders = vec![self.watched.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).ok()?.flatten() {
                let status = entry.metadata().ok()?;
                if status.ino() == inode {
                    return Some(status);
                }
                if status.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        None
    }

    /// Makes sure that anything was watched at all: so many files were synced, those of the beginning included.
    ///
    /// # Errors
    /// When there were fewer.
    pub fn ensure_saw(&self, inodes: usize) -> Result<()> {
        let seen = fs::read_dir(self.folder.path().join("file"))?.count();
        ensure!(seen >= inodes, "only {seen} files were ever synced: is the library loaded?");
        Ok(())
    }
}
