//! The same explanation as sentences, in Japanese and English. Names come from the caller; nothing here stores them.

use dokuei_terms::Language;

use crate::constraints::{Blocked, Rule};
use crate::{Excluded, ExclusionReason, Explanation, Offer, ReaderId, SiteId, Terms, WaitReason, Waiting};

/// Whose name is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameOf {
    /// A reader's.
    Reader(ReaderId),
    /// A site's.
    Site(SiteId),
}

/// Terms below this many points are not worth a word.
const WORTH_A_WORD: f64 = 0.05;

impl Explanation {
    /// Why this reader, in a few sentences, one line each.
    pub fn words(&self, language: Language, name: &dyn Fn(NameOf) -> String) -> String {
        let reader = |id| name(NameOf::Reader(id));
        let winner = offer_words(&self.winner, language, &reader);
        let mut lines = vec![match (language, self.pinned) {
            (Language::Ja, false) => format!("担当: {winner}"),
            (Language::Ja, true) => format!("担当（配信担当による固定）: {winner}"),
            (Language::En, false) => format!("Reader: {winner}"),
            (Language::En, true) => format!("Reader (pinned by a dispatcher): {winner}"),
        }];
        lines.push(match (&self.runner_up, self.difference(), language) {
            (Some(other), Some(more), Language::Ja) => {
                format!("次点: {}、{}", reader(other.reader), difference_words(&more, language))
            }
            (Some(other), Some(more), Language::En) => {
                format!("Next: {}, {}", reader(other.reader), difference_words(&more, language))
            }
            (_, _, Language::Ja) => "次点: なし（他に読影できる医師がいません）".to_owned(),
            (_, _, Language::En) => "Next: nobody else may read it".to_owned(),
        });
        lines.push(match language {
            Language::Ja => format!("読影可能: {}名、対象外: {}名", self.eligible, self.excluded.len()),
            Language::En => format!("{} may read it, {} may not", self.eligible, self.excluded.len()),
        });
        lines.extend(self.excluded.iter().map(|excluded| excluded_words(excluded, language, name)));
        lines.join("\n")
    }
}

impl Waiting {
    /// Why a read waits, in a few sentences, one line each.
    pub fn words(&self, language: Language, name: &dyn Fn(NameOf) -> String) -> String {
        let mut lines = vec![self.reason.words(language, name)];
        lines.extend(self.counts.iter().map(|(rule, count)| match language {
            Language::Ja => format!("{}: {count}名", rule.label(language)),
            Language::En => format!("{}: {count}", rule.label(language)),
        }));
        lines.extend(self.excluded.iter().map(|excluded| excluded_words(excluded, language, name)));
        lines.join("\n")
    }
}

impl WaitReason {
    /// The reason in one sentence.
    pub fn words(&self, language: Language, name: &dyn Fn(NameOf) -> String) -> String {
        match (self, language) {
            (Self::NoReader, Language::Ja) => "読影医が登録されていません".to_owned(),
            (Self::NoReader, Language::En) => "The pool has no reader".to_owned(),
            (Self::NobodyEligible, Language::Ja) => "読影できる医師がいません".to_owned(),
            (Self::NobodyEligible, Language::En) => "No reader may read it now".to_owned(),
            (Self::PinBlocked { reader, blocked }, _) => {
                let (who, why) = (name(NameOf::Reader(*reader)), blocked.words(language, name));
                match language {
                    Language::Ja => format!("固定された{who}は読影できません: {why}"),
                    Language::En => format!("It is pinned to {who}, who may not read it: {why}"),
                }
            }
            (Self::PinUnknown { .. }, Language::Ja) => "固定された医師がこの読影グループにいません".to_owned(),
            (Self::PinUnknown { .. }, Language::En) => "It is pinned to someone who is not in the pool".to_owned(),
            (Self::OthersOfCase, Language::Ja) => "読影できる医師は同じ症例の別の読影を担当しています".to_owned(),
            (Self::OthersOfCase, Language::En) => "Whoever may read it has another read of the case".to_owned(),
        }
    }
}

impl Blocked {
    /// The rule, with the fact that decides it.
    pub fn words(&self, language: Language, name: &dyn Fn(NameOf) -> String) -> String {
        match (self, language) {
            (Self::Privilege { site }, Language::Ja) => format!("{}の読影資格がない", name(NameOf::Site(*site))),
            (Self::Privilege { site }, Language::En) => format!("no privilege for {}", name(NameOf::Site(*site))),
            (Self::Skill { part }, Language::Ja) => format!("{}は読影しない（得意度0）", part.label(language)),
            (Self::Skill { part }, Language::En) => format!("does not read {} (skill 0)", part.label(language)),
            (Self::Separation, Language::Ja) => "同じ症例の別の読影を担当".to_owned(),
            (Self::Separation, Language::En) => "has another reading of the case".to_owned(),
            (Self::Exclusion { reason }, _) => reason.label(language).to_owned(),
            (Self::LoggedOut, Language::Ja) => "ログインしていない".to_owned(),
            (Self::LoggedOut, Language::En) => "not logged in".to_owned(),
            (Self::Paused, Language::Ja) => "休止中".to_owned(),
            (Self::Paused, Language::En) => "paused".to_owned(),
            (Self::ShiftAhead { begins_in_minutes }, Language::Ja) => {
                format!("勤務開始まで{}", span(*begins_in_minutes, language))
            }
            (Self::ShiftAhead { begins_in_minutes }, Language::En) => {
                format!("the shift begins in {}", span(*begins_in_minutes, language))
            }
            (Self::ShiftOver, Language::Ja) => "勤務終了".to_owned(),
            (Self::ShiftOver, Language::En) => "the shift is over".to_owned(),
        }
    }
}

/// A length of time: `50分`, `9時間5分`.
fn span(minutes: f64, language: Language) -> String {
    let (hours, minutes) = ((minutes.round() / 60.0).floor(), minutes.round().rem_euclid(60.0));
    match (language, hours >= 1.0) {
        (Language::Ja, true) => format!("{hours:.0}時間{minutes:.0}分"),
        (Language::Ja, false) => format!("{minutes:.0}分"),
        (Language::En, true) => format!("{hours:.0} h {minutes:.0} min"),
        (Language::En, false) => format!("{minutes:.0} min"),
    }
}

impl Rule {
    /// The rule's name on screens.
    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Privilege, Language::Ja) => "施設の読影資格",
            (Self::Privilege, Language::En) => "Site privilege",
            (Self::Skill, Language::Ja) => "得意度",
            (Self::Skill, Language::En) => "Skill",
            (Self::Separation, Language::Ja) => "二重読影の分離",
            (Self::Separation, Language::En) => "Separate readings",
            (Self::Exclusion, Language::Ja) => "除外",
            (Self::Exclusion, Language::En) => "Excluded",
            (Self::Presence, Language::Ja) => "在席",
            (Self::Presence, Language::En) => "Presence",
            (Self::Shift, Language::Ja) => "勤務時間",
            (Self::Shift, Language::En) => "Shift",
        }
    }
}

impl ExclusionReason {
    /// The reason on screens.
    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Declined, Language::Ja) => "辞退した",
            (Self::Declined, Language::En) => "declined it",
            (Self::NotStarted, Language::Ja) => "期限内に開始しなかった",
            (Self::NotStarted, Language::En) => "did not start it in time",
            (Self::Dispatcher, Language::Ja) => "配信担当が除外した",
            (Self::Dispatcher, Language::En) => "excluded by a dispatcher",
            (Self::ConflictOfInterest, Language::Ja) => "利益相反",
            (Self::ConflictOfInterest, Language::En) => "conflict of interest",
            (Self::Contract, Language::Ja) => "契約による除外",
            (Self::Contract, Language::En) => "excluded by contract",
        }
    }
}

/// What a term is called on screens.
fn term_label(term: &str, language: Language) -> &'static str {
    match (term, language) {
        ("skill", Language::Ja) => "得意度",
        ("skill", Language::En) => "skill",
        ("lateness", Language::Ja) => "遅延",
        ("lateness", Language::En) => "lateness",
        ("load", Language::Ja) => "負荷",
        ("load", Language::En) => "load",
        ("churn", Language::Ja) => "担当変更",
        ("churn", Language::En) => "change of reader",
        (_, Language::Ja) => "継続性",
        (_, Language::En) => "continuity",
    }
}

fn offer_words(offer: &Offer, language: Language, reader: &dyn Fn(ReaderId) -> String) -> String {
    let who = reader(offer.reader);
    let terms = term_words(&offer.terms, false, language);
    let (points, skill) = (offer.terms.points(), offer.skill);
    match language {
        Language::Ja => format!("{who}（得意度 {skill:.0}）、{points:.1}点{terms}"),
        Language::En => format!("{who} (skill {skill:.0}), {points:.1} points{terms}"),
    }
}

fn difference_words(more: &Terms, language: Language) -> String {
    let terms = term_words(more, true, language);
    match language {
        Language::Ja => format!("{:+.1}点{terms}", more.points()),
        Language::En => format!("{:+.1} points{terms}", more.points()),
    }
}

/// ` (skill 2.0, load 0.3)`, or nothing if no term is worth a word.
fn term_words(terms: &Terms, signed: bool, language: Language) -> String {
    let number = |value: f64| if signed { format!("{value:+.1}") } else { format!("{value:.1}") };
    let mut words: Vec<String> = terms
        .named()
        .into_iter()
        .filter(|(_, value)| value.abs() >= WORTH_A_WORD)
        .map(|(term, value)| format!("{} {}", term_label(term, language), number(value)))
        .collect();
    if terms.waiting_cap_steps.abs() >= WORTH_A_WORD {
        let label = match language {
            Language::Ja => "待ち時間上限の超過",
            Language::En => "steps beyond the waiting cap",
        };
        words.insert(0, format!("{label} {}", number(terms.waiting_cap_steps)));
    }
    match (words.is_empty(), language) {
        (true, _) => String::new(),
        (false, Language::Ja) => format!("（{}）", words.join("、")),
        (false, Language::En) => format!(" ({})", words.join(", ")),
    }
}

fn excluded_words(excluded: &Excluded, language: Language, name: &dyn Fn(NameOf) -> String) -> String {
    let (who, why) = (name(NameOf::Reader(excluded.reader)), excluded.blocked.words(language, name));
    match language {
        Language::Ja => format!("・{who}: {why}"),
        Language::En => format!("- {who}: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_beyond_an_hour_is_told_in_hours() {
        assert_eq!(span(545.2, Language::Ja), "9時間5分");
        assert_eq!(span(59.6, Language::En), "1 h 0 min");
        assert_eq!(span(59.4, Language::Ja), "59分");
        assert_eq!(span(0.2, Language::En), "0 min");
    }
}
