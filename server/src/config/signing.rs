//! What reports are signed and set with.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `signing.master_key` | `DOKUEI_MASTER_KEY` | a file of mode 0600 under `DIR/keys` | 64 hexadecimal digits that seal the readers' private keys; roles that run apart need the same one |
//! | `signing.ca` | `DOKUEI_SIGNING_CA` | `DIR/ca` | folder of the demonstration authority; roles that run apart share it |
//! | `signing.fonts` | `DOKUEI_SIGNING_FONTS` | `/usr/share/fonts` | folder below which the report's fonts are |

use std::path::PathBuf;

use super::{Paths, Secret, Source};

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Signing {
    pub master_key: Option<Secret>,
    pub ca: PathBuf,
    pub fonts: PathBuf,
}

impl Signing {
    pub(super) fn take(source: &mut Source, paths: &Paths) -> Self {
        let signing = Self {
            master_key: source.optional_named("signing.master_key", "DOKUEI_MASTER_KEY"),
            ca: source.value("signing.ca", paths.data.join("ca")),
            fonts: source.value("signing.fonts", PathBuf::from("/usr/share/fonts")),
        };
        let legal = |key: &Secret| key.expose().len() == 64 && key.expose().bytes().all(|b| b.is_ascii_hexdigit());
        if signing.master_key.as_ref().is_some_and(|key| !legal(key)) {
            source.fault(
                "signing.master_key",
                "the value is not 64 hexadecimal digits (make one with: openssl rand -hex 32)",
            );
        }
        signing
    }
}
