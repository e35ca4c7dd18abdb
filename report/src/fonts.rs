//! The fonts a report is set in, read when one is set and let go afterwards.
//!
//! Nothing is read before the first report. The files (some 40 MB with Noto CJK)
//! are held only while at least one report is being set, so that an idle process
//! carries no fonts; the operating system's cache makes the next reading cheap.
//!
//! Of each role the first font found is taken: text needs Noto Sans CJK
//! (`fonts-noto-cjk`) or IPAex Gothic (`fonts-ipaexfont`). IPAex Gothic and
//! DejaVu Sans lend what the first one lacks.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use typst::foundations::Bytes;
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;

/// File stem and the families taken from that file.
const WANTED: [(&str, &str); 4] = [
    ("NotoSansCJK-Regular", "Noto Sans CJK JP"),
    ("NotoSansCJK-Bold", "Noto Sans CJK JP"),
    ("ipaexg", "IPAexGothic"),
    ("DejaVuSans", "DejaVu Sans"),
];

/// Families in the order they are asked for a glyph.
const FAMILIES: [&str; 3] = ["Noto Sans CJK JP", "IPAexGothic", "DejaVu Sans"];

/// Why the fonts could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FontsError {
    /// No Japanese font lies below the folder.
    #[error(
        "no Japanese font below {folder}: install Debian's fonts-noto-cjk or fonts-ipaexfont, or name the folder they are in"
    )]
    Missing {
        /// The folder that was searched.
        folder: PathBuf,
    },
    /// A font file could not be read.
    #[error("font file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file with a font's name does not hold that font.
    #[error("{path} holds no usable font {family:?}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The family it should hold.
        family: &'static str,
    },
}

/// A folder of fonts. Cheap to make; searched and read at the first report.
#[derive(Debug)]
pub struct Fonts {
    folder: PathBuf,
    files: OnceLock<Vec<(PathBuf, &'static str)>>,
    in_use: Mutex<Weak<LoadedFonts>>,
}

impl Fonts {
    /// Fonts at any depth below `folder`, e.g. `/usr/share/fonts`. Reads nothing yet.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), files: OnceLock::new(), in_use: Mutex::new(Weak::new()) }
    }

    /// Whether a Japanese font is there; finds the files, reads none of them.
    pub fn check(&self) -> Result<(), FontsError> {
        self.files().map(|_| ())
    }

    fn files(&self) -> Result<&[(PathBuf, &'static str)], FontsError> {
        if let Some(files) = self.files.get() {
            return Ok(files);
        }
        let mut by_stem = HashMap::new();
        collect(&self.folder, 0, &mut by_stem)
            .map_err(|source| FontsError::Unreadable { path: self.folder.clone(), source })?;
        let files: Vec<_> =
            WANTED.iter().filter_map(|(stem, family)| Some((by_stem.get(*stem)?.clone(), *family))).collect();
        if !files.iter().any(|(_, family)| *family != "DejaVu Sans") {
            return Err(FontsError::Missing { folder: self.folder.clone() });
        }
        Ok(self.files.get_or_init(|| files))
    }

    /// The fonts in memory, shared with every other report being set now.
    pub(crate) fn load(&self) -> Result<Arc<LoadedFonts>, FontsError> {
        // A panic elsewhere cannot leave a half-made value here: it is replaced in one step.
        let mut in_use = self.in_use.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(loaded) = in_use.upgrade() {
            return Ok(loaded);
        }
        let loaded = Arc::new(LoadedFonts::read(self.files()?)?);
        *in_use = Arc::downgrade(&loaded);
        Ok(loaded)
    }
}

/// Finds the wanted files below `folder`; links are followed, eight levels deep at most.
fn collect(folder: &Path, depth: u8, found: &mut HashMap<String, PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if depth < 8 {
                collect(&path, depth + 1, found)?;
            }
            continue;
        }
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        if matches!(extension, "ttc" | "otc" | "ttf" | "otf") && WANTED.iter().any(|(wanted, _)| *wanted == stem) {
            found.entry(stem.to_owned()).or_insert(path);
        }
    }
    Ok(())
}

/// Fonts in memory.
#[derive(Debug)]
pub(crate) struct LoadedFonts {
    fonts: Vec<Font>,
    book: LazyHash<FontBook>,
}

impl LoadedFonts {
    fn read(files: &[(PathBuf, &'static str)]) -> Result<Self, FontsError> {
        let mut fonts = Vec::new();
        for (path, family) in files {
            let data = std::fs::read(path).map_err(|source| FontsError::Unreadable { path: path.clone(), source })?;
            let font = Font::iter(Bytes::new(data))
                .find(|font| font.info().family == *family)
                .ok_or_else(|| FontsError::Damaged { path: path.clone(), family })?;
            fonts.push(font);
        }
        let book = LazyHash::new(FontBook::from_fonts(&fonts));
        Ok(Self { fonts, book })
    }

    pub(crate) fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    pub(crate) fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    /// The families that are there, first choice first.
    pub(crate) fn families(&self) -> Vec<&'static str> {
        FAMILIES.into_iter().filter(|family| self.fonts.iter().any(|font| font.info().family == *family)).collect()
    }

    /// Whether one of the fonts can draw `c`.
    pub(crate) fn covers(&self, c: char) -> bool {
        self.fonts.iter().any(|font| font.info().coverage.contains(c as u32))
    }
}
