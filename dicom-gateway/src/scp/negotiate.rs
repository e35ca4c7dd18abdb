//! Answers an association request (PS3.8 7.1, PS3.7 annex D).

use std::collections::HashMap;

use dicom_ul::pdu::{
    AssociationAC, AssociationRJ, AssociationRJResult, AssociationRJServiceProviderASCEReason as AcseReason,
    AssociationRJServiceProviderPresentationReason as PresentationReason, AssociationRJServiceUserReason as UserReason,
    AssociationRJSource, AssociationRQ, Pdu, PresentationContextProposed, PresentationContextResult,
    PresentationContextResultReason as Reason, UserVariableItem,
};

use super::desk::Refusal;
use crate::dimse::VERIFICATION;
use crate::part10::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION};

pub(crate) const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";
const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
const EXPLICIT_BIG: &str = "1.2.840.10008.1.2.2";
const ASYNCHRONOUS_OPERATIONS: u8 = 0x53;

/// An accepted presentation context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub abstract_syntax: String,
    pub transfer_syntax: String,
    /// The peer has offered to receive objects of this class (C-GET), and may.
    pub peer_receives: bool,
}

/// What was agreed on.
pub(super) struct Agreement {
    pub contexts: HashMap<u8, Context>,
    /// The longest PDU the peer takes; 0 for any.
    pub peer_max_pdu: u32,
}

/// Checks what every association request must have. AE titles are the desk's.
pub(super) fn check(request: &AssociationRQ) -> Result<(), Refusal> {
    let context = request.application_context_name.trim_matches(['\0', ' ']);
    if request.protocol_version & 1 == 0 || context != APPLICATION_CONTEXT { Err(Refusal::Protocol) } else { Ok(()) }
}

/// The A-ASSOCIATE-RJ that a refusal becomes (PS3.8 table 9-21).
pub(super) fn reject(refusal: Refusal) -> Pdu {
    use AssociationRJResult::{Permanent, Transient};
    use AssociationRJSource::{ServiceProviderASCE, ServiceProviderPresentation, ServiceUser};
    let (result, source) = match refusal {
        Refusal::CalledUnknown => (Permanent, ServiceUser(UserReason::CalledAETitleNotRecognized)),
        // Whether the title or only the address is unknown is not told to strangers.
        Refusal::CallingUnknown
        | Refusal::AddressNotAllowed
        | Refusal::NotAllowed
        | Refusal::TlsRequired
        | Refusal::TlsFailed(_)
        | Refusal::CertificateMissing
        | Refusal::CertificateExpired
        | Refusal::CertificateUntrusted
        | Refusal::CertificateOther => (Permanent, ServiceUser(UserReason::CallingAETitleNotRecognized)),
        Refusal::Busy | Refusal::AddressBusy | Refusal::SiteBusy | Refusal::SiteHour | Refusal::SiteDay => {
            (Transient, ServiceProviderPresentation(PresentationReason::LocalLimitExceeded))
        }
        Refusal::Unavailable => (Transient, ServiceProviderPresentation(PresentationReason::TemporaryCongestion)),
        Refusal::Protocol => (Permanent, ServiceProviderASCE(AcseReason::ProtocolVersionNotSupported)),
    };
    AssociationRJ { result, source }.into()
}

/// A service other than verification and storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Find,
    Worklist,
    Move,
    Get,
    Commitment,
    PerformedStep,
    Availability,
}

/// SOP classes of services (PS3.4 C.6, K.6, J.3, F.7, R.3).
const SERVICES: [(&str, Service); 10] = [
    ("1.2.840.10008.5.1.4.1.2.1.1", Service::Find),
    ("1.2.840.10008.5.1.4.1.2.1.2", Service::Move),
    ("1.2.840.10008.5.1.4.1.2.1.3", Service::Get),
    ("1.2.840.10008.5.1.4.1.2.2.1", Service::Find),
    ("1.2.840.10008.5.1.4.1.2.2.2", Service::Move),
    ("1.2.840.10008.5.1.4.1.2.2.3", Service::Get),
    ("1.2.840.10008.5.1.4.31", Service::Worklist),
    ("1.2.840.10008.1.20.1", Service::Commitment),
    ("1.2.840.10008.3.1.2.3.3", Service::PerformedStep),
    ("1.2.840.10008.5.1.4.33", Service::Availability),
];

/// The service that a SOP class is of.
pub(super) fn service(class: &str) -> Option<Service> {
    SERVICES.iter().find(|(known, _)| *known == class).map(|(_, service)| *service)
}

/// What is offered to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// SOP classes of storage that the standard does not list.
    pub private_classes: bool,
    /// Queries and retrieval.
    pub queries: bool,
    /// To say and ask of what it sends: commitment, performed steps, availability.
    pub records: bool,
}

impl Offer {
    fn includes(self, service: Service) -> bool {
        match service {
            Service::Find | Service::Move | Service::Get | Service::Worklist => self.queries,
            Service::Commitment | Service::PerformedStep | Service::Availability => self.records,
        }
    }
}

/// Accepts every presentation context that can be served, and the PDU that says so.
pub(super) fn agree(request: &AssociationRQ, max_pdu: u32, offer: Offer) -> (Agreement, Pdu) {
    let mut contexts = HashMap::new();
    let mut results = Vec::with_capacity(request.presentation_contexts.len());
    for proposed in &request.presentation_contexts {
        let result = judge(proposed, offer);
        if let Ok(transfer_syntax) = result {
            let context = Context {
                abstract_syntax: plain(&proposed.abstract_syntax).to_owned(),
                transfer_syntax: transfer_syntax.to_owned(),
                peer_receives: offer.queries && offers_to_receive(request, plain(&proposed.abstract_syntax)),
            };
            contexts.insert(proposed.id, context);
        }
        let (reason, transfer_syntax) = match result {
            Ok(transfer_syntax) => (Reason::Acceptance, transfer_syntax),
            // Not significant in a rejection, but it must be there.
            Err(reason) => (reason, IMPLICIT_LITTLE),
        };
        let transfer_syntax = transfer_syntax.to_owned();
        results.push(PresentationContextResult { id: proposed.id, reason, transfer_syntax });
    }
    let peer_max_pdu = request.user_variables.iter().find_map(|item| match item {
        UserVariableItem::MaxLength(length) => Some(*length),
        _ => None,
    });
    let accept = AssociationAC {
        protocol_version: 1,
        calling_ae_title: request.calling_ae_title.clone(),
        called_ae_title: request.called_ae_title.clone(),
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: results,
        user_variables: user_variables(request, max_pdu, offer),
    };
    (Agreement { contexts, peer_max_pdu: peer_max_pdu.unwrap_or(16_384) }, accept.into())
}

fn user_variables(request: &AssociationRQ, max_pdu: u32, offer: Offer) -> Vec<UserVariableItem> {
    let mut items = vec![
        UserVariableItem::MaxLength(max_pdu),
        UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS_UID.to_owned()),
        UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.to_owned()),
    ];
    for item in &request.user_variables {
        match item {
            // One operation at a time, each way (PS3.7 D.3.3.3).
            UserVariableItem::Unknown(ASYNCHRONOUS_OPERATIONS, _) => {
                items.push(UserVariableItem::Unknown(ASYNCHRONOUS_OPERATIONS, vec![0, 1, 0, 1]));
            }
            // The peer sends; it may also receive, for C-GET, where it offers to (PS3.7 D.3.3.4).
            UserVariableItem::ScuScpRoleSelectionSubItem(class, roles) => {
                let scp = roles.scp && offer.queries && is_storage(plain(class), offer.private_classes);
                let roles = dicom_ul::pdu::RequestorRoles { scu: roles.scu, scp };
                items.push(UserVariableItem::ScuScpRoleSelectionSubItem(class.clone(), roles));
            }
            // Any key may stand at any level (relational queries); nothing else of PS3.4 C.5.
            UserVariableItem::SopClassExtendedNegotiationSubItem(class, asked)
                if offer.queries
                    && matches!(service(plain(class)), Some(Service::Find | Service::Move | Service::Get)) =>
            {
                let granted = asked.iter().enumerate().map(|(index, byte)| u8::from(index == 0 && *byte == 1));
                items.push(UserVariableItem::SopClassExtendedNegotiationSubItem(class.clone(), granted.collect()));
            }
            _ => {}
        }
    }
    items
}

fn offers_to_receive(request: &AssociationRQ, class: &str) -> bool {
    request.user_variables.iter().any(|item| match item {
        UserVariableItem::ScuScpRoleSelectionSubItem(named, roles) => roles.scp && plain(named) == class,
        _ => false,
    })
}

/// The transfer syntax to accept, or why the context is not.
fn judge(proposed: &PresentationContextProposed, offer: Offer) -> Result<&str, Reason> {
    let class = plain(&proposed.abstract_syntax);
    let mut offered = proposed.transfer_syntaxes.iter().map(|syntax| plain(syntax));
    if class == VERIFICATION {
        return offered
            .find(|syntax| [IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG].contains(syntax))
            .ok_or(Reason::TransferSyntaxesNotSupported);
    }
    if service(class).is_some_and(|service| offer.includes(service)) {
        return [EXPLICIT_LITTLE, IMPLICIT_LITTLE]
            .into_iter()
            .find(|native| offered.clone().any(|syntax| syntax == *native))
            .ok_or(Reason::TransferSyntaxesNotSupported);
    }
    if !is_storage(class, offer.private_classes) {
        return Err(Reason::AbstractSyntaxNotSupported);
    }
    let offered: Vec<&str> = offered.filter(|syntax| carries_pixels(syntax)).collect();
    let native = |syntax: &str| [IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG].contains(&syntax);
    match offered.first() {
        None => Err(Reason::TransferSyntaxesNotSupported),
        // Among the native ones, the one that says what private elements are.
        Some(first) if native(first) => {
            Ok([EXPLICIT_LITTLE, IMPLICIT_LITTLE].into_iter().find(|best| offered.contains(best)).unwrap_or(first))
        }
        // A compressed one first is what the sender has: taken as it is.
        Some(first) => Ok(first),
    }
}

/// Storage SOP classes: the standard's branch, its few outside of it, and private
/// ones. What else the standard names is another service.
pub(crate) fn is_storage(class: &str, private_classes: bool) -> bool {
    const NOT_STORAGE: [&str; 9] = [
        "1.2.840.10008.5.1.4.1.1.200.4",
        "1.2.840.10008.5.1.4.1.1.200.5",
        "1.2.840.10008.5.1.4.1.1.200.6",
        "1.2.840.10008.5.1.4.1.1.201.2",
        "1.2.840.10008.5.1.4.1.1.201.3",
        "1.2.840.10008.5.1.4.1.1.201.4",
        "1.2.840.10008.5.1.4.1.1.201.5",
        "1.2.840.10008.5.1.4.1.1.201.6",
        "",
    ];
    const OUTSIDE: [&str; 7] = [
        "1.2.840.10008.5.1.4.34.7",
        "1.2.840.10008.5.1.4.34.10",
        "1.2.840.10008.5.1.4.38.1",
        "1.2.840.10008.5.1.4.39.1",
        "1.2.840.10008.5.1.4.43.1",
        "1.2.840.10008.5.1.4.44.1",
        "1.2.840.10008.5.1.4.45.1",
    ];
    if NOT_STORAGE.contains(&class) {
        return false;
    }
    if class.starts_with("1.2.840.10008.") {
        return class.starts_with("1.2.840.10008.5.1.4.1.1.") || OUTSIDE.contains(&class);
    }
    private_classes && crate::uid::Uid::parse(class.as_bytes()).is_ok()
}

/// Not so for JPIP, whose pixels are elsewhere, and for real-time video.
fn carries_pixels(syntax: &str) -> bool {
    let elsewhere =
        ["1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.204", "1.2.840.10008.1.2.4.205"];
    !syntax.is_empty() && !elsewhere.contains(&syntax) && !syntax.starts_with("1.2.840.10008.1.2.7.")
}

fn plain(uid: &str) -> &str {
    uid.trim_matches(['\0', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
    const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.70";

    /// Private, and judged for a site that takes none such.
    const NOT_HERE: &str = "1.2.392.1";

    fn offer(private_classes: bool, queries: bool) -> Offer {
        Offer { private_classes, queries, records: false }
    }

    fn judged(class: &str, syntaxes: &[&str]) -> Result<String, Reason> {
        let proposed = PresentationContextProposed {
            id: 1,
            abstract_syntax: class.to_owned(),
            transfer_syntaxes: syntaxes.iter().map(|&syntax| syntax.to_owned()).collect(),
        };
        judge(&proposed, offer(class != NOT_HERE, false)).map(str::to_owned)
    }

    #[test]
    fn explicit_is_preferred_among_native_syntaxes_and_compressed_taken_as_offered() {
        assert_eq!(judged(CT, &[IMPLICIT_LITTLE, EXPLICIT_BIG, EXPLICIT_LITTLE]).unwrap(), EXPLICIT_LITTLE);
        assert_eq!(judged(CT, &[EXPLICIT_BIG]).unwrap(), EXPLICIT_BIG);
        assert_eq!(judged(CT, &[JPEG_LOSSLESS, IMPLICIT_LITTLE]).unwrap(), JPEG_LOSSLESS);
        assert_eq!(judged(CT, &["1.2.3.4.5"]).unwrap(), "1.2.3.4.5");
    }

    #[test]
    fn a_query_is_accepted_from_whom_may_query() {
        let proposed = PresentationContextProposed {
            id: 1,
            abstract_syntax: "1.2.840.10008.5.1.4.1.2.2.1".to_owned(),
            transfer_syntaxes: vec![IMPLICIT_LITTLE.to_owned(), EXPLICIT_LITTLE.to_owned()],
        };
        assert_eq!(judge(&proposed, offer(true, true)), Ok(EXPLICIT_LITTLE));
        assert_eq!(judge(&proposed, offer(true, false)), Err(Reason::AbstractSyntaxNotSupported));
    }

    #[test]
    fn pixels_that_are_elsewhere_are_not_accepted() {
        assert_eq!(judged(CT, &["1.2.840.10008.1.2.4.94"]), Err(Reason::TransferSyntaxesNotSupported));
        assert_eq!(judged(CT, &[]), Err(Reason::TransferSyntaxesNotSupported));
    }

    #[test]
    fn storage_is_accepted_private_or_not_and_other_services_are_not() {
        assert!(judged("1.2.392.200036.9116.7.8.1.1.1", &[IMPLICIT_LITTLE]).is_ok());
        for other in
            [NOT_HERE, "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.31", "1.2.840.10008.1.20.1", "x", ""]
        {
            assert_eq!(judged(other, &[IMPLICIT_LITTLE]), Err(Reason::AbstractSyntaxNotSupported), "{other}");
        }
    }
}
