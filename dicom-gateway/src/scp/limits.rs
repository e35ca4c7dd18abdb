//! What one peer, and all of them together, may take.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Granule of the memory account.
const UNIT: usize = 64 * 1024;

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
    /// Longest data set, in bytes.
    pub object: usize,
    /// Bytes of all objects being received at once.
    pub in_flight: usize,
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
            object: 2 << 30,
            in_flight: 2 << 30,
            grace: Duration::from_secs(10),
        }
    }
}

/// Counts associations, in all and per address.
pub(super) struct Doors {
    all: Arc<Semaphore>,
    per_address: usize,
    addresses: Mutex<HashMap<IpAddr, usize>>,
}

/// One association's place; given back when dropped.
pub(super) struct Place {
    doors: Arc<Doors>,
    from: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Doors {
    pub fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            all: Arc::new(Semaphore::new(limits.associations)),
            per_address: limits.per_address,
            addresses: Mutex::default(),
        })
    }

    /// `None` when there is no place.
    pub fn enter(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let permit = Arc::clone(&self.all).try_acquire_owned().ok()?;
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let count = addresses.entry(from).or_default();
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        Some(Place { doors: Arc::clone(self), from, _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut addresses = self.doors.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = addresses.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&self.from);
            }
        }
    }
}

/// The memory that objects being received may take, all together.
#[derive(Clone)]
pub(super) struct Account {
    units: Arc<Semaphore>,
}

/// Memory taken from an [`Account`]; given back when dropped.
#[derive(Default)]
pub(super) struct Taken {
    permit: Option<OwnedSemaphorePermit>,
    units: usize,
}

impl Account {
    pub fn new(limits: &Limits) -> Self {
        Self { units: Arc::new(Semaphore::new((limits.in_flight / UNIT).clamp(1, Semaphore::MAX_PERMITS))) }
    }

    /// Raises what is taken to `bytes`. `false` when there is not enough.
    pub fn raise(&self, taken: &mut Taken, bytes: usize) -> bool {
        let wanted = bytes.div_ceil(UNIT);
        let Some(more) = wanted.checked_sub(taken.units).filter(|more| *more > 0) else { return true };
        let Some(permit) =
            u32::try_from(more).ok().and_then(|more| Arc::clone(&self.units).try_acquire_many_owned(more).ok())
        else {
            return false;
        };
        match &mut taken.permit {
            Some(held) => held.merge(permit),
            None => taken.permit = Some(permit),
        }
        taken.units = wanted;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place() {
        let doors = Doors::new(&Limits { associations: 3, per_address: 2, ..Limits::default() });
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let first = doors.enter(a).unwrap();
        let _second = doors.enter(a).unwrap();
        assert!(doors.enter(a).is_none());
        let _other = doors.enter(b).unwrap();
        assert!(doors.enter(b).is_none(), "all places are taken");
        drop(first);
        assert!(doors.enter(a).is_some());
    }

    #[test]
    fn memory_is_given_back() {
        let account = Account::new(&Limits { in_flight: 10 * UNIT, ..Limits::default() });
        let (mut one, mut two) = (Taken::default(), Taken::default());
        assert!(account.raise(&mut one, 6 * UNIT));
        assert!(!account.raise(&mut two, 6 * UNIT));
        assert!(account.raise(&mut two, 4 * UNIT));
        drop(one);
        assert!(account.raise(&mut two, 10 * UNIT));
    }
}
