//! The rule by which priors are fetched from one PACS, as an administrator enters it.

use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::priors::{self, PriorRule, PriorWay};
use dokuei_models::{Actor, EndpointId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::endpoints;
use crate::app::typed::{Faults, Typed};
use crate::error::codes::admin as codes;
use crate::error::{Error, Result};
use crate::state::State;

/// A rule as it is entered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RuleForm {
    /// Whether the PACS is asked by itself when a case opens.
    pub active: bool,
    /// How many studies at the most, 1 to 50.
    #[schema(value_type = Option<i32>)]
    pub most: Typed<i32>,
    /// How old they may be, in days before the current study.
    #[schema(value_type = Option<i32>)]
    pub within_days: Typed<i32>,
    /// Only those that have a modality of the current study.
    pub same_modality: bool,
    /// Only those whose description does not name another region.
    pub same_region: bool,
    /// How the images come: `move` (C-MOVE, the PACS sends to us; also where nothing is given) or `get` (C-GET, over the
    /// connection that we open).
    pub way: String,
}

impl Default for RuleForm {
    fn default() -> Self {
        Self {
            active: false,
            most: Typed::Empty,
            within_days: Typed::Empty,
            same_modality: false,
            same_region: false,
            way: PriorWay::Move.code().to_owned(),
        }
    }
}

impl RuleForm {
    /// A rule as it is, or what is offered where there is none.
    pub fn of(rule: Option<&PriorRule>) -> Self {
        let Some(rule) = rule else {
            return Self { most: 4.into(), within_days: 1_095.into(), same_region: true, ..Self::default() };
        };
        Self {
            active: rule.active,
            most: rule.most.into(),
            within_days: rule.within_days.into(),
            same_modality: rule.same_modality,
            same_region: rule.same_region,
            way: rule.way.code().to_owned(),
        }
    }
}

/// The rule of a PACS, if it has one.
///
/// # Errors
/// What the database says.
pub async fn get(state: &State, endpoint: EndpointId) -> Result<Option<PriorRule>> {
    Ok(state.db.read(move |conn| priors::prior_rule_get(conn, endpoint)).await?)
}

/// Writes the rule of a PACS.
///
/// # Errors
/// `form_invalid`, `not_found`, `echo_nowhere` for one that cannot be called.
pub async fn set(state: &State, actor: Actor, endpoint: EndpointId, form: &RuleForm) -> Result<()> {
    let row = endpoints::get(state, endpoint).await?;
    if row.host.is_empty() || row.port == 0 {
        return Err(Error::new(&codes::ECHO_NOWHERE));
    }
    let mut faults = Faults::default();
    let rule = PriorRule {
        endpoint_id: endpoint,
        active: form.active,
        most: faults.number("most", &form.most, 1..=50),
        within_days: faults.number("within_days", &form.within_days, 1..=36_500),
        same_modality: form.same_modality,
        same_region: form.same_region,
        way: faults.code("way", &form.way, PriorWay::Move),
        asked_at: None,
        failure: None,
    };
    faults.done()?;
    let detail = serde_json::to_string(form).unwrap_or_default();
    state
        .db
        .tx(move |conn| {
            priors::prior_rule_set_in_tx(conn, &rule)?;
            let subject = Subject::row("endpoint", endpoint.0, Some(row.site_id));
            append_in_tx(conn, &actor, "endpoint.priors", subject, "done", &detail)
        })
        .await?;
    Ok(())
}
