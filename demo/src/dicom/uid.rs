//! UIDs under 2.25 (PS3.5 B.2): a random UUID as a decimal number.

use crate::phantom::noise::mix;

/// The UID of a chain of numbers: equal chains give equal UIDs, different ones differ but for a chance of 2^-122.
pub fn uid(chain: &[u64]) -> String {
    let half = |salt: u64| chain.iter().fold(mix(salt), |state, &value| mix(state ^ mix(value.wrapping_add(salt))));
    let bits = (u128::from(half(0xD0C)) << 64) | u128::from(half(0x5EED));
    // Version 4, variant 1 (RFC 9562 5.4).
    let bits = (bits & !(0xF << 76)) | (0x4 << 76);
    let bits = (bits & !(0b11 << 62)) | (0b10 << 62);
    format!("2.25.{bits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_valid_and_differ() {
        let mut seen = std::collections::HashSet::new();
        for a in 0..100 {
            for b in 0..100 {
                let uid = uid(&[a, b]);
                assert!(uid.len() <= 64 && uid.starts_with("2.25.") && !uid[5..].starts_with('0'), "{uid}");
                assert!(seen.insert(uid));
            }
        }
        assert_ne!(uid(&[1, 2]), uid(&[2, 1]));
        assert_ne!(uid(&[1]), uid(&[1, 0]));
    }
}
