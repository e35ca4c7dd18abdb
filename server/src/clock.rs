//! The time and chance, as parameters: tests set the one and seed the other.

use chrono::{DateTime, NaiveDateTime, Utc};

/// What time it is.
pub trait Clock: Send + Sync + 'static {
    /// The current time, UTC.
    fn now(&self) -> DateTime<Utc>;

    /// The current time as rows hold it (UTC without a zone, whole microseconds).
    fn stamp(&self) -> NaiveDateTime {
        let now = self.now().naive_utc();
        let spare = now.and_utc().timestamp_subsec_nanos() % 1_000;
        now - chrono::Duration::nanoseconds(i64::from(spare))
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct StoppedClock(std::sync::Mutex<DateTime<Utc>>);

impl StoppedClock {
    /// A clock that shows `at`.
    pub fn at(at: DateTime<Utc>) -> Self {
        Self(std::sync::Mutex::new(at))
    }

    /// Moves the clock by `by`.
    pub fn advance(&self, by: chrono::Duration) {
        let mut at = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *at += by;
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Where unguessable bytes and seeds come from.
pub trait Chance: Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// A token of 32 bytes in hexadecimal: a session's, an API token's, a CSRF token's.
    fn token(&self) -> String {
        let mut bytes = [0u8; 32];
        self.fill(&mut bytes);
        hex::encode(bytes)
    }

    /// A seed for a random number generator.
    fn seed(&self) -> u64 {
        let mut bytes = [0u8; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        use rand::Rng as _;
        rand::rng().fill_bytes(bytes);
    }
}
