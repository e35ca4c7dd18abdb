//! A dispatcher's decisions about a case and its reads, each a form with a reason.

use actix_web::web;
use chrono::NaiveDateTime;
use dokuei_models::{CaseId, OverrideId, ReadId, ReaderId};
use dokuei_terms::Priority;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer;
use crate::app::form::{invalid, need_hold, need_reason};
use crate::app::overriding::{self, Decision};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::error::Result;
use crate::http::{Answer, Page, Routes};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.post("/cases/{case}/hold", decide::<Hold>);
    routes.post("/cases/{case}/release", decide::<Release>);
    routes.post("/cases/{case}/priority", decide::<Prioritise>);
    routes.post("/cases/{case}/exclude", decide::<Exclude>);
    routes.post("/cases/{case}/cancel", decide::<Cancel>);
    routes.post("/cases/{case}/reads/{read}/pin", decide_read::<Pin>);
    routes.post("/cases/{case}/reads/{read}/unassign", decide_read::<Unassign>);
    routes.post("/cases/{case}/overrides/{which}/undo", undo);
}

/// What the rest of a form says, beside its reason.
trait OfCase: DeserializeOwned + 'static {
    fn decision(self, now: NaiveDateTime) -> Result<Decision>;
}

/// The same for a form about one read.
trait OfRead: DeserializeOwned + 'static {
    fn decision(self, read: ReadId) -> Result<Decision>;
}

/// A form: a reason, and what is decided.
#[derive(Deserialize)]
struct Because<D> {
    #[serde(default)]
    reason: String,
    #[serde(flatten)]
    what: D,
}

async fn decide<D: OfCase>(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<CaseId>,
    form: web::Form<Because<D>>,
) -> Answer {
    let form = form.into_inner();
    let reason = need_reason("reason", &form.reason)?;
    let decision = form.what.decision(state.now())?;
    overriding::decide(&state, who.person(), who.reach(), *path, decision, reason).await?;
    answer(&who, &state, &page, *path).await
}

async fn decide_read<D: OfRead>(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<(CaseId, ReadId)>,
    form: web::Form<Because<D>>,
) -> Answer {
    let (case, read) = path.into_inner();
    let form = form.into_inner();
    let reason = need_reason("reason", &form.reason)?;
    overriding::decide(&state, who.person(), who.reach(), case, form.what.decision(read)?, reason).await?;
    answer(&who, &state, &page, case).await
}

#[derive(Deserialize)]
struct Hold {
    actor: String,
    minutes: String,
}

impl OfCase for Hold {
    fn decision(self, now: NaiveDateTime) -> Result<Decision> {
        let (actor, length) = need_hold(&self.actor, &self.minutes)?;
        Ok(Decision::Hold { actor, until: now + length })
    }
}

#[derive(Deserialize)]
struct Release {}

impl OfCase for Release {
    fn decision(self, _: NaiveDateTime) -> Result<Decision> {
        Ok(Decision::Release)
    }
}

#[derive(Deserialize)]
struct Prioritise {
    priority: String,
}

impl OfCase for Prioritise {
    fn decision(self, _: NaiveDateTime) -> Result<Decision> {
        let priority: Priority = self.priority.parse().map_err(|_| invalid("priority"))?;
        Ok(Decision::Prioritise(priority))
    }
}

#[derive(Deserialize)]
struct Exclude {
    reader: String,
}

impl OfCase for Exclude {
    fn decision(self, _: NaiveDateTime) -> Result<Decision> {
        Ok(Decision::Exclude { reader: ReaderId(self.reader.parse().map_err(|_| invalid("reader"))?) })
    }
}

#[derive(Deserialize)]
struct Cancel {}

impl OfCase for Cancel {
    fn decision(self, _: NaiveDateTime) -> Result<Decision> {
        Ok(Decision::Cancel)
    }
}

#[derive(Deserialize)]
struct Pin {
    reader: String,
}

impl OfRead for Pin {
    fn decision(self, read: ReadId) -> Result<Decision> {
        Ok(Decision::Pin { read, reader: ReaderId(self.reader.parse().map_err(|_| invalid("reader"))?) })
    }
}

#[derive(Deserialize)]
struct Unassign {}

impl OfRead for Unassign {
    fn decision(self, read: ReadId) -> Result<Decision> {
        Ok(Decision::Unassign(read))
    }
}

async fn undo(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<(CaseId, OverrideId)>) -> Answer {
    let (case, which) = path.into_inner();
    overriding::take_back(&state, who.person(), who.reach(), case, which).await?;
    answer(&who, &state, &page, case).await
}
