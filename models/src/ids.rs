//! Typed row ids, so that a case's id cannot be passed for a read's.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::BigInt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
                 diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = BigInt)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl<DB: Backend> ToSql<BigInt, DB> for $name where i64: ToSql<BigInt, DB> {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.0.to_sql(out)
            }
        }

        impl<DB: Backend> FromSql<BigInt, DB> for $name where i64: FromSql<BigInt, DB> {
            fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                i64::from_sql(bytes).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A site's row.
    SiteId,
    /// A pool's row.
    PoolId,
    /// A site's DICOM endpoint.
    EndpointId,
    /// A contract's row.
    ContractId,
    /// A tariff's row.
    TariffId,
    /// A tariff line's row.
    TariffLineId,
    /// A user's row.
    UserId,
    /// A login session's row.
    SessionId,
    /// A reader's row.
    ReaderId,
    /// A patient's row (one per site and PatientID).
    PatientId,
    /// One association, upload or import.
    ArrivalId,
    /// A study's row.
    StudyId,
    /// A series' row.
    SeriesId,
    /// An instance's row.
    InstanceId,
    /// A request's row.
    RequestId,
    /// A case's row.
    CaseId,
    /// A read's row.
    ReadId,
    /// A plan's row.
    PlanId,
    /// An override's row.
    OverrideId,
    /// A report's row.
    ReportId,
    /// A report version's row.
    ReportVersionId,
    /// A delivery's row.
    DeliveryId,
    /// A ledger line's row.
    BillableEventId,
    /// A job's row.
    JobId,
}
