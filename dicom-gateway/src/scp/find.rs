//! C-FIND of the Query/Retrieve models (PS3.4 C.4.1): answers one by one until there are no more or the peer cancels.

use dokuei_models::store::image_search::Page;

use super::association::Association;
use super::desk::Outcome;
use super::identifier::{self, Unfit};
use super::library::Usage;
use crate::charset::Repertoire;
use crate::dataset::{self, DataSet, Limits, Syntax};
use crate::dimse::{Command, Kind, Status};
use crate::wire::{Incoming, Link};

/// Matches looked up at a time.
const PAGE: u32 = 100;

/// Longest identifier, in bytes. A list of 1000 UIDs has 65 kB.
const MAX_IDENTIFIER: usize = 1 << 20;

/// Models whose root is the patient.
pub(super) const PATIENT_ROOT: &str = "1.2.840.10008.5.1.4.1.2.1.";

/// How a service ended: the final status, and words for the peer.
pub(super) type Ending = (Status, Option<&'static str>);

impl<L: Link> Association<L> {
    pub(super) async fn find(&mut self, context: u8, command: &Command) -> Result<(), Outcome> {
        let identifier = match self.identifier(context, command).await? {
            Ok(identifier) => identifier,
            Err(unfit) => return self.refuse(context, command, unfit).await,
        };
        let class = self.class_of(context);
        let asked = identifier::level(&identifier, class.starts_with(PATIENT_ROOT))
            .and_then(|level| identifier::matching(&identifier).map(|keys| (level, keys)));
        let (level, keys) = match asked {
            Ok(asked) => asked,
            Err(unfit) => return self.refuse(context, command, unfit).await,
        };
        let Some(library) = self.library() else {
            return self.answer(context, command, Status::UNRECOGNIZED_OPERATION, None).await;
        };
        let who = self.requester();
        let ours = self.shared.config.ae_title.to_string();
        let (mut count, mut offset) = (0, 0);
        let (status, comment): Ending = 'pages: loop {
            let page = match library.find(&who, level, &keys, Page { limit: PAGE, offset }).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(calling = %self.calling, %error, "a query could not be answered");
                    break (Status::OUT_OF_RESOURCES, Some("the index is unavailable, ask again later"));
                }
            };
            for found in &page {
                if self.is_cancelled(command).await? {
                    break 'pages (Status::CANCELLED, None);
                }
                let (answer, unsupported) = identifier::answer(&identifier, level, found, &ours);
                let status = if unsupported { Status::PENDING_WITHOUT_SOME_KEYS } else { Status::PENDING };
                self.pending(context, command, status, &identifier, &answer).await?;
                count += 1;
            }
            if page.len() < PAGE as usize {
                break (Status::SUCCESS, None);
            }
            offset += PAGE;
        };
        let level = level.word();
        let usage = Usage { service: "find", level, count, failed: 0, destination: String::new(), status: status.0 };
        library.used(&who, usage).await;
        self.answer(context, command, status, comment).await
    }

    /// The data set of a request. `Err` if it is too long or cannot be read.
    pub(super) async fn identifier(
        &mut self,
        context: u8,
        command: &Command,
    ) -> Result<Result<DataSet, Unfit>, Outcome> {
        let unfit = |comment| Unfit { status: Status::CANNOT_UNDERSTAND, comment, offending: None };
        let agreed = self.agreement.contexts.get(&context);
        let agreed = agreed.filter(|agreed| Some(agreed.abstract_syntax.as_str()) == command.sop_class.as_deref());
        let syntax = agreed.map(|agreed| agreed.transfer_syntax.clone());
        let mut bytes = Vec::new();
        let mut left = command.has_dataset;
        while left {
            let head = self.next_data(context).await?;
            if bytes.len() + head.len > MAX_IDENTIFIER {
                self.wire.skip_value(head).await?;
                bytes.resize(MAX_IDENTIFIER + 1, 0);
            } else {
                self.wire.value_into(head, &mut bytes).await?;
            }
            left = !head.is_last;
        }
        let Some(syntax) = syntax else {
            let comment = "the SOP class is not that of the presentation context";
            return Ok(Err(Unfit { status: Status::CLASS_NOT_SUPPORTED, comment, offending: None }));
        };
        if bytes.len() > MAX_IDENTIFIER {
            return Ok(Err(unfit("the data set is too long")));
        }
        let limits = Limits { inline: MAX_IDENTIFIER, elements: 50_000 };
        Ok(dataset::read(&bytes, &syntax, limits).map_err(|_| unfit("the data set cannot be read")))
    }

    /// Sends one match.
    pub(super) async fn pending(
        &mut self,
        context: u8,
        command: &Command,
        status: Status,
        identifier: &DataSet,
        answer: &DataSet,
    ) -> Result<(), Outcome> {
        let bytes = self.encode(context, identifier, answer);
        let mut response = command.response(status, None);
        response.has_dataset = true;
        let max = self.agreement.peer_max_pdu;
        Ok(self.wire.send_message(context, &response.write(), &bytes, max).await?)
    }

    /// A data set in the syntax of the context and in character sets that the peer reads: those it is registered with,
    /// else those of its request where they suffice, else ISO 2022 IR 87 where the request is in no other set than a
    /// Japanese one, else UTF-8 (Orthanc asks in ISO_IR 100 and reads no code extensions).
    pub(super) fn encode(&self, context: u8, request: &DataSet, answer: &DataSet) -> Vec<u8> {
        use dicom_dictionary_std::tags::SPECIFIC_CHARACTER_SET;
        let agreed = self.agreement.contexts.get(&context).map(|agreed| agreed.transfer_syntax.as_str());
        let syntax = agreed.and_then(Syntax::of).unwrap_or(Syntax::Implicit);
        let written = |repertoire: &Repertoire| dataset::write(answer, syntax, repertoire, self.rights.names);
        let sets = match &self.rights.repertoire {
            Some(registered) => vec![registered.clone()],
            None => {
                let declared = request.texts(SPECIFIC_CHARACTER_SET).join("\\");
                let japanese =
                    declared.is_empty() || ["IR 13", "IR 87", "IR 159"].iter().any(|set| declared.contains(set));
                let kanji = japanese.then(Repertoire::kanji);
                let asked = Repertoire::parse(&declared);
                asked.into_iter().chain(kanji).chain([Repertoire::utf8()]).collect()
            }
        };
        let mut last = Vec::new();
        for repertoire in &sets {
            match written(repertoire) {
                Ok(written) if !written.lossy => return written.bytes,
                Ok(written) => last = written.bytes,
                Err(error) => tracing::error!(%error, "an answer could not be written"),
            }
        }
        last
    }

    /// Answers a request that cannot be acted on.
    pub(super) async fn refuse(&mut self, context: u8, command: &Command, unfit: Unfit) -> Result<(), Outcome> {
        let mut response = command.response(unfit.status, Some(unfit.comment));
        response.offending = unfit.offending.into_iter().collect();
        Ok(self.wire.send_command(context, &response.write(), self.agreement.peer_max_pdu).await?)
    }

    /// Whether the peer has cancelled this request; does not wait.
    pub(super) async fn is_cancelled(&mut self, command: &Command) -> Result<bool, Outcome> {
        loop {
            tokio::select! {
                biased;
                ready = self.wire.ready() => ready?,
                () = std::future::ready(()) => return Ok(false),
            }
            let Incoming::Value(head) = self.wire.next().await? else { return Err(Outcome::Aborted) };
            let came = self.command(head).await?;
            // One operation at a time was agreed on: nothing else can come now.
            match came.kind {
                Kind::Cancel if came.message_id == command.message_id => return Ok(true),
                Kind::Cancel => {}
                _ => return Err(Outcome::ProtocolError),
            }
        }
    }
}
