//! Packs files into a ZIP that leaves in chunks.

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Bytes of a chunk.
const CHUNK: usize = 128 << 10;

/// What is handed over.
enum Part {
    /// A file begins.
    File {
        /// Its path, of names with eight letters and three.
        path: String,
        /// How many bytes it will have.
        size: u64,
    },
    /// The next bytes of the file.
    Piece(Bytes),
    /// There are no more files.
    End,
}

/// Where files are handed over, one after the other. What waits there is one piece.
pub(super) struct Outbox(mpsc::Sender<Part>);

/// The packer's side of an [`Outbox`].
pub(super) struct Inbox(mpsc::Receiver<Part>);

impl Outbox {
    /// Both sides.
    pub fn new() -> (Self, Inbox) {
        let (outbox, inbox) = mpsc::channel(1);
        (Self(outbox), Inbox(inbox))
    }

    /// Begins a file of `size` bytes, which follow as pieces.
    ///
    /// # Errors
    /// Nobody takes the medium any more; so for all of these.
    pub async fn begin(&self, path: &str, size: i64) -> anyhow::Result<()> {
        self.hand(Part::File { path: path.to_owned(), size: u64::try_from(size).unwrap_or(0) }).await
    }

    /// Hands over bytes of the file that was begun.
    pub async fn piece(&self, bytes: Bytes) -> anyhow::Result<()> {
        self.hand(Part::Piece(bytes)).await
    }

    /// Hands over a whole file.
    pub async fn file(&self, path: &str, bytes: Bytes) -> anyhow::Result<()> {
        self.begin(path, i64::try_from(bytes.len())?).await?;
        self.piece(bytes).await
    }

    /// Says that the medium is complete.
    pub async fn end(&self) -> anyhow::Result<()> {
        self.hand(Part::End).await
    }

    async fn hand(&self, part: Part) -> anyhow::Result<()> {
        self.0.send(part).await.map_err(|_| anyhow::anyhow!("nobody takes it any more"))
    }
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
pub(super) fn pack(mut inbox: Inbox, chunks: &mpsc::Sender<io::Result<Bytes>>) {
    if let Err(error) = write(&mut inbox, chunks) {
        tracing::info!(%error, "a medium broke off");
        // Nobody listens when the other side has gone.
        let _ = chunks.blocking_send(Err(error));
    }
}

fn write(inbox: &mut Inbox, chunks: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let mut zip = ZipWriter::new_stream(Outlet { chunks, buffer: BytesMut::with_capacity(CHUNK) });
    loop {
        match inbox.0.blocking_recv() {
            Some(Part::File { path, size }) => {
                // The quickest level: it halves most images, and the network is what takes the time.
                let options = SimpleFileOptions::default()
                    .compression_method(CompressionMethod::Deflated)
                    .compression_level(Some(1))
                    .large_file(size >= u64::from(u32::MAX));
                zip.start_file(path, options)?;
            }
            Some(Part::Piece(bytes)) => zip.write_all(&bytes)?,
            Some(Part::End) => break,
            None => return Err(io::Error::other("the medium is not complete")),
        }
    }
    zip.finish()?.into_inner().flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn packed(files: &[(&str, &[&[u8]])], is_ended: bool) -> (Vec<u8>, Option<io::Error>) {
        let (outbox, inbox) = Outbox::new();
        let (chunks, mut body) = mpsc::channel(1024);
        let packing = tokio::task::spawn_blocking(move || pack(inbox, &chunks));
        for (path, pieces) in files {
            let size: usize = pieces.iter().map(|piece| piece.len()).sum();
            outbox.begin(path, i64::try_from(size).unwrap()).await.unwrap();
            for piece in *pieces {
                outbox.piece(Bytes::copy_from_slice(piece)).await.unwrap();
            }
        }
        if is_ended {
            outbox.end().await.unwrap();
        }
        drop(outbox);
        packing.await.unwrap();
        let (mut bytes, mut error) = (Vec::new(), None);
        while let Ok(chunk) = body.try_recv() {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(one) => error = Some(one),
            }
        }
        (bytes, error)
    }

    #[tokio::test]
    async fn what_is_packed_comes_out_again() {
        let large = vec![7_u8; 3 * CHUNK];
        let files: [(&str, &[&[u8]]); 2] =
            [("DICOM/ST000001/SE000001/IM000001", &[&large, b"the rest"]), ("README.TXT", &[b"a"])];
        let (bytes, error) = packed(&files, true).await;
        assert!(error.is_none());
        let mut zip = zip::ZipArchive::new(io::Cursor::new(bytes)).unwrap();
        let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
        assert_eq!(names, ["DICOM/ST000001/SE000001/IM000001", "README.TXT"]);
        let mut back = Vec::new();
        io::Read::read_to_end(&mut zip.by_index(0).unwrap(), &mut back).unwrap();
        assert_eq!(back, [&large[..], b"the rest"].concat());
    }

    #[tokio::test]
    async fn a_medium_without_its_end_is_no_zip() {
        let (bytes, error) = packed(&[("README.TXT", &[b"a"])], false).await;
        assert!(error.is_some(), "whoever takes it sees that it broke off");
        assert!(zip::ZipArchive::new(io::Cursor::new(bytes)).is_err());
    }
}
