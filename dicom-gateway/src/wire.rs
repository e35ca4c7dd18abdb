//! PDUs on a stream, for both sides of an association (PS3.8 9.3).
//!
//! Association PDUs are read and written by `dicom-ul`; P-DATA is taken apart
//! here, so that an object's bytes go from the socket into its buffer once and
//! never wait for a whole PDU. No length field is believed beyond the limit that
//! was announced, each read has a deadline, and each PDU leaves in one write.
//!
//! Stock senders keep Nagle's algorithm on and then wait some 40 ms per object
//! for a delayed acknowledgement; [`Link::hurry`] re-arms the quick one.

use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use dicom_ul::pdu::{AbortRQServiceProviderReason, AbortRQSource, Pdu, read_pdu, write_pdu};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// A P-DATA head before its first item: type, reserved, length.
const PDU_HEAD: usize = 6;
/// A PDV's length, context ID and control header.
const PDV_HEAD: usize = 6;
const READ_AT_ONCE: usize = 64 * 1024;

/// A stream that DICOM can be spoken over.
pub trait Link: AsyncRead + AsyncWrite + Unpin + Send + Sync {
    /// Asks that what arrives be acknowledged at once. Called before each read.
    fn hurry(&self);
}

impl Link for TcpStream {
    fn hurry(&self) {
        // Only a wish: without it the association is slower, never wrong.
        #[cfg(target_os = "linux")]
        if let Err(error) = socket2::SockRef::from(self).set_tcp_quickack(true) {
            tracing::trace!(%error, "TCP_QUICKACK was refused");
        }
    }
}

impl Link for tokio_rustls::server::TlsStream<TcpStream> {
    fn hurry(&self) {
        self.get_ref().0.hurry();
    }
}

impl Link for tokio_rustls::client::TlsStream<TcpStream> {
    fn hurry(&self) {
        self.get_ref().0.hurry();
    }
}

impl Link for Box<dyn Link> {
    fn hurry(&self) {
        (**self).hurry();
    }
}

/// Why nothing more can be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The peer closed the connection or it broke.
    #[error("the connection was lost")]
    Lost(#[source] io::Error),
    /// Nothing came, or nothing was taken, for this long.
    #[error("the peer was silent for {0:?}")]
    Silent(Duration),
    /// A message comes, but at less than the pace.
    #[error("the peer sends too slowly")]
    Slow,
    /// A PDU is longer than announced, or of an unknown type.
    #[error("the peer broke the protocol: {0}")]
    Protocol(&'static str),
    /// A PDU of ours could not be encoded.
    #[error("a PDU could not be written")]
    Encode,
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

/// What came next.
#[derive(Debug)]
pub enum Incoming {
    /// The head of a presentation data value; its bytes must be read next, by
    /// [`Wire::value_into`] or [`Wire::skip_value`].
    Value(ValueHead),
    /// Any other PDU.
    Pdu(Pdu),
}

/// A presentation data value's head (PS3.8 annex E.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueHead {
    /// Presentation context ID.
    pub context: u8,
    /// Part of a command set, else of a data set.
    pub is_command: bool,
    /// The last fragment of it.
    pub is_last: bool,
    /// Bytes of this fragment.
    pub len: usize,
}

/// The slowest that a message may come: as many bytes in each span of time that was spent on waiting for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The span.
    pub window: Duration,
    /// Bytes within it.
    pub bytes: u64,
}

/// How a message comes.
#[derive(Clone, Copy, Default)]
struct Coming {
    waited: Duration,
    bytes: u64,
}

/// PDUs over a [`Link`].
pub struct Wire<L> {
    link: L,
    buffer: BytesMut,
    /// Bytes of the current P-DATA that were not yet taken apart.
    in_pdata: usize,
    max_pdu: u32,
    idle: Duration,
    received: u64,
    pace: Option<Pace>,
    /// Only while a message is coming.
    coming: Option<Coming>,
}

impl<L: Link> Wire<L> {
    /// `max_pdu` is the longest PDU accepted, in bytes after its head; `idle` is
    /// the longest silence of the peer.
    pub fn new(link: L, max_pdu: u32, idle: Duration) -> Self {
        Self {
            link,
            buffer: BytesMut::with_capacity(READ_AT_ONCE),
            in_pdata: 0,
            max_pdu,
            idle,
            received: 0,
            pace: None,
            coming: None,
        }
    }

    /// Bytes received so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Whether everything that came so far has been taken apart, to the end of a PDU.
    pub fn is_between_pdus(&self) -> bool {
        self.buffer.is_empty() && self.in_pdata == 0
    }

    /// Changes the longest silence allowed.
    pub fn set_idle(&mut self, idle: Duration) {
        self.idle = idle;
    }

    /// Sets the slowest that messages may come. A peer that is never silent for long can still be one that never ends.
    pub fn set_pace(&mut self, pace: Pace) {
        self.pace = Some(pace);
    }

    /// A message has begun: until something is sent, or [`Wire::ready`] waits for the next one, it must keep the pace.
    pub fn message_begins(&mut self) {
        self.coming = Some(Coming::default());
    }

    /// Waits until something of the next PDU is here. Loses nothing when dropped.
    pub async fn ready(&mut self) -> Result<(), WireError> {
        self.coming = None;
        if self.buffer.is_empty() { self.fill(1).await } else { Ok(()) }
    }

    /// Reads up to the next PDU or presentation data value head.
    pub async fn next(&mut self) -> Result<Incoming, WireError> {
        loop {
            if self.in_pdata > 0 {
                return self.value_head().await.map(Incoming::Value);
            }
            self.fill(PDU_HEAD).await?;
            let kind = self.buffer[0];
            let length = u32::from_be_bytes([self.buffer[2], self.buffer[3], self.buffer[4], self.buffer[5]]);
            if length > self.max_pdu {
                return Err(WireError::Protocol("a PDU exceeds the announced maximum length"));
            }
            if kind == 0x04 {
                self.buffer.advance(PDU_HEAD);
                self.in_pdata = length as usize;
                continue;
            }
            if !(0x01..=0x07).contains(&kind) {
                return Err(WireError::Protocol("a PDU is of an unknown type"));
            }
            self.fill(PDU_HEAD + length as usize).await?;
            let whole = self.buffer.split_to(PDU_HEAD + length as usize);
            return match read_pdu(&whole[..], self.max_pdu, true) {
                Ok(Some(pdu)) => Ok(Incoming::Pdu(pdu)),
                Ok(None) | Err(_) => Err(WireError::Protocol("a PDU cannot be understood")),
            };
        }
    }

    async fn value_head(&mut self) -> Result<ValueHead, WireError> {
        if self.in_pdata < PDV_HEAD {
            return Err(WireError::Protocol("a presentation data value is cut off"));
        }
        self.fill(PDV_HEAD).await?;
        let length = self.buffer.get_u32() as usize;
        let (context, control) = (self.buffer.get_u8(), self.buffer.get_u8());
        if length < 2 || length + 4 > self.in_pdata {
            return Err(WireError::Protocol("a presentation data value has an impossible length"));
        }
        self.in_pdata -= PDV_HEAD;
        Ok(ValueHead { context, is_command: control & 1 != 0, is_last: control & 2 != 0, len: length - 2 })
    }

    /// Appends the value's bytes to `target`.
    pub async fn value_into(&mut self, head: ValueHead, target: &mut Vec<u8>) -> Result<(), WireError> {
        let mut left = head.len;
        target.reserve(left);
        while left > 0 {
            if self.buffer.is_empty() {
                self.link.hurry();
                let begun = Instant::now();
                let mut limited = (&mut self.link).take(left as u64);
                let read =
                    timeout(self.idle, limited.read_buf(target)).await.map_err(|_| WireError::Silent(self.idle))??;
                self.came(read, begun)?;
                self.in_pdata -= read;
                left -= read;
            } else {
                let part = left.min(self.buffer.len());
                target.extend_from_slice(&self.buffer[..part]);
                self.buffer.advance(part);
                self.in_pdata -= part;
                left -= part;
            }
        }
        Ok(())
    }

    /// Reads the value's bytes and forgets them.
    pub async fn skip_value(&mut self, head: ValueHead) -> Result<(), WireError> {
        let mut left = head.len;
        while left > 0 {
            if self.buffer.is_empty() {
                self.fill(1).await?;
            }
            let part = left.min(self.buffer.len());
            self.buffer.advance(part);
            self.in_pdata -= part;
            left -= part;
        }
        Ok(())
    }

    /// Reads until `wanted` bytes are buffered.
    async fn fill(&mut self, wanted: usize) -> Result<(), WireError> {
        while self.buffer.len() < wanted {
            self.buffer.reserve(READ_AT_ONCE.min((wanted - self.buffer.len()).max(4096)));
            self.link.hurry();
            let begun = Instant::now();
            let read = timeout(self.idle, self.link.read_buf(&mut self.buffer))
                .await
                .map_err(|_| WireError::Silent(self.idle))??;
            self.came(read, begun)?;
        }
        Ok(())
    }

    /// Counts what was read. Only the time of waiting for it counts, not what we do in between.
    fn came(&mut self, read: usize, begun: Instant) -> Result<(), WireError> {
        if read == 0 {
            return Err(WireError::Lost(io::ErrorKind::UnexpectedEof.into()));
        }
        self.received += read as u64;
        let (Some(pace), Some(coming)) = (self.pace, &mut self.coming) else { return Ok(()) };
        coming.waited += begun.elapsed();
        coming.bytes += read as u64;
        if coming.waited >= pace.window {
            if coming.bytes < pace.bytes {
                return Err(WireError::Slow);
            }
            *coming = Coming::default();
        }
        Ok(())
    }

    /// Sends a PDU other than P-DATA.
    pub async fn send(&mut self, pdu: &Pdu) -> Result<(), WireError> {
        let mut bytes = Vec::with_capacity(512);
        write_pdu(&mut bytes, pdu).map_err(|_| WireError::Encode)?;
        self.send_bytes(&bytes).await
    }

    /// Sends a command set in fragments that fit the peer's `max_pdu` (0: no limit).
    pub async fn send_command(&mut self, context: u8, command: &[u8], max_pdu: u32) -> Result<(), WireError> {
        let mut bytes = Vec::with_capacity(command.len() + 64);
        fragments(&mut bytes, context, command, true, max_pdu);
        self.send_bytes(&bytes).await
    }

    /// Sends a command set and the data set that belongs to it.
    pub async fn send_message(
        &mut self,
        context: u8,
        command: &[u8],
        dataset: &[u8],
        max_pdu: u32,
    ) -> Result<(), WireError> {
        let mut bytes = Vec::with_capacity(command.len() + READ_AT_ONCE + 64);
        fragments(&mut bytes, context, command, true, max_pdu);
        let size = fragment_size(max_pdu);
        let last = dataset.len().div_ceil(size).max(1) - 1;
        for index in 0..=last {
            let part = &dataset[index * size..dataset.len().min((index + 1) * size)];
            fragment(&mut bytes, context, part, if index == last { 2 } else { 0 });
            if bytes.len() >= READ_AT_ONCE || index == last {
                self.send_bytes(&bytes).await?;
                bytes.clear();
            }
        }
        Ok(())
    }

    /// Sends the next part of a data set, of even length but for the last.
    pub async fn send_part(&mut self, context: u8, part: &[u8], last: bool, max_pdu: u32) -> Result<(), WireError> {
        let size = fragment_size(max_pdu);
        let count = part.len().div_ceil(size).max(1);
        let mut bytes = Vec::with_capacity(part.len().min(READ_AT_ONCE) + 64);
        for index in 0..count {
            let piece = &part[index * size..part.len().min((index + 1) * size)];
            let ends = index + 1 == count;
            fragment(&mut bytes, context, piece, if last && ends { 2 } else { 0 });
            if bytes.len() >= READ_AT_ONCE || ends {
                self.send_bytes(&bytes).await?;
                bytes.clear();
            }
        }
        Ok(())
    }

    /// Says goodbye as the service provider. Errors no longer matter.
    pub async fn abort(&mut self, reason: AbortRQServiceProviderReason) {
        let pdu = Pdu::AbortRQ { source: AbortRQSource::ServiceProvider(reason) };
        if let Err(error) = self.send(&pdu).await {
            tracing::debug!(%error, "an A-ABORT could not be sent");
        }
    }

    /// Ends our direction of the stream.
    pub async fn shutdown(&mut self) {
        if let Ok(Err(error)) = timeout(self.idle, self.link.shutdown()).await {
            tracing::trace!(%error, "the connection was gone already");
        }
    }

    async fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.coming = None;
        timeout(self.idle, async {
            self.link.write_all(bytes).await?;
            self.link.flush().await
        })
        .await
        .map_err(|_| WireError::Silent(self.idle))??;
        Ok(())
    }
}

/// The most bytes of a message that go into one P-DATA for a peer with this
/// maximum. Larger than 256 KiB gains nothing.
fn fragment_size(max_pdu: u32) -> usize {
    let limit = if max_pdu == 0 { 262_144 } else { (max_pdu as usize).min(262_144) };
    // Even, as PS3.8 annex E.2 wants of every fragment; room at least for 2 bytes.
    limit.saturating_sub(PDV_HEAD).max(2) & !1
}

fn fragments(out: &mut Vec<u8>, context: u8, message: &[u8], is_command: bool, max_pdu: u32) {
    let size = fragment_size(max_pdu);
    let last = message.len().div_ceil(size).max(1) - 1;
    for index in 0..=last {
        let part = &message[index * size..message.len().min((index + 1) * size)];
        fragment(out, context, part, u8::from(is_command) | if index == last { 2 } else { 0 });
    }
}

fn fragment(out: &mut Vec<u8>, context: u8, part: &[u8], control: u8) {
    let value = part.len() as u32 + 2;
    out.extend_from_slice(&[0x04, 0]);
    out.extend_from_slice(&(value + 4).to_be_bytes());
    out.extend_from_slice(&value.to_be_bytes());
    out.extend_from_slice(&[context, control]);
    out.extend_from_slice(part);
}
