//! Roles, rights, and which role confers which right. This table is the one place.

/// What a grant makes of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// 依頼施設の事務.
    SiteClerk,
    /// 依頼施設の技師.
    SiteTechnologist,
    /// 依頼施設の医師: alone can accept and act on a report.
    SiteDoctor,
    /// 読影医.
    Reader,
    /// 読影責任者.
    ReadingDirector,
    /// 配信担当.
    Dispatcher,
    /// 請求担当.
    Billing,
    /// 管理者.
    Administrator,
    /// セキュリティ担当.
    SecurityOfficer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 9] = [
        Self::SiteClerk,
        Self::SiteTechnologist,
        Self::SiteDoctor,
        Self::Reader,
        Self::ReadingDirector,
        Self::Dispatcher,
        Self::Billing,
        Self::Administrator,
        Self::SecurityOfficer,
    ];

    /// What the `grants` table holds.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SiteClerk => "site_clerk",
            Self::SiteTechnologist => "site_technologist",
            Self::SiteDoctor => "site_doctor",
            Self::Reader => "reader",
            Self::ReadingDirector => "reading_director",
            Self::Dispatcher => "dispatcher",
            Self::Billing => "billing",
            Self::Administrator => "administrator",
            Self::SecurityOfficer => "security_officer",
        }
    }

    /// The role of a code, where it is one.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// Whether a grant of this role names a site.
    pub const fn is_of_a_site(self) -> bool {
        matches!(self, Self::SiteClerk | Self::SiteTechnologist | Self::SiteDoctor)
    }
}

/// What a handler needs. Implemented only by the marker types of this file.
pub trait Right: Send + Sync + 'static {
    /// The stable name, as in the matrix and in `not_allowed`.
    const NAME: &'static str;
    /// The roles that confer it.
    const ROLES: &'static [Role];
}

macro_rules! rights {
    ($($(#[$doc:meta])* $right:ident = $name:literal, [$($role:ident),+];)+) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $right;

        impl Right for $right {
            const NAME: &'static str = $name;
            const ROLES: &'static [Role] = &[$(Role::$role),+];
        })+

        /// Every right with the roles that confer it.
        pub const ALL: &[(&str, &[Role])] = &[$(($name, &[$(Role::$role),+])),+];
    };
}

rights! {
    /// Send images and requests for one's site, follow them, answer questions.
    Submit = "submit", [SiteClerk, SiteTechnologist, SiteDoctor];
    /// Look at a site's images: its own technologists and doctors, and those who dispatch for it.
    SeeImages = "see_images", [SiteTechnologist, SiteDoctor, Dispatcher, ReadingDirector];
    /// Open reports of one's site.
    SeeReports = "see_reports", [SiteClerk, SiteTechnologist, SiteDoctor];
    /// Accept a report and say that one acted on it.
    ActOnReports = "act_on_reports", [SiteDoctor];
    /// Have a worklist, open, decline and sign reads.
    Read = "read", [Reader];
    /// Look at a read and its images: its reader, and within their scope those who dispatch.
    SeeReads = "see_reads", [Reader, Dispatcher, ReadingDirector];
    /// Look over the readers' work: skills, fairness, samples.
    Direct = "direct", [ReadingDirector];
    /// See the board, find cases, override, resolve what is unmatched or undelivered.
    Dispatch = "dispatch", [Dispatcher, ReadingDirector];
    /// See studies on their way in, with what their completeness rests on.
    SeeArrivals = "see_arrivals", [Dispatcher, ReadingDirector, Administrator];
    /// See the ledger, close months, export.
    Bill = "bill", [Billing];
    /// Sites, peers, readers, users, tariffs, engines.
    Administer = "administer", [Administrator];
    /// Search the audit trail and check its seals.
    Audit = "audit", [SecurityOfficer];
}
