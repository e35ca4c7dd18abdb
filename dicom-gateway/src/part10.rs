//! The file meta information that we put before a data set received over the
//! network, so that what is kept is a DICOM file (PS3.10 7.1).

/// Identifies this software in file meta information and associations. Derived
/// from a UUID (PS3.5 B.2), so it needs no registration.
pub const IMPLEMENTATION_CLASS_UID: &str = "2.25.148937312458926118216431973602873214719";

/// 1 to 16 characters; changes with each release.
pub const IMPLEMENTATION_VERSION: &str = "DOKUEI_0_1";

/// Preamble, prefix and group 0002 for a data set with these identifiers. The
/// data set's bytes are appended as they are. It depends on nothing else, so equal
/// data sets make equal files whoever sent them and however.
pub fn file_meta(sop_class: &str, sop_instance: &str, transfer_syntax: &str) -> Vec<u8> {
    let mut group = Vec::with_capacity(320);
    // OB with a long head: version 00 01.
    group.extend_from_slice(&[0x02, 0x00, 0x01, 0x00, b'O', b'B', 0, 0, 2, 0, 0, 0, 0x00, 0x01]);
    short(&mut group, 0x0002, b"UI", sop_class);
    short(&mut group, 0x0003, b"UI", sop_instance);
    short(&mut group, 0x0010, b"UI", transfer_syntax);
    short(&mut group, 0x0012, b"UI", IMPLEMENTATION_CLASS_UID);
    short(&mut group, 0x0013, b"SH", IMPLEMENTATION_VERSION);
    let mut file = Vec::with_capacity(144 + group.len());
    file.resize(128, 0);
    file.extend_from_slice(b"DICM");
    file.extend_from_slice(&[0x02, 0x00, 0x00, 0x00, b'U', b'L', 4, 0]);
    file.extend_from_slice(&u32::try_from(group.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend_from_slice(&group);
    file
}

fn short(out: &mut Vec<u8>, element: u16, vr: &[u8; 2], value: &str) {
    let value = &value.as_bytes()[..value.len().min(64)];
    let padded = value.len() + value.len() % 2;
    out.extend_from_slice(&[0x02, 0x00]);
    out.extend_from_slice(&element.to_le_bytes());
    out.extend_from_slice(vr);
    out.extend_from_slice(&(padded as u16).to_le_bytes());
    out.extend_from_slice(value);
    if padded > value.len() {
        out.push(if vr == b"UI" { 0 } else { b' ' });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meta_information_we_write_is_read_back_and_the_data_set_begins_behind_it() {
        let mut file = file_meta("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2");
        let meta_len = file.len();
        file.extend_from_slice(&[0x08, 0x00, 0x16, 0x00, 0, 0, 0, 0]);
        let parts = crate::header::split_file(&file).unwrap();
        assert_eq!(parts.dataset_at, meta_len);
        assert_eq!(parts.transfer_syntax, "1.2.840.10008.1.2");
        assert_eq!(parts.sop_class.as_deref(), Some("1.2.840.10008.5.1.4.1.1.2"));
        assert_eq!(parts.sop_instance.as_deref(), Some("1.2.3"));
    }
}
