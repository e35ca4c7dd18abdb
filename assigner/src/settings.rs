//! Prices, caps and weights of one pool.
//!
//! Points are the currency of the quality level: 1 point is what a routine read
//! loses when it goes to a reader 10 skill points below the best.

use dokuei_terms::Priority;
use serde::{Deserialize, Serialize};

/// One number for each priority.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ByPriority {
    /// For stat reads.
    pub stat: f64,
    /// For urgent reads.
    pub urgent: f64,
    /// For priority reads.
    pub priority: f64,
    /// For routine reads.
    pub routine: f64,
}

impl ByPriority {
    /// The number for one priority.
    pub fn of(&self, priority: Priority) -> f64 {
        match priority {
            Priority::Stat => self.stat,
            Priority::Urgent => self.urgent,
            Priority::Priority => self.priority,
            Priority::Routine => self.routine,
        }
    }

    /// The four numbers, most pressing first.
    pub fn all(&self) -> [f64; 4] {
        [self.stat, self.urgent, self.priority, self.routine]
    }
}

/// A step of the price of a reader's minutes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LoadStep {
    /// The width of the step as a share of the reader's capacity.
    pub share: f64,
    /// Points per minute on this step.
    pub price: f64,
}

/// The settings of one pool. [`Settings::default`] is what a new pool starts with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Minutes a read may wait before its start, by priority. Going beyond is worse than any loss of quality.
    pub waiting_cap_minutes: ByPriority,
    /// Breaches of the cap count in begun steps of this many minutes, so that three minutes never outweigh skill.
    pub waiting_cap_step_minutes: f64,
    /// How much more a read of this priority weighs in lateness and skill.
    pub weight: ByPriority,
    /// A read of urgency 1 weighs this share more than one of urgency 0.
    pub urgency_weight: f64,
    /// Urgency from which a read stands among the urgent ones in its reader's list.
    pub urgent_from: f64,
    /// Points for 10 points of skill missing to 100, for a read of weight 1.
    pub skill_price: f64,
    /// Points for a minute of lateness of a read of weight 1, were it the reader's next.
    pub late_price_per_minute: f64,
    /// Points for a minute of work due before a horizon that does not fit before it.
    pub overdue_work_price_per_minute: f64,
    /// The horizons of due work, in minutes from now, rising.
    pub horizons_minutes: Vec<f64>,
    /// The price of a reader's minutes: convex, the prices rise. Work done in the shift counts.
    pub load_steps: Vec<LoadStep>,
    /// Points per minute beyond the last step; at least its price.
    pub overload_price_per_minute: f64,
    /// Points for moving a published assignment to another reader.
    pub churn_price: f64,
    /// Points for a reader who does not know the patient while one who does could read.
    pub continuity_price: f64,
    /// A reader whose shift begins within this many minutes may be given work already.
    pub look_ahead_minutes: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            waiting_cap_minutes: ByPriority { stat: 30.0, urgent: 120.0, priority: 480.0, routine: 1440.0 },
            waiting_cap_step_minutes: 15.0,
            weight: ByPriority { stat: 6.0, urgent: 3.0, priority: 1.5, routine: 1.0 },
            urgency_weight: 1.0,
            urgent_from: 0.8,
            skill_price: 1.0,
            late_price_per_minute: 0.1,
            overdue_work_price_per_minute: 0.3,
            horizons_minutes: vec![30.0, 60.0, 120.0, 240.0],
            load_steps: [0.0, 0.02, 0.04, 0.06, 0.09, 0.12, 0.16, 0.2, 0.25, 0.3]
                .map(|price| LoadStep { share: 0.1, price })
                .to_vec(),
            overload_price_per_minute: 1.0,
            churn_price: 2.0,
            continuity_price: 2.0,
            look_ahead_minutes: 0.0,
        }
    }
}
