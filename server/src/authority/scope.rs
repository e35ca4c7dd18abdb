//! How far a grant reaches.

use dokuei_models::{PoolId, SiteId};

use crate::error::{Error, Result};

/// The scope of one grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// One site.
    Site(SiteId),
    /// One pool, with its sites.
    Pool(PoolId),
}

/// The scopes of all grants that confer a right, together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// Whether one of them is [`Scope::All`].
    pub everything: bool,
    /// Sites named by grants. Sites of [`Reach::pools`] are not listed: the store knows them.
    pub sites: Vec<SiteId>,
    /// Pools named by grants.
    pub pools: Vec<PoolId>,
}

impl Reach {
    /// Adds one grant's scope.
    pub fn add(&mut self, scope: Scope) {
        match scope {
            Scope::All => self.everything = true,
            Scope::Site(site) => self.sites.push(site),
            Scope::Pool(pool) => self.pools.push(pool),
        }
    }

    /// Whether a thing that belongs to `site`, planned in `pool`, is within reach.
    pub fn covers(&self, site: SiteId, pool: PoolId) -> bool {
        self.everything || self.sites.contains(&site) || self.pools.contains(&pool)
    }

    /// Whether `site` is named (or everything is).
    pub fn covers_site(&self, site: SiteId) -> bool {
        self.everything || self.sites.contains(&site)
    }

    /// Whether `pool` is named (or everything is).
    pub fn covers_pool(&self, pool: PoolId) -> bool {
        self.everything || self.pools.contains(&pool)
    }

    /// # Errors
    /// `not_found` where the site is not within reach: another site's thing looks like none.
    pub fn need_site(&self, site: SiteId) -> Result<()> {
        if self.covers_site(site) { Ok(()) } else { Err(Error::not_found()) }
    }

    /// # Errors
    /// `not_found` where the pool is not within reach.
    pub fn need_pool(&self, pool: PoolId) -> Result<()> {
        if self.covers_pool(pool) { Ok(()) } else { Err(Error::not_found()) }
    }

    /// # Errors
    /// `not_found` where neither the site nor its pool is within reach.
    pub fn need(&self, site: SiteId, pool: PoolId) -> Result<()> {
        if self.covers(site, pool) { Ok(()) } else { Err(Error::not_found()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_sites_thing_is_not_found() {
        let mut reach = Reach::default();
        reach.add(Scope::Site(SiteId(1)));
        assert!(reach.need_site(SiteId(1)).is_ok());
        let error = reach.need_site(SiteId(2)).unwrap_err();
        assert_eq!(error.code().status, 404);
        assert!(reach.need(SiteId(2), PoolId(1)).is_err());
    }

    #[test]
    fn a_pool_reaches_its_sites_and_everything_reaches_all() {
        let mut pool = Reach::default();
        pool.add(Scope::Pool(PoolId(7)));
        assert!(pool.covers(SiteId(2), PoolId(7)));
        assert!(!pool.covers(SiteId(2), PoolId(8)));
        let mut all = Reach::default();
        all.add(Scope::All);
        assert!(all.covers(SiteId(2), PoolId(8)) && all.covers_site(SiteId(9)) && all.covers_pool(PoolId(9)));
    }
}
