//! Statuses (PS3.7 annex C; PS3.4 B.2.3, C.4.1.1.4, C.4.2.1.5, C.4.3.1.4, F.7.2, J.3).

use std::fmt;

/// A status of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Status(pub u16);

impl Status {
    /// Done, durably.
    pub const SUCCESS: Self = Self(0x0000);
    /// Something failed here that is neither the object's fault nor room.
    pub const PROCESSING_FAILURE: Self = Self(0x0110);
    /// An attribute's value is not allowed.
    pub const INVALID_ATTRIBUTE: Self = Self(0x0106);
    /// The instance is here already.
    pub const DUPLICATE_INSTANCE: Self = Self(0x0111);
    /// There is no such instance.
    pub const NO_SUCH_INSTANCE: Self = Self(0x0112);
    /// An argument's value is not allowed.
    pub const INVALID_ARGUMENT: Self = Self(0x0115);
    /// A required attribute is absent.
    pub const MISSING_ATTRIBUTE: Self = Self(0x0120);
    /// There is no such action.
    pub const NO_SUCH_ACTION: Self = Self(0x0123);
    /// The query does not fit its SOP class (C-FIND, C-MOVE, C-GET).
    pub const IDENTIFIER_MISMATCH: Self = Self(0xA900);
    /// Sub-operations could not be begun (C-MOVE, C-GET).
    pub const CANNOT_RETRIEVE: Self = Self(0xA702);
    /// No such destination (C-MOVE).
    pub const MOVE_DESTINATION_UNKNOWN: Self = Self(0xA801);
    /// Done, but sub-operations failed or warned (C-MOVE, C-GET).
    pub const SOME_FAILED: Self = Self(0xB000);
    /// Ended because the requestor asked for it.
    pub const CANCELLED: Self = Self(0xFE00);
    /// More answers follow.
    pub const PENDING: Self = Self(0xFF00);
    /// More answers follow; some optional keys were not matched on (C-FIND).
    pub const PENDING_WITHOUT_SOME_KEYS: Self = Self(0xFF01);
    /// The Affected SOP Instance UID is not a UID.
    pub const INVALID_INSTANCE: Self = Self(0x0117);
    /// The SOP class is not the one agreed for the presentation context.
    pub const CLASS_NOT_SUPPORTED: Self = Self(0x0122);
    /// The requestor may not do this.
    pub const NOT_AUTHORIZED: Self = Self(0x0124);
    /// No such service here.
    pub const UNRECOGNIZED_OPERATION: Self = Self(0x0211);
    /// No room, or the store is down: worth sending again later.
    pub const OUT_OF_RESOURCES: Self = Self(0xA700);
    /// The data set names another SOP class or instance than the command.
    pub const MISMATCH: Self = Self(0xA900);
    /// The object or the message makes no sense.
    pub const CANNOT_UNDERSTAND: Self = Self(0xC000);

    /// Success, or a warning after which the object is kept all the same.
    pub fn is_kept(self) -> bool {
        matches!(self.0, 0x0000 | 0x0001 | 0x0107 | 0x0116 | 0xB000..=0xBFFF)
    }

    /// Whether sending the same again later may help.
    pub fn is_transient(self) -> bool {
        matches!(self.0, 0x0110 | 0x0210 | 0x0213 | 0xA700..=0xA7FF)
    }

    /// What it means, for a person.
    pub fn meaning(self) -> &'static str {
        match self.0 {
            0x0000 => "kept",
            0x0106 => "the receiver does not allow the value of an attribute",
            0x0110 => "processing failed at the receiver",
            0x0111 => "the receiver has this instance already and calls that an error",
            0x0112 => "the receiver knows no such instance",
            0x0115 => "the receiver does not allow the value of an argument",
            0x0117 => "the receiver calls the SOP Instance UID invalid",
            0x0120 => "the receiver misses an attribute",
            0x0122 => "the receiver does not support this kind of object",
            0x0123 => "the receiver knows no such action",
            0x0124 => "the receiver does not allow it",
            0x0210 => "the receiver calls the message a duplicate",
            0x0211 => "the receiver does not know the operation",
            0x0213 => "the receiver is short of resources",
            0xA801 => "the receiver does not know the destination",
            0xA700..=0xA7FF => "the receiver is out of resources",
            0xA900..=0xA9FF => "the receiver says that data set and SOP class disagree",
            0xB000..=0xBFFF => "kept with a warning",
            0xC000..=0xCFFF => "the receiver cannot understand the object",
            0xFE00 => "cancelled",
            0xFF00 | 0xFF01 => "pending",
            _ => "a status that the standard does not list",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X} ({})", self.0, self.meaning())
    }
}
