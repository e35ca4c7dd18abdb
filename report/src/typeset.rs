//! Sets a report as PDF/A-2u.
//!
//! The page is `report.typ`; its only input is the sheet as JSON, its only files
//! are those two, and it has no clock. The exporter validates PDF/A-2u and fails
//! rather than write a file that is not one.

use std::sync::Arc;

use chrono::{Datelike, Timelike};
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::document::ReportDocument;
use crate::fonts::{Fonts, FontsError, LoadedFonts};
use crate::{sheet, words};

const TEMPLATE: &str = include_str!("report.typ");

/// The longest text (findings, impression, question, history, each) a report takes, in characters.
pub const LONGEST_TEXT: usize = 60_000;

/// Why a report could not be set. Messages hold nothing of the report's text.
#[derive(Debug, thiserror::Error)]
pub enum TypesetError {
    /// The fonts are missing or damaged.
    #[error(transparent)]
    Fonts(#[from] FontsError),
    /// A text is longer than [`LONGEST_TEXT`].
    #[error("the {field} has {characters} characters; a report takes at most {LONGEST_TEXT}")]
    TooLong {
        /// Which text.
        field: &'static str,
        /// How long it is.
        characters: usize,
    },
    /// Layout failed; a fault of the template.
    #[error("the report could not be laid out: {0}")]
    Layout(String),
    /// The exporter found something PDF/A-2u forbids.
    #[error("the report could not be written as PDF/A-2u: {0}")]
    Archive(String),
}

/// Sets `document` as an A4 PDF/A-2u file. Equal documents and fonts give equal bytes.
///
/// Takes a good part of a second; call it where blocking is allowed.
pub fn typeset(document: &ReportDocument, fonts: &Fonts) -> Result<Vec<u8>, TypesetError> {
    check_lengths(document)?;
    let fonts = fonts.load()?;
    let sheet = sheet::sheet(document, fonts.families(), &|c| fonts.covers(c));
    let data = serde_json::to_vec(&sheet).map_err(|error| TypesetError::Layout(error.to_string()))?;
    let world = ReportWorld::new(fonts, data)?;
    let pdf = export(&world, document);
    drop(world);
    // Layout is memoised process-wide; a report is set once, so nothing of it is kept.
    comemo::evict(0);
    pdf
}

fn export(world: &ReportWorld, document: &ReportDocument) -> Result<Vec<u8>, TypesetError> {
    let paged: PagedDocument =
        typst::compile(world).output.map_err(|errors| TypesetError::Layout(without_text(&errors)))?;
    let standards =
        PdfStandards::new(&[PdfStandard::A_2u]).map_err(|error| TypesetError::Archive(error.message().to_string()))?;
    let signed = words::jst(document.signed_at);
    let timestamp = Datetime::from_ymd_hms(
        signed.year(),
        signed.month() as u8,
        signed.day() as u8,
        signed.hour() as u8,
        signed.minute() as u8,
        signed.second() as u8,
    )
    .and_then(|at| Timestamp::new_local(at, 9 * 60))
    .ok_or_else(|| TypesetError::Archive("the signing time is not a date PDF can hold".to_owned()))?;
    let options = PdfOptions {
        ident: Smart::Custom(format!("dokuei-report {} {}", document.report_id, document.version)),
        creator: Smart::Custom(Some("Dokuei".to_owned())),
        timestamp: Some(timestamp),
        standards,
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&paged, &options).map_err(|errors| TypesetError::Archive(without_text(&errors)))
}

fn check_lengths(document: &ReportDocument) -> Result<(), TypesetError> {
    let earlier = document
        .earlier
        .iter()
        .flat_map(|e| &e.text)
        .flat_map(|(f, i)| [("earlier findings", f), ("earlier impression", i)]);
    let fields = [
        ("findings", &document.findings),
        ("impression", &document.impression),
        ("question", &document.request.question),
        ("history", &document.request.history),
    ];
    for (field, text) in fields.into_iter().chain(earlier) {
        let characters = text.chars().count();
        if characters > LONGEST_TEXT {
            return Err(TypesetError::TooLong { field, characters });
        }
    }
    Ok(())
}

/// The typesetter quotes text in its messages; what it quotes is left out.
fn without_text(errors: &[SourceDiagnostic]) -> String {
    let mut messages: Vec<&str> =
        errors.iter().map(|error| error.message.split(['`', '"', '“']).next().unwrap_or_default().trim()).collect();
    messages.dedup();
    messages.join("; ")
}

/// The two files and the fonts, and nothing else of the world.
struct ReportWorld {
    library: LazyHash<Library>,
    fonts: Arc<LoadedFonts>,
    template: Source,
    data_id: FileId,
    data: Bytes,
}

impl ReportWorld {
    fn new(fonts: Arc<LoadedFonts>, data: Vec<u8>) -> Result<Self, TypesetError> {
        let file = |path: &str| -> Result<FileId, TypesetError> {
            let path = VirtualPath::new(path).map_err(|error| TypesetError::Layout(error.to_string()))?;
            Ok(FileId::new(RootedPath::new(VirtualRoot::Project, path)))
        };
        Ok(Self {
            library: LazyHash::new(Library::default()),
            fonts,
            template: Source::new(file("report.typ")?, TEMPLATE.to_owned()),
            data_id: file("report.json")?,
            data: Bytes::new(data),
        })
    }

    fn absent(id: FileId) -> FileError {
        FileError::NotFound(id.vpath().get_without_slash().into())
    }
}

impl World for ReportWorld {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }

    fn main(&self) -> FileId {
        self.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.template.id() { Ok(self.template.clone()) } else { Err(Self::absent(id)) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.data_id { Ok(self.data.clone()) } else { Err(Self::absent(id)) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.font(index)
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}
