//! Where a DICOMweb client begins, and who may.

use std::future::Future;

use dokuei_models::store::image_search::Scope;
use dokuei_models::store::{cases, readers, reads, sites};
use dokuei_models::{CaseId, SiteId, StoreError};

use crate::authority::Person;
use crate::authority::rights::{Dispatch, Right, SeeImages, SeeReads, Submit};
use crate::error::{Error, Result};
use crate::state::State;

/// What one person may see from one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Its studies.
    pub scope: Scope,
    /// The site whose images these are.
    pub site: SiteId,
    /// The path below which everything of it is: `/dicomweb/sites/KITA`.
    pub path: String,
}

/// A right that opens a kind of root.
pub trait RootRight: Right {
    /// The path's first part behind `/dicomweb/`.
    const KIND: &'static str;

    /// The root of this name for a person.
    ///
    /// # Errors
    /// `not_found` where it is not within the person's reach: it looks like none.
    fn open(state: &State, person: &Person, name: &str) -> impl Future<Output = Result<Root>>;
}

impl RootRight for SeeImages {
    const KIND: &'static str = "sites";

    fn open(state: &State, person: &Person, name: &str) -> impl Future<Output = Result<Root>> {
        of_site::<Self>(state, person, name)
    }
}

impl RootRight for Submit {
    const KIND: &'static str = "sites";

    fn open(state: &State, person: &Person, name: &str) -> impl Future<Output = Result<Root>> {
        of_site::<Self>(state, person, name)
    }
}

impl RootRight for SeeReads {
    const KIND: &'static str = "cases";

    fn open(state: &State, person: &Person, name: &str) -> impl Future<Output = Result<Root>> {
        of_case(state, person, name)
    }
}

async fn of_site<R: Right>(state: &State, person: &Person, code: &str) -> Result<Root> {
    let wanted = code.to_owned();
    let site = state.db.read(move |conn| sites::site_by_code(conn, &wanted)).await?.ok_or_else(Error::not_found)?;
    person.reach::<R>().need(site.id, site.pool_id)?;
    let path = format!("/dicomweb/{}/{}", SeeImages::KIND, site.code);
    Ok(Root { scope: Scope::Sites(vec![site.id]), site: site.id, path })
}

/// The case's own studies, current and prior, for whoever has one of its reads and for those who dispatch.
async fn of_case(state: &State, person: &Person, id: &str) -> Result<Root> {
    let case: CaseId = id.parse().map_err(|_| Error::not_found())?;
    let who = person.clone();
    let (scope, site) = state
        .db
        .read(move |conn| {
            let row = cases::case_get(conn, case)?;
            let reader = readers::reader_of_user(conn, who.id)?.map(|reader| reader.id);
            let own =
                reader.is_some() && reads::read_list_of_case(conn, case)?.iter().any(|read| read.reader_id == reader);
            if !own && who.reach::<Dispatch>().need(row.site_id, row.pool_id).is_err() {
                return Err(StoreError::NotFound("the case"));
            }
            let studies = cases::case_study_list(conn, case)?.into_iter().map(|(study, _)| study).collect();
            Ok((Scope::Studies(studies), row.site_id))
        })
        .await?;
    Ok(Root { scope, site, path: format!("/dicomweb/{}/{case}", SeeReads::KIND) })
}
