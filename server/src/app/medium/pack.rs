//! Packs files into a ZIP that leaves in chunks.

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Bytes of a chunk.
const CHUNK: usize = 128 << 10;

/// What is handed over.
pub(super) enum Part {
    /// A file.
    File {
        /// Its path, of names with eight letters and three.
        path: String,
        /// Its bytes.
        bytes: Bytes,
    },
    /// There are no more.
    End,
}

/// Writes into a channel; fails when nobody listens any more.
struct Outlet<'a> {
    chunks: &'a mpsc::Sender<io::Result<Bytes>>,
    buffer: BytesMut,
}

impl Write for Outlet<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = self.buffer.split().freeze();
        self.chunks.blocking_send(Ok(chunk)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// Packs what comes until the end. Where that does not come, the last chunk is an error: a ZIP without its directory is
/// none, and whoever takes it sees that it broke off. Blocks.
pub(super) fn pack(mut inbox: mpsc::Receiver<Part>, chunks: &mpsc::Sender<io::Result<Bytes>>) {
    if let Err(error) = write(&mut inbox, chunks) {
        tracing::info!(%error, "a medium broke off");
        // Nobody listens when the other side has gone.
        let _ = chunks.blocking_send(Err(error));
    }
}

fn write(inbox: &mut mpsc::Receiver<Part>, chunks: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let mut zip = ZipWriter::new_stream(Outlet { chunks, buffer: BytesMut::with_capacity(CHUNK) });
    loop {
        match inbox.blocking_recv() {
            Some(Part::File { path, bytes }) => {
                // The quickest level: it halves most images, and the network is what takes the time.
                let options = SimpleFileOptions::default()
                    .compression_method(CompressionMethod::Deflated)
                    .compression_level(Some(1))
                    .large_file(bytes.len() >= u32::MAX as usize);
                zip.start_file(path, options)?;
                zip.write_all(&bytes)?;
            }
            Some(Part::End) => break,
            None => return Err(io::Error::other("the medium is not complete")),
        }
    }
    zip.finish()?.into_inner().flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(parts: Vec<Part>) -> (Vec<u8>, Option<io::Error>) {
        let (sender, inbox) = mpsc::channel(16);
        let (chunks, mut body) = mpsc::channel(1024);
        for part in parts {
            sender.try_send(part).unwrap_or_else(|_| panic!("room for 16"));
        }
        drop(sender);
        pack(inbox, &chunks);
        drop(chunks);
        let (mut bytes, mut error) = (Vec::new(), None);
        while let Ok(chunk) = body.try_recv() {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(one) => error = Some(one),
            }
        }
        (bytes, error)
    }

    fn file(path: &str, bytes: &[u8]) -> Part {
        Part::File { path: path.to_owned(), bytes: Bytes::copy_from_slice(bytes) }
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let large = vec![7_u8; 3 * CHUNK];
        let (bytes, error) =
            packed(vec![file("DICOM/ST000001/SE000001/IM000001", &large), file("README.TXT", b"a"), Part::End]);
        assert!(error.is_none());
        let mut zip = zip::ZipArchive::new(io::Cursor::new(bytes)).unwrap();
        let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
        assert_eq!(names, ["DICOM/ST000001/SE000001/IM000001", "README.TXT"]);
        let mut back = Vec::new();
        io::Read::read_to_end(&mut zip.by_index(0).unwrap(), &mut back).unwrap();
        assert_eq!(back, large);
    }

    #[test]
    fn a_medium_without_its_end_is_no_zip() {
        let (bytes, error) = packed(vec![file("README.TXT", b"a")]);
        assert!(error.is_some(), "whoever takes it sees that it broke off");
        assert!(zip::ZipArchive::new(io::Cursor::new(bytes)).is_err());
    }
}
