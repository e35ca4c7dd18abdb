//! Where a line stands: its steps, its sentence, and what it asks of the site.

use chrono::NaiveDateTime;
use dokuei_models::state::{CaseState, HoldActor, MatchState, RequestState};
use dokuei_models::store::cases::{CaseRow, WITHDRAWAL_ASKED};
use dokuei_models::store::requests::RequestRow;
use dokuei_models::store::studies::StudyRow;

use super::{Far, Line, Said, Standing};
use crate::app::matching::OLDER_THAN_LIMIT;
use crate::app::signing::withdraw::WITHDRAWN;

fn blank(at: NaiveDateTime) -> Line {
    Line {
        request: None,
        case: None,
        study: None,
        patient: String::new(),
        patient_id: String::new(),
        exam: String::new(),
        day: None,
        accession_number: String::new(),
        priority: None,
        due_at: None,
        at,
        received: 0,
        awaited: None,
        steps: [Far::Ahead; 5],
        now: Said::key("portal-now-going"),
        standing: Standing::Going,
        is_default: false,
    }
}

fn of_request(request: &RequestRow, studies: &[StudyRow]) -> Line {
    let received = studies.iter().map(|study| study.instances).sum();
    let settled = !studies.is_empty() && studies.iter().all(|study| study.settled_at.is_some());
    Line {
        request: Some(request.id),
        patient: request.identity().name.shown(),
        patient_id: request.patient_id.clone(),
        exam: request.exam.clone(),
        day: studies.first().and_then(|study| study.study_date),
        accession_number: request.accession_number.clone(),
        priority: Some(request.priority),
        received,
        awaited: request.expected_instances.or(settled.then_some(received)),
        is_default: request.is_default,
        ..blank(request.created_at)
    }
}

/// A request whose case is not there.
pub(super) fn of_waiting(request: &RequestRow, studies: &[StudyRow]) -> Line {
    let mut line = of_request(request, studies);
    (line.steps, line.now, line.standing) = match request.state {
        RequestState::Cancelled => {
            let reason = request.state_reason.clone().unwrap_or_default();
            ([Far::Ahead; 5], Said::value("portal-now-cancelled", reason), Standing::Over)
        }
        RequestState::Doubtful => {
            let codes = request.state_reason.as_deref().unwrap_or_default();
            let said =
                Said { doubts: codes.split('+').map(str::to_owned).collect(), ..Said::key("portal-now-doubtful") };
            ([Far::Done, Far::Stuck, Far::Ahead, Far::Ahead, Far::Ahead], said, Standing::Todo)
        }
        RequestState::Waiting if request.state_reason.as_deref() == Some(OLDER_THAN_LIMIT) => {
            let steps = [Far::Done, Far::Stuck, Far::Ahead, Far::Ahead, Far::Ahead];
            (steps, Said::key("portal-now-older"), Standing::Going)
        }
        RequestState::Waiting | RequestState::Matched if studies.is_empty() => {
            let steps = [Far::Now, Far::Done, Far::Ahead, Far::Ahead, Far::Ahead];
            (steps, Said::key("portal-now-waiting-images"), Standing::Going)
        }
        RequestState::Waiting | RequestState::Matched => {
            let steps = [Far::Now, Far::Done, Far::Ahead, Far::Ahead, Far::Ahead];
            (steps, Said::key("portal-now-arriving"), Standing::Going)
        }
    };
    line
}

/// A study that is in no case.
pub(super) fn of_study(study: &StudyRow) -> Line {
    let mut line = Line {
        study: Some(study.id),
        patient: study.identity().name.shown(),
        patient_id: study.header_patient_id.clone(),
        exam: if study.description.is_empty() {
            study.modalities.replace('\\', " ")
        } else {
            study.description.clone()
        },
        day: study.study_date,
        accession_number: study.accession_number.clone(),
        received: study.instances,
        awaited: study.settled_at.is_some().then_some(study.instances),
        ..blank(study.first_received_at)
    };
    let stuck = [Far::Done, Far::Stuck, Far::Ahead, Far::Ahead, Far::Ahead];
    (line.steps, line.now, line.standing) = match study.match_state {
        MatchState::Unmatched => {
            let said = Said { until: study.match_deadline, ..Said::key("portal-now-no-request") };
            (stuck, said, Standing::Todo)
        }
        MatchState::Doubtful => {
            let said = Said {
                doubts: doubts_of_study(study),
                until: study.match_deadline,
                ..Said::key("portal-now-doubtful")
            };
            (stuck, said, Standing::Todo)
        }
        MatchState::Comparison => {
            let cancelled = study.match_reason.as_deref() == Some("request_cancelled");
            let key = if cancelled { "portal-now-freed" } else { "portal-now-comparison" };
            ([Far::Done, Far::Ahead, Far::Ahead, Far::Ahead, Far::Ahead], Said::key(key), Standing::Over)
        }
        MatchState::Arriving | MatchState::Matched => (
            [Far::Now, Far::Ahead, Far::Ahead, Far::Ahead, Far::Ahead],
            Said::key("portal-now-arriving"),
            Standing::Going,
        ),
    };
    line
}

/// The doubts in `12:patient_id+name,13:sex`, each once.
fn doubts_of_study(study: &StudyRow) -> Vec<String> {
    let mut doubts: Vec<String> = study
        .match_reason
        .as_deref()
        .unwrap_or_default()
        .split(',')
        .filter_map(|pair| pair.split_once(':').map(|(_, codes)| codes))
        .flat_map(|codes| codes.split('+').map(str::to_owned))
        .collect();
    doubts.sort();
    doubts.dedup();
    doubts
}

pub(super) fn of_case(request: &RequestRow, case: &CaseRow, studies: &[StudyRow]) -> Line {
    use Far::{Ahead, Done, Now, Stuck};
    let mut line = of_request(request, studies);
    line.case = Some(case.id);
    line.priority = Some(case.priority);
    line.due_at = case.state.is_open().then_some(case.due_at);
    // The request of a person can still take a default one's place.
    line.study = studies.first().filter(|_| request.is_default && case.state.is_open()).map(|study| study.id);
    let still_coming = line.awaited.is_none_or(|awaited| line.received < awaited);
    let images = if still_coming { Now } else { Done };
    let by_rule = if request.is_default { Stuck } else { Done };
    (line.steps, line.now, line.standing) = match case.state {
        CaseState::Receiving => {
            ([Now, by_rule, Ahead, Ahead, Ahead], Said::key("portal-now-arriving"), Standing::Going)
        }
        CaseState::WaitingRequest => {
            ([images, Stuck, Ahead, Ahead, Ahead], Said::key("portal-now-no-request"), Standing::Todo)
        }
        CaseState::Ready => {
            let key = if request.is_default { "portal-now-by-rule" } else { "portal-now-ready" };
            ([images, by_rule, Now, Ahead, Ahead], Said::key(key), Standing::Going)
        }
        CaseState::Reading if case.reported_at.is_some() => {
            ([images, Done, Now, Ahead, Ahead], Said::key("portal-now-again"), Standing::Going)
        }
        CaseState::Reading => ([images, by_rule, Now, Ahead, Ahead], Said::key("portal-now-reading"), Standing::Going),
        CaseState::OnHold
            if case.hold_actor == Some(HoldActor::Site) && case.hold_reason.as_deref() != Some("question") =>
        {
            // A dispatcher's own hold asks nothing in writing.
            let said = Said { until: case.hold_until, ..Said::key("portal-now-held-for-site") };
            ([images, by_rule, Stuck, Ahead, Ahead], said, Standing::Going)
        }
        CaseState::OnHold if case.hold_actor == Some(HoldActor::Site) => {
            let said = Said { until: case.hold_until, ..Said::key("portal-now-question") };
            ([images, by_rule, Stuck, Ahead, Ahead], said, Standing::Question)
        }
        CaseState::OnHold if case.hold_reason.as_deref() == Some(WITHDRAWN) => {
            ([images, Done, Stuck, Ahead, Ahead], Said::key("portal-now-withdrawn"), Standing::Going)
        }
        CaseState::OnHold => {
            let engine = case.hold_reason.as_deref() == Some("no_engine");
            let key = if engine { "portal-now-no-engine" } else { "portal-now-held" };
            ([images, by_rule, Stuck, Ahead, Ahead], Said::key(key), Standing::Going)
        }
        CaseState::Reported => ([Done, Done, Done, Now, Ahead], Said::key("portal-now-reported"), Standing::Report),
        CaseState::Returned => ([Done, Done, Done, Done, Now], Said::key("portal-now-returned"), Standing::Report),
        CaseState::Acknowledged => ([Done; 5], Said::key("portal-now-accepted"), Standing::Over),
        CaseState::Cancelled if case.merged_into_id.is_some() => {
            let into = case.merged_into_id.map(|id| id.to_string()).unwrap_or_default();
            ([images, Done, Ahead, Ahead, Ahead], Said::value("portal-now-merged", into), Standing::Over)
        }
        CaseState::Cancelled => {
            let reason = request.state_reason.clone().unwrap_or_default();
            ([images, Done, Ahead, Ahead, Ahead], Said::value("portal-now-cancelled", reason), Standing::Over)
        }
    };
    if case.has_flag(WITHDRAWAL_ASKED) {
        line.now = Said::key("portal-now-withdrawal-asked");
        if line.standing == Standing::Over {
            line.standing = Standing::Report;
        }
    }
    line
}
