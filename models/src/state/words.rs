//! The closed vocabularies of columns that have no machine of their own here.

use crate::codes::codes;

codes! {
    /// What a site asks for.
    RequestKind {
        /// One reading.
        Reading => "reading",
        /// Independent double reading: two readers, neither sees the other's until both are signed.
        Double => "double",
        /// Checked reading: the second opens, edits and finalises the first.
        Checked => "checked",
        /// AI only: no read.
        AiOnly => "ai_only",
    }
}

codes! {
    /// Where the patient is.
    Source {
        /// Emergency department.
        Emergency => "emergency",
        /// Ward.
        Ward => "ward",
        /// Outpatient clinic.
        Outpatient => "outpatient",
        /// Check-up.
        Checkup => "checkup",
    }
}

codes! {
    /// Whether a request still waits for its studies.
    RequestState {
        /// No study yet.
        Waiting => "waiting",
        /// Has its case.
        Matched => "matched",
        /// A study carries its number but the patient differs: a person decides.
        Doubtful => "doubtful",
        /// Withdrawn by the site.
        Cancelled => "cancelled",
    }
}

codes! {
    /// Where a study stands on the way to its case.
    MatchState {
        /// Instances are still coming.
        Arriving => "arriving",
        /// In a case.
        Matched => "matched",
        /// Waits for a request, with a deadline.
        Unmatched => "unmatched",
        /// Names a request of another patient: a person decides, nobody reads.
        Doubtful => "doubtful",
        /// Kept for comparison only.
        Comparison => "comparison",
    }
}

codes! {
    /// What a site wants done with a study that no request names.
    OrphanRule {
        /// Wait as unmatched, with a deadline.
        Wait => "wait",
        /// Open a case with a default request.
        DefaultRequest => "default_request",
        /// Keep for comparison.
        Comparison => "comparison",
    }
}

codes! {
    /// What a study is to a case.
    CaseStudyRole {
        /// To be read.
        Current => "current",
        /// For comparison.
        Prior => "prior",
    }
}

codes! {
    /// What kind of reading a read is.
    ReadKind {
        /// The only one.
        Single => "single",
        /// One of two independent ones.
        Independent => "independent",
        /// The first of a checked reading.
        First => "first",
        /// The second of a checked reading, which finalises.
        Check => "check",
        /// A third, because two independent ones differ.
        Third => "third",
        /// A reopened case's.
        Reopened => "reopened",
    }
}

codes! {
    /// A report version's state. Everything but a draft is immutable.
    VersionState {
        /// 下書き.
        Draft => "draft",
        /// 仮報告.
        Preliminary => "preliminary",
        /// 確定.
        Final => "final",
        /// 追記.
        Addendum => "addendum",
        /// 訂正.
        Amended => "amended",
        /// 取消.
        Withdrawn => "withdrawn",
    }
}

codes! {
    /// How a version is returned.
    DeliveryKind {
        /// Encapsulated PDF by C-STORE.
        Dicom => "dicom",
        /// A mail without patient data.
        Mail => "mail",
        /// Shown in the portal.
        Portal => "portal",
    }
}

codes! {
    /// What a delivery brings.
    DeliveryContent {
        /// The signed version.
        Report => "report",
        /// That it is withdrawn.
        Withdrawal => "withdrawal",
    }
}

codes! {
    /// A delivery's state.
    DeliveryState {
        /// Waits for its time.
        Pending => "pending",
        /// Being sent.
        Sending => "sending",
        /// Arrived.
        Delivered => "delivered",
        /// Failed too often: a person decides.
        Dead => "dead",
        /// A person gave it up, with a reason.
        GivenUp => "given_up",
    }
}

codes! {
    /// What a dispatcher decided.
    OverrideKind {
        /// This reader and no other.
        Pin => "pin",
        /// Not this reader.
        Exclude => "exclude",
        /// Nobody for now.
        Hold => "hold",
        /// Another priority.
        Priority => "priority",
    }
}

codes! {
    /// A line in a case's notes.
    NoteKind {
        /// A note.
        Note => "note",
        /// A telephone call.
        Phone => "phone",
        /// A reader's question to the site.
        Question => "question",
        /// The site's answer.
        Answer => "answer",
    }
}

codes! {
    /// Where a reader reads.
    Place {
        /// At the reading institution.
        OnSite => "onsite",
        /// At home.
        Home => "home",
    }
}

codes! {
    /// Whose patients an arrival brings.
    Whose {
        /// The site's own: their IDs are the site's numbers.
        Ours => "ours",
        /// Another institution's, on a medium that a patient brought: their IDs mean nothing here.
        Elsewhere => "elsewhere",
    }
}

codes! {
    /// What a person decided of another institution's patient.
    LinkState {
        /// He is this patient of the site.
        Linked => "linked",
        /// His images are not wanted: hidden.
        Discarded => "discarded",
    }
}
