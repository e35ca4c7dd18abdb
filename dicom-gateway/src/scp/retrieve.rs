//! What C-MOVE and C-GET share: which instances, the counts, and reading an object in parts.

use bytes::Bytes;
use dicom_dictionary_std::tags;
use dokuei_models::store::image_search::{ImageKeys, Page};
use dokuei_models::store::studies::InstanceRow;

use super::association::Association;
use super::desk::Outcome;
use super::library::{Found, Level, Library, LibraryError, Requester};
use crate::dataset::DataSet;
use crate::dimse::{Command, Status, SubOperations};
use crate::header;
use crate::wire::Link;

/// Instances looked up at a time.
const PAGE: u32 = 1000;
/// Bytes read and sent at a time.
const PART: u64 = 1 << 20;
/// Longest object that is rewritten in another syntax, which takes it into memory, in bytes.
pub(super) const MAX_REWRITTEN: u64 = crate::transcode::MAX_BYTES as u64;
/// Where the data set begins is read from as much of the file, in bytes.
const HEAD: u64 = 4096;

/// Every instance that matches.
pub(super) async fn instances(
    library: &dyn Library,
    who: &Requester,
    keys: &ImageKeys,
) -> Result<Vec<InstanceRow>, LibraryError> {
    let mut rows = Vec::new();
    loop {
        let page = Page { limit: PAGE, offset: u32::try_from(rows.len()).unwrap_or(u32::MAX) };
        let found = library.find(who, Level::Image, keys, page).await?;
        let all = found.len() < PAGE as usize;
        rows.extend(found.into_iter().filter_map(|found| match found {
            Found::Instance(found) => Some(found.instance),
            Found::Patient(_) | Found::Study(_) | Found::Series(_) => None,
        }));
        if all {
            return Ok(rows);
        }
    }
}

/// An instance's data set, part by part, so that memory does not depend on its size.
pub(super) struct Parts<'a> {
    library: &'a dyn Library,
    instance: &'a InstanceRow,
    at: u64,
    end: u64,
}

impl<'a> Parts<'a> {
    pub async fn open(library: &'a dyn Library, instance: &'a InstanceRow) -> Result<Self, LibraryError> {
        let end = u64::try_from(instance.size).unwrap_or(0);
        let head = library.read(instance, 0..end.min(HEAD)).await?;
        let broken = |_| LibraryError("the stored file has no data set".to_owned());
        let at = header::split_file(&head).map_err(broken)?.dataset_at as u64;
        Ok(Self { library, instance, at, end })
    }

    /// The next part, and whether it is the last.
    pub async fn next(&mut self) -> Result<(Bytes, bool), LibraryError> {
        let to = (self.at + PART).min(self.end);
        let part = self.library.read(self.instance, self.at..to).await?;
        self.at = to;
        Ok((part, to >= self.end))
    }
}

/// What has become of the sub-operations so far.
#[derive(Default)]
pub(super) struct Progress {
    pub total: usize,
    pub completed: u32,
    pub warning: u32,
    pub failed: Vec<String>,
}

impl Progress {
    fn counts(&self, is_final: bool) -> SubOperations {
        let short = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let done = self.completed as usize + self.warning as usize + self.failed.len();
        SubOperations {
            remaining: (!is_final).then(|| short(self.total.saturating_sub(done))),
            completed: short(self.completed as usize),
            failed: short(self.failed.len()),
            warning: short(self.warning as usize),
        }
    }

    /// The final status (PS3.4 tables C.4-2 and C.4-3).
    pub fn status(&self) -> Status {
        match (self.failed.len(), self.completed + self.warning) {
            (0, _) if self.warning == 0 => Status::SUCCESS,
            (failed, 0) if failed > 0 => Status::CANNOT_RETRIEVE,
            _ => Status::SOME_FAILED,
        }
    }
}

impl<L: Link> Association<L> {
    /// Says how far it has come.
    pub(super) async fn progress(
        &mut self,
        context: u8,
        command: &Command,
        progress: &Progress,
    ) -> Result<(), Outcome> {
        let mut response = command.response(Status::PENDING, None);
        response.sub_operations = Some(progress.counts(false));
        Ok(self.wire.send_command(context, &response.write(), self.agreement.peer_max_pdu).await?)
    }

    /// The final answer, with the list of what did not arrive.
    pub(super) async fn ended(
        &mut self,
        context: u8,
        command: &Command,
        progress: &Progress,
        (status, comment): (Status, Option<&str>),
    ) -> Result<(), Outcome> {
        let mut response = command.response(status, comment);
        response.sub_operations = Some(progress.counts(status != Status::CANCELLED));
        let max = self.agreement.peer_max_pdu;
        if progress.failed.is_empty() {
            return Ok(self.wire.send_command(context, &response.write(), max).await?);
        }
        let mut list = DataSet::default();
        list.put_all(tags::FAILED_SOP_INSTANCE_UID_LIST, progress.failed.clone());
        let bytes = self.encode(context, &DataSet::default(), &list);
        response.has_dataset = true;
        Ok(self.wire.send_message(context, &response.write(), &bytes, max).await?)
    }
}
