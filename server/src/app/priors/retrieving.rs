//! One study from a PACS, as its rule says: by C-MOVE, when it calls us, or by C-GET over a connection of ours.
//!
//! By C-GET nothing is asked for that is here already: of a study that came in part its images are listed and the rest
//! is asked for by name. It is cancelled when the case needs no priors any more, when the rule says otherwise, and when
//! the process stops.

use std::collections::HashSet;
use std::time::Duration;

use dokuei_dicom_gateway::scu::{self, Destination, Got, Known, SendError, StudyAnswer, Wanted as Asked};
use dokuei_models::store::cases;
use dokuei_models::store::priors::{self, PriorWay};
use dokuei_models::store::sites::EndpointRow;
use dokuei_models::{CaseId, Connection, EndpointId, StoreError};
use tokio::sync::watch;

use super::fetching::{Failure, Wanted, is_here};
use crate::app::peers::{self, Sentence};
use crate::app::{admission, receiving};
use crate::state::State;

/// How often it is looked whether a study is still wanted.
const LOOK: Duration = Duration::from_secs(3);

/// What became of one study.
pub(super) enum Became {
    /// It came.
    Fetched,
    /// All of it was here already.
    Here,
    /// The PACS did not send it, or not all.
    Refused(Sentence),
    /// Nobody needs it any more.
    Unwanted,
}

/// Has the PACS call us and send it.
pub(super) async fn by_move(to: &Destination, study_uid: &str) -> Result<Became, Failure> {
    match scu::retrieve_study(to, study_uid, &to.calling_ae).await {
        Ok(moved) if moved.failed == 0 => Ok(Became::Fetched),
        Ok(moved) => Ok(Became::Refused(incomplete(u32::from(moved.failed)))),
        Err(error @ SendError::QueryRefused { .. }) => Ok(Became::Refused(peers::sentence(&error))),
        Err(error) => Err(error.into()),
    }
}

/// Has it sent over a connection of ours.
pub(super) async fn by_get(
    state: &State,
    wanted: &Wanted,
    pacs: &EndpointRow,
    to: &Destination,
    candidate: &StudyAnswer,
) -> Result<Became, Failure> {
    let uid = candidate.study_uid.as_str();
    let Some(asked) = missing(state, wanted, to, uid).await? else { return Ok(Became::Here) };
    let known = known(state, wanted, to, candidate).await?;
    let (row, now) = (pacs.clone(), state.now());
    let peer = state.db.read(move |conn| admission::peer(conn, &row, now)).await?;
    let receiver = receiving::receiver(state, to.calling_ae.clone(), None);
    let (cancel, stop) = watch::channel(false);
    let watching = async {
        unwanted(state, wanted.case.id, pacs.id).await;
        cancel.send_replace(true);
        std::future::pending::<()>().await;
    };
    let got = tokio::select! {
        got = scu::get(to, (&receiver, peer), uid, &asked, &known, stop) => got,
        () = watching => Err(SendError::Stopped),
    };
    match got {
        Ok(got) => Ok(became(&got, state, wanted, candidate).await?),
        Err(SendError::Stopped) if !is_wanted(state, wanted.case.id, pacs.id).await? => Ok(Became::Unwanted),
        Err(error) => Err(error.into()),
    }
}

/// What a C-GET that ended by itself has brought. The peer's counts are believed where they say that something failed,
/// ours where they say that something came.
async fn became(got: &Got, state: &State, wanted: &Wanted, candidate: &StudyAnswer) -> Result<Became, StoreError> {
    let why = match &got.refused {
        _ if got.tally.unasked > 0 => unasked(got.tally.unasked),
        Some((status, comment)) => {
            peers::sentence(&SendError::QueryRefused { status: *status, comment: comment.clone() })
        }
        None if got.failed > 0 => incomplete(got.failed),
        None if got.kept() == 0 || !is_here(state, wanted, candidate).await? => nothing(),
        None => return Ok(Became::Fetched),
    };
    Ok(Became::Refused(why))
}

/// What is to be asked for of a study: all of it, or what is not here. Nothing when all that the PACS names is here.
async fn missing(state: &State, wanted: &Wanted, to: &Destination, uid: &str) -> Result<Option<Asked>, Failure> {
    let (site, study) = (wanted.site.id, uid.to_owned());
    let here = state.db.read(move |conn| priors::prior_instance_uids(conn, site, &study)).await?;
    if here.is_empty() {
        return Ok(Some(Asked::Study));
    }
    let listed = match scu::study_images(to, uid).await {
        Ok(listed) if listed.iter().any(|(_, images)| !images.is_empty()) => listed,
        // It cannot list images: what comes twice changes nothing.
        Ok(_) | Err(SendError::QueryRefused { .. }) => return Ok(Some(Asked::Study)),
        Err(error) => return Err(error.into()),
    };
    let here: HashSet<String> = here.into_iter().collect();
    let left = listed
        .into_iter()
        .map(|(series, images)| (series, images.into_iter().filter(|image| !here.contains(image)).collect::<Vec<_>>()));
    let left: Vec<_> = left.filter(|(_, images)| !images.is_empty()).collect();
    Ok((!left.is_empty()).then_some(Asked::Images(left)))
}

/// What decides which SOP classes are proposed.
async fn known(state: &State, wanted: &Wanted, to: &Destination, candidate: &StudyAnswer) -> Result<Known, Failure> {
    let mut known = match scu::study_kinds(to, &candidate.study_uid).await {
        Ok(known) => known,
        // It was only asked for to propose well.
        Err(SendError::QueryRefused { .. }) => Known::default(),
        Err(error) => return Err(error.into()),
    };
    if known.classes.is_empty() {
        if known.modalities.is_empty() {
            known.modalities.clone_from(&candidate.modalities);
        }
        let site = wanted.site.id;
        known.sent_before = state.db.read(move |conn| priors::sop_classes_sent(conn, site)).await?;
    }
    Ok(known)
}

/// Returns when the study is not wanted any more, or the process stops.
async fn unwanted(state: &State, case: CaseId, pacs: EndpointId) {
    loop {
        tokio::select! {
            () = state.stopped() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        match is_wanted(state, case, pacs).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "it cannot be looked up whether priors are still wanted"),
        }
    }
}

/// Whether the case is open and the rule still says that its images come by C-GET.
async fn is_wanted(state: &State, case: CaseId, pacs: EndpointId) -> Result<bool, StoreError> {
    let look = move |conn: &mut Connection| {
        let open = cases::case_get(conn, case)?.state.is_open();
        let by_get = priors::prior_rule_get(conn, pacs)?.is_some_and(|rule| rule.way == PriorWay::Get);
        Ok(open && by_get)
    };
    state.db.read(look).await
}

fn incomplete(failed: u32) -> Sentence {
    Sentence {
        ja: format!("{failed}枚を送れないと相手が答えました。"),
        en: format!("The PACS could not send {failed} images."),
    }
}

fn unasked(count: u32) -> Sentence {
    Sentence {
        ja: format!(
            "頼んでいない検査の画像{count}枚を相手が送ってきたため、断りました。相手のPACSの管理者に確かめてください。"
        ),
        en: format!(
            "The PACS sent {count} images of a study that was not asked for; they were refused. Ask its administrator."
        ),
    }
}

fn nothing() -> Sentence {
    Sentence {
        ja: "相手は成功と答えましたが、画像がそろっていません。相手側の設定を確かめるか、「C-MOVE」を選んでください。"
            .to_owned(),
        en: "The PACS answered success, yet not all images came. Check its settings, or choose C-MOVE.".to_owned(),
    }
}
