//! Seals the audit trail: every two seconds, whatever was committed since goes under one seal.
//!
//! One sealer at a time over all workers (the lease `audit-sealer`): two would
//! fork the chain. It is a loop and no job, because a job every two seconds would
//! write more rows than it seals.
//!
//! A pass looks at what is recent; every ten minutes, and first of all, one looks
//! through the whole trail for what a slow transaction committed later.

use std::time::{Duration, Instant};

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::StoreError;
use dokuei_models::store::audit::{self, Span};
use dokuei_models::store::leases;

use crate::state::State;

const LEASE: &str = "audit-sealer";
const LEASE_LENGTH: TimeDelta = TimeDelta::seconds(30);
const EVERY: Duration = Duration::from_secs(2);
const WHOLE_EVERY: Duration = Duration::from_secs(600);
const ROWS_PER_SEAL: i64 = 2_000;

/// What this process holds of the lease.
#[derive(Debug, Clone, Copy)]
struct Held {
    fencing: i64,
    until: NaiveDateTime,
}

/// Seals until the process stops, a last time then.
pub async fn run(state: State) {
    let me = format!("sealer-{}", &state.chance.token()[..12]);
    let mut held = None;
    let mut whole_at: Option<Instant> = None;
    loop {
        let span = if whole_at.is_none_or(|at| at.elapsed() >= WHOLE_EVERY) { Span::Whole } else { Span::Recent };
        match seal_all(&state, &me, &mut held, span).await {
            // Whoever has not the lease has looked at nothing.
            Ok(()) if span == Span::Whole && held.is_some() => whole_at = Some(Instant::now()),
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, "the audit trail is not sealed; it is tried again");
                held = None;
            }
        }
        if *state.stop.borrow() {
            let now = state.now();
            let released =
                state.db.tx(move |connection| leases::lease_release_in_tx(connection, LEASE, &me, now)).await;
            if let Err(error) = released {
                tracing::warn!(%error, "the sealer's lease runs out by itself");
            }
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = state.stopped() => {}
        }
    }
}

/// Seals what is there, if the lease is ours.
async fn seal_all(state: &State, me: &str, held: &mut Option<Held>, span: Span) -> Result<(), StoreError> {
    loop {
        let now = state.now();
        let fresh = held.filter(|held| held.until - now > LEASE_LENGTH / 2);
        let holder = me.to_owned();
        let (next, sealed) = state
            .db
            .tx(move |connection| {
                let holding = match fresh {
                    Some(held) if leases::lease_holds(connection, LEASE, held.fencing)? => Some(held),
                    _ => leases::lease_take_in_tx(connection, LEASE, &holder, now, LEASE_LENGTH)?
                        .map(|fencing| Held { fencing, until: now + LEASE_LENGTH }),
                };
                match holding {
                    Some(_) => Ok((holding, audit::audit_seal_in_tx(connection, now, ROWS_PER_SEAL, span)?)),
                    None => Ok((None, 0)),
                }
            })
            .await?;
        *held = next;
        if i64::try_from(sealed).unwrap_or(i64::MAX) < ROWS_PER_SEAL {
            return Ok(());
        }
    }
}
