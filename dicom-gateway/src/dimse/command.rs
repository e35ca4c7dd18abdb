//! A command set as a value.

use super::Status;

/// What a message asks or answers (Command Field (0000,0100)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// C-STORE-RQ
    StoreRequest,
    /// C-STORE-RSP
    StoreResponse,
    /// C-ECHO-RQ
    EchoRequest,
    /// C-ECHO-RSP
    EchoResponse,
    /// C-CANCEL-RQ, which has no response.
    Cancel,
    /// Any other command field, as received.
    Other(u16),
}

impl Kind {
    fn of(field: u16) -> Self {
        match field {
            0x0001 => Self::StoreRequest,
            0x8001 => Self::StoreResponse,
            0x0030 => Self::EchoRequest,
            0x8030 => Self::EchoResponse,
            0x0FFF => Self::Cancel,
            other => Self::Other(other),
        }
    }

    /// The command field's value.
    pub fn field(self) -> u16 {
        match self {
            Self::StoreRequest => 0x0001,
            Self::StoreResponse => 0x8001,
            Self::EchoRequest => 0x0030,
            Self::EchoResponse => 0x8030,
            Self::Cancel => 0x0FFF,
            Self::Other(other) => other,
        }
    }

    /// Whether it expects an answer.
    pub fn is_request(self) -> bool {
        self.field() & 0x8000 == 0 && self != Self::Cancel
    }
}

/// A command set with what C-ECHO and C-STORE use. UIDs are as received, without
/// padding and unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Command Field (0000,0100).
    pub kind: Kind,
    /// Message ID (0000,0110), or the one being responded to (0000,0120).
    pub message_id: u16,
    /// Affected SOP Class UID (0000,0002), else Requested (0000,0003).
    pub sop_class: Option<String>,
    /// Affected SOP Instance UID (0000,1000), else Requested (0000,1001).
    pub sop_instance: Option<String>,
    /// A data set follows (Command Data Set Type (0000,0800) is not 0101H).
    pub has_dataset: bool,
    /// Status (0000,0900) of a response.
    pub status: Option<Status>,
    /// Error Comment (0000,0902), at most 64 characters.
    pub error_comment: Option<String>,
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
            ..Self::new(Kind::StoreRequest, message_id, Some(sop_class.to_owned()))
        }
    }

    fn new(kind: Kind, message_id: u16, sop_class: Option<String>) -> Self {
        Self { kind, message_id, sop_class, sop_instance: None, has_dataset: false, status: None, error_comment: None }
    }

    /// The response to this request, with its UIDs and message ID.
    pub fn response(&self, status: Status, comment: Option<&str>) -> Self {
        Self {
            sop_instance: self.sop_instance.clone(),
            status: Some(status),
            error_comment: comment.map(str::to_owned),
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
                0x0800 => command.has_dataset = number() != Some(0x0101),
                0x0900 => command.status = number().map(Status),
                0x0902 => command.error_comment = text(),
                0x1000 => affected_instance = text(),
                0x1001 => command.sop_instance = text(),
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
        let mut body = Vec::with_capacity(256);
        if let Some(sop_class) = &self.sop_class {
            put(&mut body, 0x0002, sop_class.as_bytes(), 0);
        }
        put(&mut body, 0x0100, &self.kind.field().to_le_bytes(), 0);
        let id = if self.kind.is_request() { 0x0110 } else { 0x0120 };
        put(&mut body, id, &self.message_id.to_le_bytes(), 0);
        if self.kind == Kind::StoreRequest {
            put(&mut body, 0x0700, &0_u16.to_le_bytes(), 0);
        }
        let dataset: u16 = if self.has_dataset { 0x0001 } else { 0x0101 };
        put(&mut body, 0x0800, &dataset.to_le_bytes(), 0);
        if let Some(Status(status)) = self.status {
            put(&mut body, 0x0900, &status.to_le_bytes(), 0);
        }
        if let Some(comment) = &self.error_comment {
            let ascii: Vec<u8> = comment.bytes().filter(|byte| (0x20..0x7F).contains(byte)).take(64).collect();
            put(&mut body, 0x0902, &ascii, b' ');
        }
        if let Some(sop_instance) = &self.sop_instance {
            put(&mut body, 0x1000, sop_instance.as_bytes(), 0);
        }
        let mut out = Vec::with_capacity(body.len() + 12);
        put(&mut out, 0x0000, &u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes(), 0);
        out.extend_from_slice(&body);
        out
    }
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
