//! Pools as an administrator keeps them.

use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::pools;
use dokuei_models::{Actor, PoolId};

use super::typed::Faults;
use crate::error::codes::{admin as codes, common};
use crate::error::{Error, Result};
use crate::state::State;

/// Makes a pool.
///
/// # Errors
/// `form_invalid`.
pub async fn create(state: &State, actor: Actor, code: &str, name_ja: &str, name_en: &str) -> Result<PoolId> {
    let mut faults = Faults::default();
    let code = code.trim().to_owned();
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !(2..=30).contains(&code.len()) || !code.chars().all(legal) {
        faults.add("code", &codes::CODE_LETTERS);
    }
    let (ja, en) = (faults.text("name_ja", name_ja, 60), faults.may_text("name_en", name_en, 60));
    faults.done()?;
    let made = state
        .db
        .tx(move |conn| {
            if pools::pool_list(conn)?.iter().any(|(_, known, ..)| *known == code) {
                return Ok(None);
            }
            let pool = pools::pool_insert_in_tx(conn, &code, &ja, &en)?;
            append_in_tx(conn, &actor, "pool.create", Subject::row("pool", pool.0, None), "done", "")?;
            Ok(Some(pool))
        })
        .await?;
    made.ok_or_else(|| Error::new(&common::FORM_INVALID).field("code", &codes::CODE_TAKEN))
}

/// Gives a pool other names.
///
/// # Errors
/// `not_found`, `form_invalid`.
pub async fn rename(state: &State, actor: Actor, pool: PoolId, name_ja: &str, name_en: &str) -> Result<()> {
    let mut faults = Faults::default();
    let (ja, en) = (faults.text("name_ja", name_ja, 60), faults.may_text("name_en", name_en, 60));
    faults.done()?;
    state
        .db
        .tx(move |conn| {
            pools::pool_rename_in_tx(conn, pool, &ja, &en)?;
            let detail = serde_json::json!({ "name_ja": ja, "name_en": en }).to_string();
            append_in_tx(conn, &actor, "pool.rename", Subject::row("pool", pool.0, None), "done", &detail)
        })
        .await?;
    Ok(())
}
