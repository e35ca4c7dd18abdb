//! Passwords: argon2id, hashed and proved away from the threads that serve.
//!
//! At most two at a time: each takes tens of milliseconds of one core and its
//! memory, and a flood of logins must not take the machine from the readers.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::config::Security;
use crate::error::{Error, Result};

/// Hashes and proves passwords.
#[derive(Clone)]
pub struct Passwords {
    hasher: Argon2<'static>,
    turns: Arc<Semaphore>,
    nobody: Arc<str>,
}

impl Passwords {
    /// With the costs of the settings.
    ///
    /// # Errors
    /// Costs that argon2 refuses.
    pub fn new(security: &Security) -> anyhow::Result<Self> {
        let params = Params::new(security.argon2_memory_kib, security.argon2_passes, 1, None)
            .map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody =
            hasher.hash_password(b"nobody has this password").map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
        Ok(Self { hasher, turns: Arc::new(Semaphore::new(2)), nobody: nobody.to_string().into() })
    }

    /// The PHC string (`$argon2id$v=19$...`) of a password, with a salt of its own.
    ///
    /// # Errors
    /// Only the library's own.
    pub async fn hash(&self, password: String) -> Result<String> {
        let hasher = self.hasher.clone();
        self.in_turn(move || {
            hasher
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
                .map_err(|error| Error::internal(anyhow::anyhow!("argon2: {error}")))
        })
        .await
    }

    /// Whether the password is the one that was hashed. With no hash (no such user) it takes as long and is false.
    ///
    /// # Errors
    /// A stored hash that is not a PHC string.
    pub async fn proves(&self, password: String, hash: Option<String>) -> Result<bool> {
        let hasher = self.hasher.clone();
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        self.in_turn(move || {
            let parsed = PasswordHash::new(&hash)
                .map_err(|_| Error::internal(anyhow::anyhow!("a stored password hash is damaged")))?;
            Ok(hasher.verify_password(password.as_bytes(), &parsed).is_ok() && exists)
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let _turn = self.turns.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Source};

    fn passwords() -> Passwords {
        let config = Config::read(Source::empty()).unwrap();
        Passwords::new(&config.security).unwrap()
    }

    #[tokio::test]
    async fn a_hash_is_argon2id_with_the_configured_costs_and_its_own_salt() {
        let passwords = passwords();
        let first = passwords.hash("正しい馬の電池".into()).await.unwrap();
        let second = passwords.hash("正しい馬の電池".into()).await.unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert_ne!(first, second);
        assert!(passwords.proves("正しい馬の電池".into(), Some(first.clone())).await.unwrap());
        assert!(!passwords.proves("正しい馬の電地".into(), Some(first)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_can_sign_in_as_a_user_that_does_not_exist() {
        assert!(!passwords().proves("nobody has this password".into(), None).await.unwrap());
    }
}
