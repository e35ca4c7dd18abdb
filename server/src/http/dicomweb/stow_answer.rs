//! What is answered to STOW-RS: the Store Instances Response Module (PS3.18 I.2) and its status (table 10.5.3-1).

use actix_web::http::StatusCode;
use dicom_dictionary_std::tags;
use dokuei_dicom_gateway::dataset::{DataSet, to_json};

use crate::app::dicomweb::store::Stored;

/// 200: all were stored. 202: some were not. 409: none was.
pub fn status(stored: &[Stored]) -> StatusCode {
    let failed = stored.iter().filter(|one| one.failure.is_some()).count();
    match failed {
        0 if !stored.is_empty() => StatusCode::OK,
        failed if failed == stored.len() => StatusCode::CONFLICT,
        _ => StatusCode::ACCEPTED,
    }
}

/// The answer's data set in the DICOM JSON model. `root` is the absolute address of the root.
pub fn body(stored: &[Stored], root: &str) -> serde_json::Value {
    let mut out = DataSet::default();
    let mut studies: Vec<&str> = stored.iter().filter_map(|one| one.place.as_ref()).map(|(s, _)| s.as_str()).collect();
    studies.sort_unstable();
    studies.dedup();
    if let [study] = studies.as_slice() {
        out.put(tags::RETRIEVE_URL, format!("{root}/studies/{study}"));
    }
    let (mut there, mut failed, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for one in stored {
        let mut item = DataSet::default();
        if let Some(failure) = one.failure {
            item.put_u16(tags::FAILURE_REASON, failure.code());
        }
        if one.sop_instance.is_empty() {
            unknown.push(item);
            continue;
        }
        item.put(tags::REFERENCED_SOP_CLASS_UID, one.sop_class.as_str());
        item.put(tags::REFERENCED_SOP_INSTANCE_UID, one.sop_instance.as_str());
        if one.failure.is_some() {
            failed.push(item);
            continue;
        }
        if let Some((study, series)) = &one.place {
            let address = format!("{root}/studies/{study}/series/{series}/instances/{}", one.sop_instance);
            item.put(tags::RETRIEVE_URL, address);
        }
        there.push(item);
    }
    for (tag, items) in [
        (tags::REFERENCED_SOP_SEQUENCE, there),
        (tags::FAILED_SOP_SEQUENCE, failed),
        (tags::OTHER_FAILURES_SEQUENCE, unknown),
    ] {
        if !items.is_empty() {
            out.put_items(tag, items);
        }
    }
    serde_json::Value::Object(to_json(&out, &mut |_| None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::dicomweb::store::Failure;

    fn good(instance: &str) -> Stored {
        Stored {
            sop_class: "1.2.840.10008.5.1.4.1.1.2".into(),
            sop_instance: instance.into(),
            place: Some(("1.2".into(), "1.2.3".into())),
            failure: None,
        }
    }

    #[test]
    fn each_part_is_answered_for() {
        let bad = Stored { failure: Some(Failure::OtherStudy), place: None, ..good("1.9") };
        let parts = [good("1.5"), bad, Stored::failed(Failure::NotUnderstood)];
        assert_eq!(status(&parts), StatusCode::ACCEPTED);
        let body = body(&parts, "http://x/dicomweb/sites/a");
        assert_eq!(body["00081190"]["Value"][0], "http://x/dicomweb/sites/a/studies/1.2");
        let one = &body["00081199"]["Value"][0];
        assert_eq!(one["00081155"]["Value"][0], "1.5");
        assert_eq!(one["00081190"]["Value"][0], "http://x/dicomweb/sites/a/studies/1.2/series/1.2.3/instances/1.5");
        assert_eq!(body["00081198"]["Value"][0]["00081197"]["Value"][0], 0xA900);
        assert_eq!(body["0008119A"]["Value"][0]["00081197"]["Value"][0], 0xC000);
    }

    #[test]
    fn the_status_says_all_some_or_none() {
        assert_eq!(status(&[good("1")]), StatusCode::OK);
        assert_eq!(status(&[Stored::failed(Failure::TooLarge)]), StatusCode::CONFLICT);
        assert_eq!(status(&[]), StatusCode::CONFLICT);
    }
}
