//! "What would it cost to give this read to that reader?", everything else as it is published.

use serde::{Deserialize, Serialize};

use crate::constraints::Blocked;
use crate::explain::{Held, is_cheaper};
use crate::model::Pool;
use crate::{Offer, Problem, ProblemError, ReadId, ReaderId, validate};

/// The price of an override, seen before it is made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// The reader asked about.
    pub offer: Offer,
    /// Who has the read now; if nobody (who may) has it, the cheapest other reader; `None` if there is no other.
    pub instead_of: Option<Offer>,
}

impl Quote {
    /// Points more than now; negative if it would be better. `None` if there is nobody to compare with.
    pub fn more_points(&self) -> Option<f64> {
        self.instead_of.map(|now| self.offer.terms.points() - now.terms.points())
    }
}

/// Why there is no price.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QuoteError {
    /// The problem has no meaning.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// No such read is open.
    #[error("read {0} is not among the reads")]
    UnknownRead(ReadId),
    /// No such reader is in the pool.
    #[error("reader {0} is not among the readers")]
    UnknownReader(ReaderId),
    /// A hard rule keeps him from it: no price buys that.
    #[error("a hard rule keeps the reader from this read: {0:?}")]
    Excluded(Blocked),
}

/// Prices one read with one reader, the other reads where they are published (`Read::current`). Pins are not looked at.
///
/// # Errors
/// See [`QuoteError`].
pub fn price(problem: &Problem, read: ReadId, reader: ReaderId) -> Result<Quote, QuoteError> {
    validate::check(problem)?;
    let pool = Pool::new(problem);
    let at = problem.reads.iter().position(|one| one.id == read).ok_or(QuoteError::UnknownRead(read))?;
    let who = pool.reader_at(reader).ok_or(QuoteError::UnknownReader(reader))?;
    let now = problem.reads.iter().map(|read| pool.reader_at(read.current?)).collect();
    let held = Held::new(&pool, now);
    if held.has_other_of_case(&pool, at, who) {
        return Err(QuoteError::Excluded(Blocked::Separation));
    }
    let Some(offer) = held.offer(&pool, at, who) else {
        let excluded = pool.excluded[at].iter().find(|excluded| excluded.reader == reader);
        return Err(
            excluded.map_or(QuoteError::UnknownReader(reader), |excluded| QuoteError::Excluded(excluded.blocked))
        );
    };
    let others = pool.pairs[at].iter().map(|pair| pair.reader as usize).filter(|other| *other != who);
    let cheapest = others
        .filter(|other| !held.has_other_of_case(&pool, at, *other))
        .filter_map(|other| held.offer(&pool, at, other))
        .reduce(|best, offer| if is_cheaper(&offer.terms, &best.terms) { offer } else { best });
    let present = held.reader_of[at].and_then(|now| held.offer(&pool, at, now));
    Ok(Quote { offer, instead_of: present.or(cheapest) })
}
