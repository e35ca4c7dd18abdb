//! A command set as a value.

use dicom_core::Tag;

use super::Status;

/// What a message asks or answers (Command Field (0000,0100), PS3.7 annex E).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// C-STORE-RQ
    StoreRequest,
    /// C-STORE-RSP
    StoreResponse,
    /// C-GET-RQ
    GetRequest,
    /// C-GET-RSP
    GetResponse,
    /// C-FIND-RQ
    FindRequest,
    /// C-FIND-RSP
    FindResponse,
    /// C-MOVE-RQ
    MoveRequest,
    /// C-MOVE-RSP
    MoveResponse,
    /// C-ECHO-RQ
    EchoRequest,
    /// C-ECHO-RSP
    EchoResponse,
    /// N-EVENT-REPORT-RQ
    EventReportRequest,
    /// N-EVENT-REPORT-RSP
    EventReportResponse,
    /// N-GET-RQ
    AttributesGetRequest,
    /// N-GET-RSP
    AttributesGetResponse,
    /// N-SET-RQ
    SetRequest,
    /// N-SET-RSP
    SetResponse,
    /// N-ACTION-RQ
    ActionRequest,
    /// N-ACTION-RSP
    ActionResponse,
    /// N-CREATE-RQ
    CreateRequest,
    /// N-CREATE-RSP
    CreateResponse,
    /// N-DELETE-RQ
    DeleteRequest,
    /// N-DELETE-RSP
    DeleteResponse,
    /// C-CANCEL-RQ, which has no response.
    Cancel,
    /// Any other command field, as received.
    Other(u16),
}

const FIELDS: [(Kind, u16); 23] = [
    (Kind::StoreRequest, 0x0001),
    (Kind::StoreResponse, 0x8001),
    (Kind::GetRequest, 0x0010),
    (Kind::GetResponse, 0x8010),
    (Kind::FindRequest, 0x0020),
    (Kind::FindResponse, 0x8020),
    (Kind::MoveRequest, 0x0021),
    (Kind::MoveResponse, 0x8021),
    (Kind::EchoRequest, 0x0030),
    (Kind::EchoResponse, 0x8030),
    (Kind::EventReportRequest, 0x0100),
    (Kind::EventReportResponse, 0x8100),
    (Kind::AttributesGetRequest, 0x0110),
    (Kind::AttributesGetResponse, 0x8110),
    (Kind::SetRequest, 0x0120),
    (Kind::SetResponse, 0x8120),
    (Kind::ActionRequest, 0x0130),
    (Kind::ActionResponse, 0x8130),
    (Kind::CreateRequest, 0x0140),
    (Kind::CreateResponse, 0x8140),
    (Kind::DeleteRequest, 0x0150),
    (Kind::DeleteResponse, 0x8150),
    (Kind::Cancel, 0x0FFF),
];

impl Kind {
    fn of(field: u16) -> Self {
        FIELDS.iter().find(|(_, known)| *known == field).map_or(Self::Other(field), |(kind, _)| *kind)
    }

    /// The command field's value.
    pub fn field(self) -> u16 {
        match self {
            Self::Other(field) => field,
            kind => FIELDS.iter().find(|(known, _)| *known == kind).map_or(0, |(_, field)| *field),
        }
    }

    /// Whether it expects an answer.
    pub fn is_request(self) -> bool {
        self.field() & 0x8000 == 0 && self != Self::Cancel
    }

    /// Whether its UIDs are Requested ones, (0000,0003) and (0000,1001), not Affected ones.
    fn names_requested(self) -> bool {
        matches!(self, Self::AttributesGetRequest | Self::SetRequest | Self::ActionRequest | Self::DeleteRequest)
    }
}

/// How far a C-MOVE or C-GET has come (PS3.7 9.1.3 and 9.1.4), in instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubOperations {
    /// Number of Remaining Sub-operations (0000,1020); absent in a final answer.
    pub remaining: Option<u16>,
    /// Number of Completed Sub-operations (0000,1021).
    pub completed: u16,
    /// Number of Failed Sub-operations (0000,1022).
    pub failed: u16,
    /// Number of Warning Sub-operations (0000,1023).
    pub warning: u16,
}

/// A command set. UIDs are as received, without padding and unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Command Field (0000,0100).
    pub kind: Kind,
    /// Message ID (0000,0110), or the one being responded to (0000,0120).
    pub message_id: u16,
    /// Affected SOP Class UID (0000,0002), or Requested (0000,0003) where the kind has that.
    pub sop_class: Option<String>,
    /// Affected SOP Instance UID (0000,1000), or Requested (0000,1001).
    pub sop_instance: Option<String>,
    /// A data set follows (Command Data Set Type (0000,0800) is not 0101H).
    pub has_dataset: bool,
    /// Priority (0000,0700): 0 medium, 1 high, 2 low.
    pub priority: Option<u16>,
    /// Move Destination (0000,0600).
    pub move_destination: Option<String>,
    /// Status (0000,0900) of a response.
    pub status: Option<Status>,
    /// Offending Element (0000,0901).
    pub offending: Vec<Tag>,
    /// Error Comment (0000,0902), at most 64 characters.
    pub error_comment: Option<String>,
    /// Error ID (0000,0903).
    pub error_id: Option<u16>,
    /// Event Type ID (0000,1002).
    pub event_type: Option<u16>,
    /// Attribute Identifier List (0000,1005).
    pub attributes: Vec<Tag>,
    /// Action Type ID (0000,1008).
    pub action_type: Option<u16>,
    /// Counts (0000,1020) to (0000,1023) of a C-MOVE or C-GET response.
    pub sub_operations: Option<SubOperations>,
    /// Move Originator Application Entity Title (0000,1030) of a C-STORE.
    pub originator: Option<String>,
    /// Move Originator Message ID (0000,1031) of a C-STORE.
    pub originator_message: Option<u16>,
}

/// A command set that cannot be acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// An element goes beyond the end.
    #[error("the command set is cut off")]
    Truncated,
    /// No Command Field or no Message ID.
    #[error("the command set lacks its command field or message ID")]
    Incomplete,
}

impl Command {
    /// A C-ECHO request.
    pub fn echo_request(message_id: u16) -> Self {
        Self::new(Kind::EchoRequest, message_id, Some(super::VERIFICATION.to_owned()))
    }

    /// A C-STORE request; the data set follows.
    pub fn store_request(message_id: u16, sop_class: &str, sop_instance: &str) -> Self {
        Self {
            sop_instance: Some(sop_instance.to_owned()),
            has_dataset: true,
            priority: Some(0),
            ..Self::new(Kind::StoreRequest, message_id, Some(sop_class.to_owned()))
        }
    }

    /// A C-FIND, C-MOVE or C-GET request; the identifier follows.
    pub fn query_request(kind: Kind, message_id: u16, sop_class: &str) -> Self {
        Self { has_dataset: true, priority: Some(0), ..Self::new(kind, message_id, Some(sop_class.to_owned())) }
    }

    /// An N-EVENT-REPORT request; its information follows.
    pub fn event_report(message_id: u16, sop_class: &str, sop_instance: &str, event_type: u16) -> Self {
        Self {
            sop_instance: Some(sop_instance.to_owned()),
            event_type: Some(event_type),
            has_dataset: true,
            ..Self::new(Kind::EventReportRequest, message_id, Some(sop_class.to_owned()))
        }
    }

    /// A C-CANCEL of the request with this message ID.
    pub fn cancel(message_id: u16) -> Self {
        Self::new(Kind::Cancel, message_id, None)
    }

    /// A command of nothing but this.
    pub fn new(kind: Kind, message_id: u16, sop_class: Option<String>) -> Self {
        Self {
            kind,
            message_id,
            sop_class,
            sop_instance: None,
            has_dataset: false,
            priority: None,
            move_destination: None,
            status: None,
            offending: Vec::new(),
            error_comment: None,
            error_id: None,
            event_type: None,
            attributes: Vec::new(),
            action_type: None,
            sub_operations: None,
            originator: None,
            originator_message: None,
        }
    }

    /// The response to this request, with its UIDs, message ID and type of event or action.
    pub fn response(&self, status: Status, comment: Option<&str>) -> Self {
        Self {
            sop_instance: self.sop_instance.clone(),
            status: Some(status),
            error_comment: comment.map(str::to_owned),
            event_type: self.event_type,
            action_type: self.action_type,
            ..Self::new(Kind::of(self.kind.field() | 0x8000), self.message_id, self.sop_class.clone())
        }
    }

    /// Reads a complete command set.
    pub fn read(mut bytes: &[u8]) -> Result<Self, CommandError> {
        let mut command = Self::new(Kind::Other(0), 0, None);
        let (mut field, mut id, mut affected_class, mut affected_instance) = (None, None, None, None);
        while !bytes.is_empty() {
            let [g0, g1, e0, e1, l0, l1, l2, l3, rest @ ..] = bytes else { return Err(CommandError::Truncated) };
            let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
            let value = rest.get(..length).ok_or(CommandError::Truncated)?;
            bytes = &rest[length..];
            if (*g0, *g1) != (0, 0) {
                continue;
            }
            let number = || match value {
                [a, b, ..] => Some(u16::from_le_bytes([*a, *b])),
                _ => None,
            };
            let text = || {
                let text: String = value.iter().map(|&byte| char::from(byte)).collect();
                Some(text.trim_matches(['\0', ' ']).to_owned())
            };
            match u16::from_le_bytes([*e0, *e1]) {
                0x0002 => affected_class = text(),
                0x0003 => command.sop_class = text(),
                0x0100 => field = number(),
                0x0110 | 0x0120 => id = number(),
                0x0600 => command.move_destination = text(),
                0x0700 => command.priority = number(),
                0x0800 => command.has_dataset = number() != Some(0x0101),
                0x0900 => command.status = number().map(Status),
                0x0901 => command.offending = tags(value),
                0x0902 => command.error_comment = text(),
                0x0903 => command.error_id = number(),
                0x1000 => affected_instance = text(),
                0x1001 => command.sop_instance = text(),
                0x1002 => command.event_type = number(),
                0x1005 => command.attributes = tags(value),
                0x1008 => command.action_type = number(),
                0x1020 => command.sub_operations.get_or_insert_default().remaining = number(),
                0x1021 => command.sub_operations.get_or_insert_default().completed = number().unwrap_or(0),
                0x1022 => command.sub_operations.get_or_insert_default().failed = number().unwrap_or(0),
                0x1023 => command.sub_operations.get_or_insert_default().warning = number().unwrap_or(0),
                0x1030 => command.originator = text(),
                0x1031 => command.originator_message = number(),
                _ => {}
            }
        }
        command.kind = Kind::of(field.ok_or(CommandError::Incomplete)?);
        command.message_id = id.ok_or(CommandError::Incomplete)?;
        command.sop_class = affected_class.or(command.sop_class);
        command.sop_instance = affected_instance.or(command.sop_instance);
        Ok(command)
    }

    /// The command set with its group length, elements in order.
    pub fn write(&self) -> Vec<u8> {
        let mut body = Body(Vec::with_capacity(256));
        let requested = self.kind.names_requested();
        body.text(if requested { 0x0003 } else { 0x0002 }, self.sop_class.as_deref(), 0);
        body.number(0x0100, Some(self.kind.field()));
        body.number(if self.kind.is_request() { 0x0110 } else { 0x0120 }, Some(self.message_id));
        body.text(0x0600, self.move_destination.as_deref(), b' ');
        body.number(0x0700, self.priority);
        body.number(0x0800, Some(if self.has_dataset { 0x0001 } else { 0x0101 }));
        body.number(0x0900, self.status.map(|status| status.0));
        body.tags(0x0901, &self.offending);
        if let Some(comment) = &self.error_comment {
            let ascii: Vec<u8> = comment.bytes().filter(|byte| (0x20..0x7F).contains(byte)).take(64).collect();
            put(&mut body.0, 0x0902, &ascii, b' ');
        }
        body.number(0x0903, self.error_id);
        body.text(if requested { 0x1001 } else { 0x1000 }, self.sop_instance.as_deref(), 0);
        body.number(0x1002, self.event_type);
        body.tags(0x1005, &self.attributes);
        body.number(0x1008, self.action_type);
        if let Some(counts) = self.sub_operations {
            body.number(0x1020, counts.remaining);
            body.number(0x1021, Some(counts.completed));
            body.number(0x1022, Some(counts.failed));
            body.number(0x1023, Some(counts.warning));
        }
        body.text(0x1030, self.originator.as_deref(), b' ');
        body.number(0x1031, self.originator_message);
        let Body(body) = body;
        let mut out = Vec::with_capacity(body.len() + 12);
        put(&mut out, 0x0000, &u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes(), 0);
        out.extend_from_slice(&body);
        out
    }
}

/// The elements behind the group length; what is absent is left out.
struct Body(Vec<u8>);

impl Body {
    fn text(&mut self, element: u16, text: Option<&str>, padding: u8) {
        if let Some(text) = text {
            put(&mut self.0, element, text.as_bytes(), padding);
        }
    }

    fn number(&mut self, element: u16, number: Option<u16>) {
        if let Some(number) = number {
            put(&mut self.0, element, &number.to_le_bytes(), 0);
        }
    }

    fn tags(&mut self, element: u16, tags: &[Tag]) {
        if !tags.is_empty() {
            let words = tags.iter().flat_map(|tag| [tag.group(), tag.element()]);
            put(&mut self.0, element, &words.flat_map(u16::to_le_bytes).collect::<Vec<_>>(), 0);
        }
    }
}

fn tags(value: &[u8]) -> Vec<Tag> {
    let word = |low, high| u16::from_le_bytes([low, high]);
    value.chunks_exact(4).map(|four| Tag(word(four[0], four[1]), word(four[2], four[3]))).collect()
}

fn put(out: &mut Vec<u8>, element: u16, value: &[u8], padding: u8) {
    let padded = value.len() + value.len() % 2;
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&element.to_le_bytes());
    out.extend_from_slice(&u32::try_from(padded).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(value);
    if padded > value.len() {
        out.push(padding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let request = Command::store_request(7, "1.2.840.10008.5.1.4.1.1.2", "1.2.3");
        assert_eq!(Command::read(&request.write()), Ok(request.clone()));
        let response = request.response(Status::OUT_OF_RESOURCES, Some("no room"));
        assert_eq!(Command::read(&response.write()), Ok(response.clone()));
        assert_eq!((response.kind, response.message_id), (Kind::StoreResponse, 7));
        let mut action = Command::new(Kind::ActionRequest, 9, Some("1.2.840.10008.1.20.1".to_owned()));
        action.sop_instance = Some("1.2.840.10008.1.20.1.1".to_owned());
        action.action_type = Some(1);
        action.attributes = vec![Tag(0x0008, 0x1195)];
        assert_eq!(Command::read(&action.write()), Ok(action.clone()));
        assert_eq!(&action.write()[12..16], [0, 0, 3, 0], "a Requested SOP Class UID");
        let mut moved = Command::query_request(Kind::MoveRequest, 3, "1.2").response(Status::PENDING, None);
        moved.sub_operations = Some(SubOperations { remaining: Some(4), completed: 1, failed: 2, warning: 3 });
        moved.originator = Some("HERE".to_owned());
        moved.originator_message = Some(1);
        moved.offending = vec![Tag(0x0010, 0x0020), Tag(0x0008, 0x0052)];
        moved.error_id = Some(5);
        assert_eq!(Command::read(&moved.write()), Ok(moved));
        assert_eq!(Command::read(&Command::cancel(3).write()), Ok(Command::cancel(3)));
    }

    #[test]
    fn an_error_comment_never_exceeds_64_ascii_characters() {
        let response = Command::echo_request(1).response(Status::PROCESSING_FAILURE, Some(&"読x".repeat(100)));
        let read = Command::read(&response.write()).unwrap();
        assert_eq!(read.error_comment.unwrap(), "x".repeat(64));
    }

    #[test]
    fn a_command_set_that_is_cut_off_is_refused() {
        let whole = Command::echo_request(1).write();
        assert_eq!(Command::read(&whole[..whole.len() - 1]), Err(CommandError::Truncated));
        assert_eq!(Command::read(&[]), Err(CommandError::Incomplete));
        assert_eq!(Command::read(&[0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF]), Err(CommandError::Truncated));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = Command::read(&bytes);
        }
    }
}
