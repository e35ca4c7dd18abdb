//! `multipart/related` bodies as DICOMweb writes and reads them (PS3.18 8.6.1, RFC 2387).

use super::accept::media_and_parameters;

/// Writes the marks around the parts of one body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    boundary: String,
}

impl Marks {
    /// `token` is random, so that no part can hold the mark but by chance: at least 32 of `0-9A-Za-z`.
    pub fn new(token: &str) -> Self {
        Self { boundary: format!("dokuei{}", &token[..token.len().min(48)]) }
    }

    /// The body's `Content-Type`, parts being of `media`.
    pub fn content_type(&self, media: &str) -> String {
        format!("multipart/related; type=\"{media}\"; boundary={}", self.boundary)
    }

    /// What stands before a part's bytes. `content_type` and `location` are visible ASCII.
    pub fn head(&self, content_type: &str, location: Option<&str>, length: Option<u64>) -> Vec<u8> {
        let mut head = format!("--{}\r\nContent-Type: {content_type}\r\n", self.boundary);
        if let Some(length) = length {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        if let Some(location) = location {
            head.push_str(&format!("Content-Location: {location}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// What stands behind a part's bytes.
    pub const fn tail(&self) -> &'static [u8] {
        b"\r\n"
    }

    /// What ends the body.
    pub fn end(&self) -> Vec<u8> {
        format!("--{}--\r\n", self.boundary).into_bytes()
    }
}

/// What a body that is sent to us says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// `multipart/related` with this boundary; the type of its parts, where it is said.
    Parts {
        /// The boundary.
        boundary: String,
        /// In lower case.
        part: Option<String>,
    },
    /// One thing of this media type, in lower case.
    Single(String),
}

impl Sent {
    /// Reads a `Content-Type`. `None` where there is none that can be read, or a multipart without a boundary.
    pub fn of(content_type: &str) -> Option<Self> {
        let (media, parameters) = media_and_parameters(content_type)?;
        if !media.starts_with("multipart/") {
            return Some(Self::Single(media));
        }
        let value = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        // RFC 2046 5.1.1 says 70 letters at the most; Orthanc sends 73. A control cannot be one.
        let sound = |text: &String| (1..=200).contains(&text.len()) && !text.contains(char::is_control);
        let boundary = value("boundary").filter(sound);
        boundary.map(|boundary| Self::Parts { boundary, part: value("type").map(|part| part.to_ascii_lowercase()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_written_as_rfc_2387_says() {
        let marks = Marks::new("0123456789abcdef0123456789abcdef");
        assert_eq!(
            marks.content_type("application/dicom"),
            "multipart/related; type=\"application/dicom\"; boundary=dokuei0123456789abcdef0123456789abcdef"
        );
        let mut body = marks.head("application/dicom; transfer-syntax=1.2", Some("http://x/y"), Some(2));
        body.extend_from_slice(b"ab");
        body.extend_from_slice(marks.tail());
        body.extend_from_slice(&marks.end());
        assert_eq!(
            String::from_utf8(body).unwrap(),
            "--dokuei0123456789abcdef0123456789abcdef\r\nContent-Type: application/dicom; transfer-syntax=1.2\r\n\
             Content-Length: 2\r\nContent-Location: http://x/y\r\n\r\nab\r\n\
             --dokuei0123456789abcdef0123456789abcdef--\r\n"
        );
    }

    #[test]
    fn a_sent_body_names_its_boundary_quoted_or_not() {
        let parts = |boundary: &str, part: Option<&str>| {
            Some(Sent::Parts { boundary: boundary.to_owned(), part: part.map(str::to_owned) })
        };
        let dicom = Some("application/dicom");
        assert_eq!(Sent::of("multipart/related; type=\"application/dicom\"; boundary=ab"), parts("ab", dicom));
        assert_eq!(Sent::of("multipart/related;boundary=\"a b\";type=application/dicom"), parts("a b", dicom));
        assert_eq!(Sent::of("Multipart/Related; Boundary=X"), parts("X", None));
        let long = "6f1ed002-ab5b-4af8-8c2e-0d9a5d1e2f30-6f1ed002-ab5b-4af8-8c2e-0d9a5d1e2f31";
        assert_eq!(Sent::of(&format!("multipart/related; boundary={long}")), parts(long, None));
        assert_eq!(Sent::of("application/dicom"), Some(Sent::Single("application/dicom".to_owned())));
        assert_eq!(Sent::of("multipart/related; type=application/dicom"), None);
        assert_eq!(Sent::of("multipart/related; boundary="), None);
        assert_eq!(Sent::of("x"), None);
    }
}
