//! What wakes and fans out between processes. Losing it costs latency, never a case.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `redis.url` | `REDIS_URL` | none | `redis://...` or `rediss://...`; separate roles need it, one process does not |

use super::{Secret, Source};

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Redis {
    pub url: Option<Secret>,
}

impl Redis {
    pub(super) fn take(source: &mut Source) -> Self {
        let url: Option<Secret> = source.optional_named("redis.url", "REDIS_URL");
        let known = |url: &Secret| url.expose().starts_with("redis://") || url.expose().starts_with("rediss://");
        if url.as_ref().is_some_and(|url| !known(url)) {
            source.fault("redis.url", "must begin with redis:// or rediss://");
        }
        Self { url }
    }
}
