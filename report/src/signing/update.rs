//! Appends objects to a PDF as an incremental update (ISO 32000-1, 7.5.6).
//!
//! Written for files with a classic cross-reference table, in the spacing that
//! PDF/A asks for (ISO 19005-2, 6.1.4 and 6.1.9). Nothing before the end of the
//! given file is touched.

use std::collections::BTreeMap;

use lopdf::{Dictionary, Object, ObjectId, Writer};

use super::SignError;

/// A PDF being extended.
pub(super) struct Update {
    bytes: Vec<u8>,
    offsets: BTreeMap<ObjectId, usize>,
}

impl Update {
    /// Begins after `previous`, which stays as it is.
    pub(super) fn after(previous: &[u8]) -> Self {
        let mut bytes = previous.to_vec();
        if bytes.last() != Some(&b'\n') {
            bytes.push(b'\n');
        }
        Self { bytes, offsets: BTreeMap::new() }
    }

    /// Writes an object; one of the same id in the file is superseded.
    pub(super) fn object(&mut self, id: ObjectId, object: &Object) -> Result<(), SignError> {
        self.open(id);
        Writer::write_object(&mut self.bytes, object).map_err(|error| SignError::Pdf(error.to_string()))?;
        self.close();
        Ok(())
    }

    /// Writes an object whose bytes the caller makes; returns where they begin in the file.
    pub(super) fn raw(&mut self, id: ObjectId, content: &[u8]) -> usize {
        self.open(id);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(content);
        self.close();
        start
    }

    /// Writes the cross-reference section and trailer; returns the file.
    pub(super) fn finish(mut self, trailer: Dictionary) -> Result<Vec<u8>, SignError> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(b"xref\n");
        let entries: Vec<(ObjectId, usize)> = self.offsets.iter().map(|(id, offset)| (*id, *offset)).collect();
        for run in entries.chunk_by(|(a, _), (b, _)| a.0 + 1 == b.0) {
            if let Some(((first, _), _)) = run.first() {
                self.bytes.extend_from_slice(format!("{first} {}\n", run.len()).as_bytes());
            }
            for ((_, generation), offset) in run {
                self.bytes.extend_from_slice(format!("{offset:010} {generation:05} n \n").as_bytes());
            }
        }
        self.bytes.extend_from_slice(b"trailer\n");
        Writer::write_object(&mut self.bytes, &Object::Dictionary(trailer))
            .map_err(|error| SignError::Pdf(error.to_string()))?;
        self.bytes.extend_from_slice(format!("\nstartxref\n{start}\n%%EOF\n").as_bytes());
        Ok(self.bytes)
    }

    fn open(&mut self, id: ObjectId) {
        self.offsets.insert(id, self.bytes.len());
        self.bytes.extend_from_slice(format!("{} {} obj\n", id.0, id.1).as_bytes());
    }

    fn close(&mut self) {
        self.bytes.extend_from_slice(b"\nendobj\n");
    }
}
