//! `Range` of RFC 9110 14.1.2.

/// One range, first and last byte. `None`: not understood, so it does not count. `Some(None)`: beyond the end.
pub fn of(text: &str, size: u64) -> Option<Option<(u64, u64)>> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    if to.contains(',') {
        return None;
    }
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (from, to) = match (from.trim().is_empty(), to.trim().is_empty()) {
        (true, true) => return None,
        (true, false) => (size.saturating_sub(number(to)?), size.saturating_sub(1)),
        (false, true) => (number(from)?, size.saturating_sub(1)),
        (false, false) => (number(from)?, number(to)?.min(size.saturating_sub(1))),
    };
    Some((from <= to && from < size).then_some((from, to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_understood() {
        assert_eq!(of("bytes=0-9", 100), Some(Some((0, 9))));
        assert_eq!(of("bytes=90-", 100), Some(Some((90, 99))));
        assert_eq!(of("bytes=-10", 100), Some(Some((90, 99))));
        assert_eq!(of("bytes=90-400", 100), Some(Some((90, 99))));
        assert_eq!(of("bytes=100-", 100), Some(None));
        assert_eq!(of("bytes=9-1", 100), Some(None));
        for other in ["bytes=0-1,5-6", "lines=1-2", "bytes=-", "bytes=a-b"] {
            assert_eq!(of(other, 100), None, "{other}");
        }
    }
}
