//! The memory that objects being received may take: all together, and of one site.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dokuei_models::SiteId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::limits::Limits;

/// Granule of the account.
const UNIT: usize = 64 * 1024;

/// The memory of everybody, and of each site.
pub(super) struct Accounts {
    all: Arc<Semaphore>,
    units: usize,
    patience: Duration,
    sites: Mutex<HashMap<SiteId, Arc<Semaphore>>>,
}

/// One site's account.
#[derive(Clone)]
pub(super) struct Account {
    all: Arc<Semaphore>,
    site: Arc<Semaphore>,
    patience: Duration,
}

/// Memory taken from an [`Account`]; given back when dropped.
#[derive(Default)]
pub(super) struct Taken {
    all: Option<OwnedSemaphorePermit>,
    site: Option<OwnedSemaphorePermit>,
    units: usize,
}

impl Accounts {
    pub fn new(limits: &Limits) -> Self {
        let units = (limits.in_flight / UNIT).clamp(1, Semaphore::MAX_PERMITS);
        Self { all: Arc::new(Semaphore::new(units)), units, patience: limits.patience, sites: Mutex::default() }
    }

    /// The account of a site: three quarters of all there is, so that the others have some left.
    pub fn of(&self, site: SiteId) -> Account {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let share = (self.units - self.units / 4).max(1);
        let site = Arc::clone(sites.entry(site).or_insert_with(|| Arc::new(Semaphore::new(share))));
        Account { all: Arc::clone(&self.all), site, patience: self.patience }
    }
}

impl Account {
    /// Raises what is taken to `bytes`, after waiting for others to give back. `false` when there is not enough.
    pub async fn raise(&self, taken: &mut Taken, bytes: usize) -> bool {
        let wanted = bytes.div_ceil(UNIT);
        let Some(more) = wanted.checked_sub(taken.units).filter(|more| *more > 0) else { return true };
        let Ok(more) = u32::try_from(more) else { return false };
        let both = async {
            let site = Arc::clone(&self.site).acquire_many_owned(more).await.ok()?;
            Some((site, Arc::clone(&self.all).acquire_many_owned(more).await.ok()?))
        };
        // Whoever waits holds what he has: the wait is bounded, so that two cannot wait for each other for ever.
        let Ok(Some((site, all))) = timeout(self.patience, both).await else { return false };
        add(&mut taken.site, site);
        add(&mut taken.all, all);
        taken.units = wanted;
        true
    }
}

fn add(held: &mut Option<OwnedSemaphorePermit>, more: OwnedSemaphorePermit) {
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(units: usize) -> Accounts {
        let patience = Duration::from_millis(20);
        Accounts::new(&Limits { in_flight: units * UNIT, patience, ..Limits::default() })
    }

    #[tokio::test]
    async fn memory_is_given_back() {
        let account = accounts(20).of(SiteId(1));
        let (mut one, mut two) = (Taken::default(), Taken::default());
        assert!(account.raise(&mut one, 9 * UNIT).await);
        assert!(!account.raise(&mut two, 9 * UNIT).await);
        assert!(account.raise(&mut two, 6 * UNIT).await);
        drop(one);
        assert!(account.raise(&mut two, 15 * UNIT).await);
    }

    #[tokio::test]
    async fn one_site_leaves_some_for_the_others_and_who_waits_gets_what_is_given_back() {
        let accounts = accounts(20);
        let (greedy, other) = (accounts.of(SiteId(1)), accounts.of(SiteId(2)));
        let mut taken = Taken::default();
        assert!(greedy.raise(&mut taken, 15 * UNIT).await);
        assert!(!greedy.raise(&mut Taken::default(), UNIT).await);
        let mut own = Taken::default();
        assert!(other.raise(&mut own, 5 * UNIT).await);
        let patient = Account { patience: Duration::from_secs(5), ..other };
        let waiting = tokio::spawn(async move { patient.raise(&mut own, 6 * UNIT).await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(taken);
        assert!(waiting.await.unwrap());
    }
}
