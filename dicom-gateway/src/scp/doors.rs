//! Places: how many associations there are at once, in all, from one address and of one site, and what a site sends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dokuei_models::SiteId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::desk::{Cut, Peer, Refusal};
use super::limits::{Limits, SiteLimits};

/// Counts associations.
pub(super) struct Doors {
    all: Arc<Semaphore>,
    per_address: usize,
    per_site: usize,
    addresses: Mutex<HashMap<IpAddr, usize>>,
    sites: Mutex<HashMap<SiteId, Arc<SiteCount>>>,
}

/// What is under way of one site. There are as many as there are sites.
#[derive(Default)]
struct SiteCount {
    associations: AtomicU64,
    /// Bytes of the associations that are open.
    open: AtomicU64,
    /// Bytes since the receiver was made.
    total: AtomicU64,
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
            per_site: limits.per_site,
            addresses: Mutex::default(),
            sites: Mutex::default(),
        })
    }

    /// A place for a connection from an address.
    ///
    /// # Errors
    /// There is none, or the address has all it may have.
    pub fn enter(self: &Arc<Self>, from: IpAddr) -> Result<Place, Refusal> {
        let permit = Arc::clone(&self.all).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let count = addresses.entry(from).or_default();
        if *count >= self.per_address {
            return Err(Refusal::AddressBusy);
        }
        *count += 1;
        Ok(Place { doors: Arc::clone(self), from, _permit: permit })
    }

    /// A place for an association of a site that was recognised.
    ///
    /// # Errors
    /// The site has all it may have, or has sent what it may send for now.
    pub fn enter_site(&self, peer: &Peer) -> Result<SitePlace, Refusal> {
        let count = {
            let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sites.entry(peer.site).or_default())
        };
        let most = peer.limits.associations.unwrap_or(self.per_site) as u64;
        let place = SitePlace {
            limits: peer.limits,
            own: 0,
            before: count.total.load(Ordering::Relaxed).wrapping_sub(count.open.load(Ordering::Relaxed)),
            count,
        };
        // Counted first, so that two at once cannot both be the last.
        if place.count.associations.fetch_add(1, Ordering::Relaxed) >= most {
            return Err(Refusal::SiteBusy);
        }
        match place.exceeded() {
            Some(Cut::Hour) => Err(Refusal::SiteHour),
            Some(Cut::Day) => Err(Refusal::SiteDay),
            _ => Ok(place),
        }
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

/// One association's place among those of its site, which counts what it brings; given back when dropped.
pub(crate) struct SitePlace {
    count: Arc<SiteCount>,
    limits: SiteLimits,
    /// Bytes of this association.
    own: u64,
    /// The site's total when this association began, without what was under way then.
    before: u64,
}

impl SitePlace {
    /// Counts what this association has brought, in bytes from its beginning, and says which limit that passes.
    pub fn brought(&mut self, own: u64) -> Option<Cut> {
        let more = own.saturating_sub(self.own);
        self.own = own;
        self.count.open.fetch_add(more, Ordering::Relaxed);
        self.count.total.fetch_add(more, Ordering::Relaxed);
        if self.limits.bytes.is_some_and(|most| own > most) {
            return Some(Cut::Bytes);
        }
        self.exceeded()
    }

    /// Which span's volume is used up: what came before this association began, and all that has come since.
    fn exceeded(&self) -> Option<Cut> {
        if self.limits.hour.is_none() && self.limits.day.is_none() {
            return None;
        }
        let since = self.count.total.load(Ordering::Relaxed).wrapping_sub(self.before);
        let spans = [(self.limits.hour, Cut::Hour), (self.limits.day, Cut::Day)];
        spans.into_iter().find_map(|(volume, cut)| {
            volume.filter(|volume| volume.came.saturating_add(since) >= volume.most).map(|_| cut)
        })
    }
}

impl Drop for SitePlace {
    fn drop(&mut self) {
        self.count.associations.fetch_sub(1, Ordering::Relaxed);
        self.count.open.fetch_sub(self.own, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use dokuei_models::EndpointId;

    use super::super::limits::Volume;
    use super::*;

    fn peer(site: i64, limits: SiteLimits) -> Peer {
        let (site, endpoint) = (SiteId(site), EndpointId(site));
        Peer { site, endpoint, private_classes: false, stores: true, queries: false, limits }
    }

    #[test]
    fn one_address_cannot_take_every_place() {
        let doors = Doors::new(&Limits { associations: 3, per_address: 2, ..Limits::default() });
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let first = doors.enter(a).unwrap();
        let _second = doors.enter(a).unwrap();
        assert_eq!(doors.enter(a).err(), Some(Refusal::AddressBusy));
        let _other = doors.enter(b).unwrap();
        assert_eq!(doors.enter(b).err(), Some(Refusal::Busy), "all places are taken");
        drop(first);
        assert!(doors.enter(a).is_ok());
    }

    #[test]
    fn one_site_cannot_take_every_place_and_may_have_fewer() {
        let doors = Doors::new(&Limits { per_site: 2, ..Limits::default() });
        let any = peer(1, SiteLimits::default());
        let _first = doors.enter_site(&any).unwrap();
        let second = doors.enter_site(&any).unwrap();
        assert_eq!(doors.enter_site(&any).err(), Some(Refusal::SiteBusy));
        assert!(doors.enter_site(&peer(2, SiteLimits::default())).is_ok(), "another site is not hurt");
        drop(second);
        let one = peer(1, SiteLimits { associations: Some(1), ..SiteLimits::default() });
        assert_eq!(doors.enter_site(&one).err(), Some(Refusal::SiteBusy));
        assert!(doors.enter_site(&any).is_ok(), "who was refused holds no place");
    }

    #[test]
    fn what_a_site_sends_over_all_its_associations_counts_against_its_hour() {
        let doors = Doors::new(&Limits::default());
        let sending = |came| peer(1, SiteLimits { hour: Some(Volume { most: 100, came }), ..SiteLimits::default() });
        let mut first = doors.enter_site(&sending(0)).unwrap();
        let mut second = doors.enter_site(&sending(0)).unwrap();
        assert_eq!(first.brought(60), None);
        assert_eq!(second.brought(30), None);
        assert_eq!(second.brought(40), Some(Cut::Hour));
        assert_eq!(doors.enter_site(&sending(0)).err(), Some(Refusal::SiteHour), "what is under way counts");
        drop((first, second));
        assert!(doors.enter_site(&sending(0)).is_ok(), "the index no longer knows of it");
        assert_eq!(doors.enter_site(&sending(100)).err(), Some(Refusal::SiteHour));
    }

    #[test]
    fn an_association_that_ends_meanwhile_still_counts() {
        let doors = Doors::new(&Limits::default());
        let sending = peer(1, SiteLimits { day: Some(Volume { most: 100, came: 20 }), ..SiteLimits::default() });
        let mut first = doors.enter_site(&sending).unwrap();
        let mut second = doors.enter_site(&sending).unwrap();
        assert_eq!(first.brought(50), None);
        drop(first);
        assert_eq!(second.brought(29), None);
        assert_eq!(second.brought(30), Some(Cut::Day));
    }

    #[test]
    fn one_association_brings_no_more_than_its_site_may() {
        let doors = Doors::new(&Limits::default());
        let mut place = doors.enter_site(&peer(1, SiteLimits { bytes: Some(10), ..SiteLimits::default() })).unwrap();
        assert_eq!((place.brought(10), place.brought(11)), (None, Some(Cut::Bytes)));
    }
}
