//! The audit trail for those who check it: looking into it and checking its seals leave rows themselves.

use dokuei_models::store::audit::{self, AuditFault, AuditQuery, AuditRow, SealState, Subject};

use crate::authority::Person;
use crate::error::Result;
use crate::state::State;

/// Finds rows, the newest first.
///
/// # Errors
/// What the database says.
pub async fn search(state: &State, person: &Person, query: AuditQuery) -> Result<Vec<AuditRow>> {
    let actor = person.actor(state.now());
    let rows = state
        .db
        .tx(move |conn| {
            let rows = audit::audit_search(conn, &query)?;
            let detail = serde_json::json!({ "rows": rows.len() }).to_string();
            audit::append_in_tx(conn, &actor, "audit.search", Subject::none("audit"), "done", &detail)?;
            Ok(rows)
        })
        .await?;
    Ok(rows)
}

/// What a check of the seals found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The newest seal: its id and hash.
    pub head: Option<(i64, String)>,
    /// What does not agree; empty when all is well.
    pub faults: Vec<AuditFault>,
}

/// Checks every seal and every sealed row.
///
/// # Errors
/// What the database says.
pub async fn verify(state: &State, person: &Person) -> Result<Checked> {
    let checked = state
        .db
        .read(|conn| Ok(Checked { head: audit::audit_head(conn)?, faults: audit::audit_verify(conn)? }))
        .await?;
    let actor = person.actor(state.now());
    let (outcome, detail) = match checked.faults.len() {
        0 => ("done", String::new()),
        faults => ("faults", serde_json::json!({ "faults": faults }).to_string()),
    };
    state
        .db
        .tx(move |conn| audit::append_in_tx(conn, &actor, "audit.verify", Subject::none("audit"), outcome, &detail))
        .await?;
    Ok(checked)
}

/// How far the trail is sealed, without checking it.
///
/// # Errors
/// What the database says.
pub async fn seal_state(state: &State) -> Result<SealState> {
    Ok(state.db.read(audit::audit_seal_state).await?)
}
