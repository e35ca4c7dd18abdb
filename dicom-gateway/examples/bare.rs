//! The least that a durable receiver can do, for measuring: reads an object, writes it into a preallocated file, syncs
//! the file's data and answers. It reads no header, makes no hash, keeps no index and cannot give anything back.
//!
//! usage: bare FILE PORT

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dicom_ul::pdu::{AssociationAC, Pdu, PresentationContextResult, PresentationContextResultReason, UserVariableItem};
use dokuei_dicom_gateway::dimse::{Command, Status};
use dokuei_dicom_gateway::part10::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION};
use dokuei_dicom_gateway::wire::{Incoming, ValueHead, Wire, WireError};
use tokio::net::TcpStream;

/// Bytes of the file; it is overwritten from its beginning when it is full.
const LENGTH: u64 = 512 << 20;
const MAX_PDU: u32 = 262_138;

struct Journal {
    file: File,
    at: AtomicU64,
}

impl Journal {
    fn create(path: &Path) -> std::io::Result<Self> {
        let file = File::create(path)?;
        let zeros = vec![0; 1 << 20];
        for at in (0..LENGTH).step_by(zeros.len()) {
            file.write_all_at(&zeros, at)?;
        }
        file.sync_all()?;
        Ok(Self { file, at: AtomicU64::new(0) })
    }

    fn append(&self, bytes: &[u8]) -> std::io::Result<()> {
        let mut at = self.at.fetch_add(bytes.len() as u64, Ordering::Relaxed) % LENGTH;
        if at + bytes.len() as u64 > LENGTH {
            at = 0;
        }
        self.file.write_all_at(bytes, at)?;
        self.file.sync_data()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(port)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bare FILE PORT".into());
    };
    let journal = Arc::new(Journal::create(Path::new(&file))?);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port.parse::<u16>()?)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let journal = Arc::clone(&journal);
        tokio::spawn(async move {
            if let Err(error) = serve(stream, &journal).await {
                eprintln!("{error}");
            }
        });
    }
}

async fn serve(stream: TcpStream, journal: &Journal) -> Result<(), WireError> {
    let mut wire = Wire::new(stream, MAX_PDU, Duration::from_secs(60));
    let mut object = Vec::new();
    let mut command = Vec::new();
    let mut peer_max_pdu = 16_384;
    loop {
        match wire.next().await? {
            Incoming::Pdu(Pdu::AssociationRQ(request)) => {
                let presentation_contexts = request
                    .presentation_contexts
                    .iter()
                    .map(|proposed| PresentationContextResult {
                        id: proposed.id,
                        reason: PresentationContextResultReason::Acceptance,
                        transfer_syntax: proposed.transfer_syntaxes[0].clone(),
                    })
                    .collect();
                for item in &request.user_variables {
                    if let UserVariableItem::MaxLength(length) = item {
                        peer_max_pdu = *length;
                    }
                }
                let accept = AssociationAC {
                    protocol_version: 1,
                    calling_ae_title: request.calling_ae_title,
                    called_ae_title: request.called_ae_title,
                    application_context_name: request.application_context_name,
                    presentation_contexts,
                    user_variables: vec![
                        UserVariableItem::MaxLength(MAX_PDU),
                        UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS_UID.to_owned()),
                        UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.to_owned()),
                    ],
                };
                wire.send(&accept.into()).await?;
            }
            Incoming::Pdu(Pdu::ReleaseRQ) => {
                wire.send(&Pdu::ReleaseRP).await?;
                wire.shutdown().await;
                return Ok(());
            }
            Incoming::Pdu(_) => return Ok(()),
            Incoming::Value(head @ ValueHead { is_command: true, .. }) => wire.value_into(head, &mut command).await?,
            Incoming::Value(head) => {
                wire.value_into(head, &mut object).await?;
                if head.is_last {
                    tokio::task::block_in_place(|| journal.append(&object))?;
                    let request = Command::read(&command).map_err(|_| WireError::Protocol("no command set"))?;
                    let answer = request.response(Status::SUCCESS, None).write();
                    wire.send_command(head.context, &answer, peer_max_pdu).await?;
                    object.clear();
                    command.clear();
                }
            }
        }
    }
}
