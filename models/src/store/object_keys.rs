//! Which objects any row names.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::schema::{artefacts, instance_versions, instances, quarantine, request_files, spooled_objects};

/// Those of `keys` that a row names: an image, another version of it, an object kept apart, a scanned form, a signed
/// version's file, or what waits in a spool.
///
/// Every column that holds an object's key must be asked here: what is not named is deleted in the end.
///
/// # Errors
/// What the database says.
pub fn object_key_list_named(conn: &mut Connection, keys: &[String]) -> Result<BTreeSet<String>, StoreError> {
    let mut named = BTreeSet::new();
    macro_rules! ask {
        ($($table:ident),+) => {$(
            let found: Vec<String> = $table::table
                .filter($table::object_key.eq_any(keys))
                .select($table::object_key)
                .load(conn)?;
            named.extend(found);
        )+};
    }
    ask!(instances, instance_versions, quarantine, request_files, artefacts, spooled_objects);
    Ok(named)
}
