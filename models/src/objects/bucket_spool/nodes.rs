//! Asks other nodes for what is not in the bucket yet.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use object_store::http::{HttpBuilder, HttpStore};
use object_store::path::Path;
use object_store::{ClientOptions, GetOptions, GetRange, GetResult, HeaderMap, HeaderValue, ObjectStore, RetryConfig};

use super::{BucketSpool, lock, unavailable};
use crate::db::Db;
use crate::objects::{ObjectError, ObjectStream, Objects};
use crate::store::spooled;

/// Where a node answers for its objects, below its address.
const ROUTE: &str = "internal/objects";

/// The other nodes.
#[derive(Clone)]
pub(crate) struct Nodes {
    db: Db,
    /// What they know us by.
    token: String,
    known: Arc<Mutex<BTreeMap<String, Arc<HttpStore>>>>,
}

impl Nodes {
    pub fn new(db: Db, token: String) -> Self {
        Self { db, token, known: Arc::default() }
    }

    fn store(&self, url: &str) -> Result<Arc<HttpStore>, ObjectError> {
        let mut known = lock(&self.known);
        if let Some(store) = known.get(url) {
            return Ok(Arc::clone(store));
        }
        let mut headers = HeaderMap::new();
        let mut value =
            HeaderValue::from_str(&format!("Bearer {}", self.token)).map_err(|error| unavailable(&error))?;
        value.set_sensitive(true);
        headers.insert("authorization", value);
        let options = ClientOptions::new()
            .with_allow_http(true)
            .with_default_headers(headers)
            .with_connect_timeout(Duration::from_secs(3))
            .with_timeout(Duration::from_secs(600));
        let retry = RetryConfig { max_retries: 1, retry_timeout: Duration::from_secs(5), ..RetryConfig::default() };
        let address = format!("{}/{ROUTE}", url.trim_end_matches('/'));
        let store = HttpBuilder::new().with_url(address).with_client_options(options).with_retry(retry).build()?;
        let store = Arc::new(store);
        known.insert(url.to_owned(), Arc::clone(&store));
        Ok(store)
    }

    /// The object from whichever node has it; `None` if none has, or none answers.
    async fn get(&self, key: &str, own: &str, options: &GetOptions) -> Option<GetResult> {
        let (asked, own) = (key.to_owned(), own.to_owned());
        let urls = match self.db.read(move |conn| spooled::spooled_elsewhere(conn, &asked, &own)).await {
            Ok(urls) => urls,
            Err(error) => {
                tracing::warn!(%error, "which node has an object is not known");
                return None;
            }
        };
        for url in urls {
            let got = match self.store(&url) {
                Ok(store) => store.get_opts(&Path::from(key), options.clone()).await.map_err(ObjectError::from),
                Err(error) => Err(error),
            };
            match got {
                Ok(got) => return Some(got),
                // Released since it was looked up: the bucket has it.
                Err(ObjectError::Missing) => {}
                Err(error) => tracing::warn!(%error, "a node does not give an object that waits in its spool"),
            }
        }
        None
    }
}

impl Objects {
    /// Opens an object wherever it is: in the spool here, at another node, in the bucket.
    pub(in crate::objects) async fn open_anywhere(
        &self,
        key: &str,
        options: GetOptions,
    ) -> Result<GetResult, ObjectError> {
        if let Some(spool) = &self.spool {
            match spool.0.files.get_opts(&Path::from(key), options.clone()).await.map_err(ObjectError::from) {
                Err(ObjectError::Missing) => {}
                other => return other,
            }
        }
        if let Some(nodes) = &self.nodes {
            let own = self.spool.as_ref().map(BucketSpool::node).unwrap_or_default();
            if let Some(got) = nodes.get(key, own, &options).await {
                return Ok(got);
            }
        }
        Ok(self.store.get_opts(&Path::from(key), options).await?)
    }

    /// Opens an object that waits in the spool here, or a range of it that lies within.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] where it does not, or [`ObjectError::Unavailable`].
    pub async fn spooled(&self, key: &str, range: Option<Range<u64>>) -> Result<ObjectStream, ObjectError> {
        let spool = self.spool.as_ref().ok_or(ObjectError::Missing)?;
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        Ok(ObjectStream::of(spool.0.files.get_opts(&Path::from(key), options).await?))
    }
}
