//! The demo organisation on first start, and the hospital day.
//!
//! Made only by `dokuei run`, in an empty data folder, with both addresses on
//! loopback and no `DATABASE_URL`: an installation that others can reach begins
//! with `dokuei init` instead. Every site is flagged as a demo, every person is
//! invented, every password is random, printed once and kept in
//! `DIR/demo-logins.txt` for its owner alone.

mod logins;
mod organisation;
mod play;

use dokuei_models::store::users;

use crate::state::State;

pub use play::play;

/// Makes the organisation where nobody has an account yet and the rule above allows it. Returns whether it did.
///
/// # Errors
/// The database or the folder failed.
pub async fn seed_if_empty(state: &State) -> anyhow::Result<bool> {
    let users = state.db.read(users::user_count).await?;
    if users > 0 {
        return Ok(false);
    }
    let (http, dicom) = (state.config.http.address, state.config.dicom.address);
    if !http.ip().is_loopback() || !dicom.ip().is_loopback() || state.config.database.is_postgres() {
        anyhow::bail!(
            "nobody has an account yet. The demo organisation is made only on loopback addresses with the embedded \
             database; make the first administrator with `dokuei init --data {}`",
            state.config.paths.data.display()
        );
    }
    tracing::info!("making the demo organisation (once, some seconds)");
    let invented = dokuei_demo::organisation(1);
    let made = organisation::make(state, &invented).await?;
    logins::keep_and_print(&state.config.paths.data, &made)?;
    Ok(true)
}
