//! The lanes of the board and their cards: cases, images without a request, requests without images.

use dokuei_models::identity::IdentityDoubt;
use dokuei_models::state::{CaseState, MatchState, ReadState, RequestState};
use dokuei_models::store::board::BoardCase;
use dokuei_models::store::requests::RequestRow;
use dokuei_models::store::studies::StudyRow;

use crate::app::board::Board;
use crate::app::matching::OLDER_THAN_LIMIT;
use crate::http::Page;
use crate::http::case_words::{age_and_sex, doubt_words, flag_badges, parts_in_words, study_title};
use crate::ui::Html;
use crate::ui::badge::{self, Tone};

/// One card of a lane: a case, images or a request.
pub(super) struct Card {
    pub id: String,
    pub href: String,
    pub late: bool,
    pub priority: Option<Html>,
    pub due: Option<Html>,
    pub title: String,
    pub line: String,
    pub badges: Vec<Html>,
}

/// One column.
pub(super) struct Lane {
    pub key: &'static str,
    pub title: String,
    pub empty: String,
    pub count: i64,
    pub cards: Vec<Card>,
    pub hidden: i64,
}

/// Every lane with its cards.
pub(super) fn lanes(page: &Page, board: &Board) -> Vec<Lane> {
    let mut unmatched: Vec<(chrono::NaiveDateTime, Card)> = Vec::new();
    for study in &board.orphans {
        let at = study.match_deadline.unwrap_or(study.first_received_at);
        unmatched.push((at, study_card(page, board, study)));
    }
    for request in &board.unmet {
        let minutes = board.sites.iter().find(|site| site.id == request.site_id).map_or(0, |s| s.orphan_wait_minutes);
        let deadline = request.wanted_by.unwrap_or(request.created_at + chrono::TimeDelta::minutes(i64::from(minutes)));
        unmatched.push((deadline, request_card(page, board, request, deadline)));
    }
    unmatched.sort_by_key(|(at, _)| *at);
    let keys = ["receiving", "ready", "reading", "hold", "done"];
    let mut lanes = vec![lane(
        page,
        "unmatched",
        board.orphan_count + board.unmet_count,
        unmatched.into_iter().map(|(_, card)| card).collect(),
    )];
    for (at, key) in keys.into_iter().enumerate() {
        let mut cards: Vec<Card> = board.lanes[at].iter().map(|case| case_card(page, board, case)).collect();
        let mut count = board.lane_counts[at];
        if key == "receiving" {
            cards.extend(board.arriving.iter().map(|study| arriving_card(page, board, study)));
            count += board.arriving_count;
        }
        lanes.push(lane(page, key, count, cards));
    }
    lanes
}

fn lane(page: &Page, key: &'static str, count: i64, cards: Vec<Card>) -> Lane {
    let shown = i64::try_from(cards.len()).unwrap_or(i64::MAX);
    Lane {
        key,
        title: page.t(&format!("dispatch-lane-{key}")),
        empty: page.t(&format!("dispatch-lane-{key}-empty")),
        count,
        cards,
        hidden: (count - shown).max(0),
    }
}

fn case_card(page: &Page, board: &Board, found: &BoardCase) -> Card {
    let case = &found.case;
    let mut badges = Vec::new();
    let mut line = vec![board.names.site(page.language, case.site_id), age_and_sex(page, found.birth_date, &found.sex)];
    match case.state {
        CaseState::Ready | CaseState::Reading => {
            let held: Vec<_> = found.reads.iter().filter(|read| read.reader_id.is_some()).collect();
            for reader in held.iter().filter_map(|read| read.reader_id) {
                let name = board.names.reader(page.language, reader);
                // Who writes an addendum holds two reads of the case.
                if !line.contains(&name) {
                    line.push(name);
                }
            }
            if let Some(read) = found.reads.iter().find(|read| read.state == ReadState::Open) {
                let word = match &read.waiting_reason {
                    Some(code) => page.code("dispatch-wait", code),
                    None => page.t("dispatch-wait-plan"),
                };
                let tone = if read.waiting_reason.is_some() { Tone::Bad } else { Tone::Plain };
                badges.push(badge::tone(tone, &word));
            }
            if held.iter().any(|read| read.waiting_reason.as_deref() == Some("stale_with_draft")) {
                badges.push(badge::tone(Tone::Warning, &page.t("dispatch-wait-stale-with-draft")));
            }
        }
        CaseState::OnHold => {
            let actor = case.hold_actor.map(|who| page.t(&format!("dispatch-hold-{who}"))).unwrap_or_default();
            badges.push(badge::tone(Tone::Warning, &actor));
            if let Some(until) = case.hold_until {
                line.push(page.tv("dispatch-hold-until", page.time(until)));
            }
        }
        CaseState::Reported => badges.push(badge::tone(Tone::Active, &page.t("dispatch-state-reported"))),
        CaseState::Returned => badges.push(badge::tone(Tone::Good, &page.t("dispatch-state-returned"))),
        CaseState::Acknowledged => badges.push(badge::tone(Tone::Good, &page.t("dispatch-state-acknowledged"))),
        _ => {}
    }
    badges.extend(flag_badges(page, case));
    let done = case.reported_at;
    Card {
        id: format!("case-{}", case.id),
        href: format!("/cases/{}", case.id),
        late: done.is_none() && case.due_at < page.now,
        priority: Some(page.priority(case.priority)),
        due: Some(match done {
            Some(at) => Html::raw(format!("<time>{}</time>", page.time(at))),
            None => page.due(case.due_at),
        }),
        title: parts_in_words(page, &found.parts),
        line: line.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ・ "),
        badges,
    }
}

fn study_card(page: &Page, board: &Board, study: &StudyRow) -> Card {
    let badge = if study.match_state == MatchState::Doubtful {
        let differs = doubt_words(page, &doubts_of(study.match_reason.as_deref().unwrap_or_default()));
        badge::tone(Tone::Bad, &page.tv("dispatch-differs", differs))
    } else {
        badge::tone(Tone::Warning, &page.t("dispatch-no-request"))
    };
    Card {
        id: format!("study-{}", study.id),
        href: format!("/dispatch/studies/{}", study.id),
        late: study.match_deadline.is_some_and(|at| at < page.now),
        priority: None,
        due: study.match_deadline.map(|at| page.due(at)),
        title: study_title(page, study),
        line: board.names.site(page.language, study.site_id),
        badges: vec![badge],
    }
}

fn arriving_card(page: &Page, board: &Board, study: &StudyRow) -> Card {
    Card {
        due: Some(Html::raw(format!("<time>{}</time>", page.time(study.first_received_at)))),
        late: false,
        badges: vec![badge::tone(Tone::Active, &page.t("dispatch-arriving"))],
        ..study_card(page, board, study)
    }
}

fn request_card(page: &Page, board: &Board, request: &RequestRow, deadline: chrono::NaiveDateTime) -> Card {
    let badge = if request.state == RequestState::Doubtful {
        let differs = doubt_words(page, &doubts_of(request.state_reason.as_deref().unwrap_or_default()));
        badge::tone(Tone::Bad, &page.tv("dispatch-differs", differs))
    } else if request.state_reason.as_deref() == Some(OLDER_THAN_LIMIT) {
        badge::tone(Tone::Bad, &page.t("dispatch-older-than-limit"))
    } else {
        badge::tone(Tone::Warning, &page.t("dispatch-no-images"))
    };
    Card {
        id: format!("request-{}", request.id),
        href: format!("/dispatch/requests/{}", request.id),
        late: deadline < page.now,
        priority: Some(page.priority(request.priority)),
        due: Some(page.due(deadline)),
        title: if request.exam.is_empty() { page.t("dispatch-request") } else { request.exam.clone() },
        line: board.names.site(page.language, request.site_id),
        badges: vec![badge],
    }
}

/// The doubts of a match reason: `12:name+sex,13:sex` or `name+sex`.
fn doubts_of(reason: &str) -> Vec<IdentityDoubt> {
    let mut doubts: Vec<IdentityDoubt> = reason
        .split(',')
        .filter_map(|pair| pair.rsplit(':').next())
        .flat_map(|codes| codes.split('+'))
        .filter_map(|code| code.parse().ok())
        .collect();
    doubts.sort_unstable();
    doubts.dedup();
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_differing_fields_of_several_requests_are_named_once() {
        assert_eq!(doubts_of("12:name+sex,13:sex"), [IdentityDoubt::Name, IdentityDoubt::Sex]);
        assert_eq!(doubts_of("birth_date"), [IdentityDoubt::BirthDate]);
        assert_eq!(doubts_of("no_request"), []);
    }
}
