//! What one peer, one site, and all of them together may take.

use std::time::Duration;

use crate::wire::Pace;

/// Limits of the receiver. The defaults suit one machine and some dozens of peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest PDU accepted and announced. At least 262,138: association requests
    /// of 54 KB are seen, and large PDUs are what makes a transfer fast.
    pub max_pdu: u32,
    /// Time for the association request to arrive (ARTIM, PS3.8 9.1.5).
    pub request: Duration,
    /// Longest silence within an association.
    pub idle: Duration,
    /// Longest association.
    pub association: Duration,
    /// Associations at once.
    pub associations: usize,
    /// Associations at once from one address.
    pub per_address: usize,
    /// Associations at once of one site that has no number of its own: never all of them.
    pub per_site: usize,
    /// The slowest that a peer may be within a message.
    pub pace: Pace,
    /// Longest data set, in bytes.
    pub object: usize,
    /// Bytes of memory for all objects being received at once. One site takes three quarters at most.
    pub in_flight: usize,
    /// How long an object waits for memory, its sender not being read from, before it is refused.
    pub patience: Duration,
    /// Time for associations to finish their object at shutdown.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pdu: 262_138,
            request: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            association: Duration::from_secs(4 * 3600),
            associations: 64,
            per_address: 16,
            per_site: 48,
            pace: Pace { window: Duration::from_secs(60), bytes: 60 << 10 },
            object: 2 << 30,
            in_flight: 2 << 30,
            patience: Duration::from_secs(5),
            grace: Duration::from_secs(10),
        }
    }
}

/// What one site may take, where that is other than [`Limits`] say. `None` is as they say, or without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SiteLimits {
    /// Associations at once.
    pub associations: Option<usize>,
    /// Bytes over one association.
    pub bytes: Option<u64>,
    /// Objects over one association.
    pub objects: Option<u32>,
    /// Longest silence within an association.
    pub idle: Option<Duration>,
    /// Longest association.
    pub association: Option<Duration>,
    /// Bytes within an hour.
    pub hour: Option<Volume>,
    /// Bytes within a day.
    pub day: Option<Volume>,
}

impl SiteLimits {
    /// A site with nothing of its own.
    pub const NONE: Self =
        Self { associations: None, bytes: None, objects: None, idle: None, association: None, hour: None, day: None };
}

/// Bytes that a site may send within a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The most.
    pub most: u64,
    /// What came in the span so far, by associations that have ended.
    pub came: u64,
}
