//! Sessions, passwords, throttling.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `security.session_idle_minutes` | `DOKUEI_SECURITY_SESSION_IDLE_MINUTES` | `120` | a session ends after so long without a request |
//! | `security.session_hours` | `DOKUEI_SECURITY_SESSION_HOURS` | `12` | and at the latest after so long |
//! | `security.cookie_secure` | `DOKUEI_SECURITY_COOKIE_SECURE` | `auto` | `always`, `never`, or `auto`: when `http.tls_certificate` is set or `http.public_url` is https |
//! | `security.login_free_attempts` | `DOKUEI_SECURITY_LOGIN_FREE_ATTEMPTS` | `5` | wrong passwords before waiting begins; each further one doubles the wait |
//! | `security.login_wait_max_seconds` | `DOKUEI_SECURITY_LOGIN_WAIT_MAX_SECONDS` | `900` | the longest wait |
//! | `security.password_min_length` | `DOKUEI_SECURITY_PASSWORD_MIN_LENGTH` | `10` | shortest new password, in characters |
//! | `security.argon2_memory_kib` | `DOKUEI_SECURITY_ARGON2_MEMORY_KIB` | `19456` | argon2id memory (OWASP's first choice: 19 MiB, 2 passes, 1 lane) |
//! | `security.argon2_passes` | `DOKUEI_SECURITY_ARGON2_PASSES` | `2` | argon2id passes |

use super::{Setting, Source};

/// When the session cookie carries the Secure flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieSecure {
    Auto,
    Always,
    Never,
}

impl Setting for CookieSecure {
    const SHAPE: &'static str = "auto, always or never";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "always" => Some(Self::Always),
            "never" => Some(Self::Never),
            _ => None,
        }
    }
}

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Security {
    pub session_idle_minutes: u32,
    pub session_hours: u32,
    pub cookie_secure: CookieSecure,
    pub login_free_attempts: u32,
    pub login_wait_max_seconds: u32,
    pub password_min_length: usize,
    pub argon2_memory_kib: u32,
    pub argon2_passes: u32,
}

impl Security {
    pub(super) fn take(source: &mut Source) -> Self {
        let security = Self {
            session_idle_minutes: source.value("security.session_idle_minutes", 120),
            session_hours: source.value("security.session_hours", 12),
            cookie_secure: source.value("security.cookie_secure", CookieSecure::Auto),
            login_free_attempts: source.value("security.login_free_attempts", 5),
            login_wait_max_seconds: source.value("security.login_wait_max_seconds", 900),
            password_min_length: source.value("security.password_min_length", 10),
            argon2_memory_kib: source.value("security.argon2_memory_kib", 19_456),
            argon2_passes: source.value("security.argon2_passes", 2),
        };
        let at_least = [
            ("security.session_idle_minutes", u64::from(security.session_idle_minutes), 1),
            ("security.session_hours", u64::from(security.session_hours), 1),
            ("security.login_free_attempts", u64::from(security.login_free_attempts), 1),
            ("security.password_min_length", security.password_min_length as u64, 8),
            ("security.argon2_memory_kib", u64::from(security.argon2_memory_kib), 8_192),
            ("security.argon2_passes", u64::from(security.argon2_passes), 1),
        ];
        for (key, value, least) in at_least {
            if value < least {
                source.fault(key, format!("{value} is too small, {least} is the least"));
            }
        }
        security
    }
}
