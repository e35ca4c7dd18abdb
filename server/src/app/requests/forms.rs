//! A scanned form that comes after its request.

use dokuei_models::state::RequestState;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::requests;
use dokuei_models::{Connection, RequestId, SiteId, StoreError};

use super::check::content_type;
use super::{FormFile, LARGEST_FORM, MOST_FORMS};
use crate::authority::Person;
use crate::authority::rights::Submit;
use crate::error::codes::{common, portal as codes};
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// Adds a scanned form (PDF, JPEG or PNG, at most 20 MiB) to a request that is not withdrawn. Returns its id.
///
/// # Errors
/// `form_invalid` with the field `files` marked; `not_found` for another site's request.
pub async fn add_form(state: &State, person: &Person, request: RequestId, file: FormFile) -> Result<i64> {
    let (reach, now) = (person.reach::<Submit>(), state.now());
    let invalid = |code| Error::new(&common::FORM_INVALID).field("files", code);
    let site = {
        let reach = reach.clone();
        state.db.read(move |conn| Ok(room_for_one(conn, request)?.filter(|(site, _)| reach.covers_site(*site)))).await?
    };
    let Some((site, count)) = site else { return Err(Error::not_found()) };
    if file.bytes.len() > LARGEST_FORM || count >= MOST_FORMS {
        return Err(invalid(&codes::FORM_FILE_LARGE));
    }
    let Some(kind) = content_type(&file) else { return Err(invalid(&codes::FORM_FILE_KIND)) };
    let object = state.objects.keep(&format!("forms/{site}"), file.bytes).await;
    let object = object.map_err(|error| Error::not_kept(&codes::FORM_NOT_KEPT, error))?;
    let (actor, name) = (person.actor(now), file.name);
    let added = state
        .db
        .tx(move |conn| {
            // Looked at again: another form may have come meanwhile.
            if !matches!(room_for_one(conn, request)?, Some((_, count)) if count < MOST_FORMS) {
                return Ok(None);
            }
            let id = requests::request_file_add_in_tx(conn, request, &name, kind, &object, now)?;
            let subject = Subject::row("request", request.0, Some(site));
            audit::append_in_tx(conn, &actor, "request.form.add", subject, "done", "")?;
            Ok(Some(id))
        })
        .await?;
    state.wake.tell(Topic::Portal(site.0));
    added.ok_or_else(|| invalid(&codes::FORM_FILE_LARGE))
}

/// Whose request it is and how many forms it has; nothing for one that is withdrawn.
fn room_for_one(conn: &mut Connection, request: RequestId) -> Result<Option<(SiteId, usize)>, StoreError> {
    let row = match requests::request_get(conn, request) {
        Ok(row) if row.state != RequestState::Cancelled => row,
        Ok(_) | Err(StoreError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some((row.site_id, requests::request_file_list(conn, request)?.len())))
}
