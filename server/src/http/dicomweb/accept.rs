//! What a client accepts, as clients really write it (PS3.18 8.7.4, 8.7.5; RFC 9110 12.5.1).
//!
//! Understood besides the exact form: a `type` of `multipart/related` without its quotes although it holds a slash
//! (OHIF writes that), parameters in any case and order, several headers, weights, stray blanks and commas, and the
//! query parameter `accept`, which stands in for the header (8.3.3.1). A range that cannot be read is passed over.

use actix_web::HttpRequest;

/// One media range with its weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRange {
    /// `multipart/related`, `*/*`, in lower case.
    pub media: String,
    /// The `type` of a `multipart/related`, in lower case.
    pub part: Option<String>,
    /// The `transfer-syntax`: a UID or `*`.
    pub transfer_syntax: Option<String>,
    /// Thousandths, 0 to 1000.
    pub weight: u16,
}

impl MediaRange {
    /// Whether the body may be a `multipart/related` with parts of `media`.
    pub fn takes_parts_of(&self, media: &str) -> bool {
        let parts = matches!(self.media.as_str(), "*/*" | "multipart/*" | "multipart/related");
        parts && self.part.as_deref().is_none_or(|part| covers(part, media))
    }

    /// Whether the body may be of `media` itself.
    pub fn takes(&self, media: &str) -> bool {
        covers(&self.media, media)
    }

    /// Whether any transfer syntax will do, or this one.
    pub fn takes_syntax(&self, uid: &str) -> bool {
        self.transfer_syntax.as_deref().is_none_or(|wanted| wanted == "*" || wanted == uid)
    }
}

fn covers(range: &str, media: &str) -> bool {
    range == media
        || range == "*/*"
        || range.strip_suffix("/*").is_some_and(|kind| media.split('/').next() == Some(kind))
}

/// The ranges of a request, the most wanted first; `*/*` where it says nothing.
pub fn accepted(request: &HttpRequest) -> Vec<MediaRange> {
    let of_query = request.query_string().split('&').find_map(|pair| pair.strip_prefix("accept="));
    let said = match of_query {
        Some(value) => super::query::decoded(value),
        None => {
            let headers = request.headers().get_all("accept").filter_map(|value| value.to_str().ok());
            headers.collect::<Vec<_>>().join(",")
        }
    };
    parse(&said)
}

/// The ranges of a header's value, the most wanted first, as written among equals; those of weight 0 are left out.
pub fn parse(header: &str) -> Vec<MediaRange> {
    let mut ranges: Vec<MediaRange> = parted(header, ',').into_iter().filter_map(range).collect();
    if ranges.is_empty() && header.trim().is_empty() {
        ranges.push(MediaRange { media: "*/*".to_owned(), part: None, transfer_syntax: None, weight: 1000 });
    }
    ranges.retain(|range| range.weight > 0);
    ranges.sort_by_key(|range| std::cmp::Reverse(range.weight));
    ranges
}

fn range(text: &str) -> Option<MediaRange> {
    let (media, parameters) = media_and_parameters(text)?;
    let value = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let weight = value("q").map_or(Some(1.0), |q| q.parse::<f32>().ok()).unwrap_or(1.0);
    Some(MediaRange {
        media,
        part: value("type").map(|part| part.to_ascii_lowercase()),
        transfer_syntax: value("transfer-syntax"),
        // In 0 to 1000 by the clamp.
        weight: (weight.clamp(0.0, 1.0) * 1000.0).round() as u16,
    })
}

/// A media type in lower case with its parameters: names in lower case, values without their quotes.
pub fn media_and_parameters(text: &str) -> Option<(String, Vec<(String, String)>)> {
    let mut parts = parted(text, ';').into_iter();
    let media = parts.next()?.trim().to_ascii_lowercase();
    let (kind, sub) = media.split_once('/')?;
    if kind.is_empty() || sub.is_empty() || media.contains(char::is_whitespace) {
        return None;
    }
    let parameters = parts
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), unquoted(value.trim())))
        .collect();
    Some((media, parameters))
}

/// Parts a text at a sign that does not stand between quotes.
fn parted(text: &str, at: char) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (place, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            letter if letter == at && !quoted => {
                parts.push(&text[start..place]);
                start = place + letter.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unquoted(value: &str) -> String {
    match value.strip_prefix('"') {
        Some(inner) => inner.strip_suffix('"').unwrap_or(inner).replace("\\\"", "\"").replace("\\\\", "\\"),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(header: &str) -> MediaRange {
        let mut ranges = parse(header);
        assert_eq!(ranges.len(), 1, "{header}");
        ranges.remove(0)
    }

    #[test]
    fn the_type_of_the_parts_is_read_with_and_without_quotes() {
        for header in [
            "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*",
            "multipart/related; type=application/octet-stream; transfer-syntax=*",
            "Multipart/Related;Transfer-Syntax=\"*\";TYPE=\"Application/Octet-Stream\" ,",
        ] {
            let range = one(header);
            assert!(range.takes_parts_of("application/octet-stream"), "{header}");
            assert!(!range.takes_parts_of("application/dicom"), "{header}");
            assert!(range.takes_syntax("1.2.840.10008.1.2.4.70"), "{header}");
        }
    }

    #[test]
    fn weights_order_and_zero_forbids() {
        let ranges = parse("image/png;q=0.5, image/jpeg, text/html;q=0, */*;q=0.1");
        let media: Vec<&str> = ranges.iter().map(|range| range.media.as_str()).collect();
        assert_eq!(media, ["image/jpeg", "image/png", "*/*"]);
    }

    #[test]
    fn nothing_said_is_everything_and_nonsense_is_nothing() {
        assert!(one("").takes("application/dicom+json"));
        assert!(one("*/*").takes_parts_of("application/dicom"));
        assert!(one("multipart/related").takes_parts_of("application/dicom"));
        assert!(parse("nonsense").is_empty());
        assert!(parse(";;,/,\"").is_empty());
        assert_eq!(one("application/dicom;q=x").weight, 1000);
    }

    #[test]
    fn a_transfer_syntax_is_held_to() {
        let range = one("multipart/related; type=\"application/dicom\"; transfer-syntax=1.2.840.10008.1.2.1");
        assert!(range.takes_syntax("1.2.840.10008.1.2.1") && !range.takes_syntax("1.2.840.10008.1.2"));
        assert!(one("image/*").takes("image/png") && !one("image/*").takes("video/mp4"));
    }

    #[test]
    fn a_comma_between_quotes_parts_nothing() {
        let (media, parameters) = media_and_parameters("multipart/related; boundary=\"a,;\\\"b\"; type=x/y").unwrap();
        assert_eq!(media, "multipart/related");
        assert_eq!(parameters[0].1, "a,;\"b");
        assert_eq!(parse("multipart/related; boundary=\"a,b\", text/plain").len(), 2);
    }
}
