//! WADO-RS.

use actix_web::http::{Method, StatusCode};

use super::made::{EXPLICIT, JPEG, Made, Pixels, ROOT, site};
use crate::app::TestApp;

const ONE: &str = "/dicomweb/sites/site_a/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1";

/// The frames of a compressed object: 2 fragments, 1 and 1.
fn jpeg_frames() -> Vec<Vec<Vec<u8>>> {
    vec![vec![vec![0xFF, 0xD8, 1, 1], vec![1, 2]], vec![vec![0xFF, 0xD8, 2, 2, 2, 2]], vec![vec![0xFF, 0xD8, 3, 3]]]
}

#[actix_web::test]
async fn a_study_comes_in_parts_byte_for_byte() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    let made =
        [Made::new("1.2.3", 1), Made { pixels: Pixels::Encapsulated(jpeg_frames(), true), ..Made::new("1.2.3", 2) }];
    program.store(&format!("{ROOT}/studies"), &made.each_ref().map(Made::part10)).await;
    for accept in [
        "",
        "*/*",
        "multipart/related; type=\"application/dicom\"",
        "multipart/related; type=application/dicom; transfer-syntax=*",
        "application/json;q=0.5, multipart/related; type=\"application/dicom\"",
    ] {
        let got = program.get(&format!("{ROOT}/studies/1.2.3"), accept).await;
        assert_eq!(got.status, StatusCode::OK, "{accept}: {got:?}");
        assert!(got.header("content-type").starts_with("multipart/related; type=\"application/dicom\"; boundary="));
        let parts = got.parts();
        assert_eq!(parts.len(), 2, "{accept}");
        for (part, made) in parts.iter().zip(&made) {
            assert!(part.0.contains(&format!("Content-Type: application/dicom; transfer-syntax={}", made.syntax())));
            assert!(part.0.contains(&format!("Content-Length: {}", part.1.len())));
            assert!(part.1.ends_with(&made.dataset()));
        }
    }
    let series = program.get(&format!("{ROOT}/studies/1.2.3/series/1.2.3.1"), "*/*").await;
    assert_eq!(series.parts().len(), 2);
    // A transfer syntax that is not there is refused with what is.
    let of = |syntax: &str| format!("multipart/related; type=\"application/dicom\"; transfer-syntax={syntax}");
    let refused = program.get(&format!("{ROOT}/studies/1.2.3"), &of("1.2.840.10008.1.2.4.90")).await;
    assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE);
    assert!(refused.json()["detail"].as_str().unwrap().contains(JPEG), "{refused:?}");
    // Uncompressed it can be had where it can be decoded, and this is no JPEG.
    let damaged = program.get(&format!("{ROOT}/studies/1.2.3"), &of(EXPLICIT)).await;
    assert_eq!(damaged.status, StatusCode::NOT_ACCEPTABLE);
    assert_eq!(damaged.json()["code"], "dicomweb_not_converted", "{damaged:?}");
    assert_eq!(program.get(ONE, &of(EXPLICIT)).await.status, StatusCode::OK, "this one is in it");
    let implicit = program.get(ONE, "application/dicom; transfer-syntax=1.2.840.10008.1.2").await;
    assert_eq!(implicit.header("content-type"), "application/dicom; transfer-syntax=1.2.840.10008.1.2");
    assert!(implicit.bytes.windows(8).any(|at| at == [0xE0, 0x7F, 0x10, 0, 8, 0, 0, 0]), "no VR before the length");
    let frame = format!("{ROOT}/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.2/frames/1");
    for asked in ["application/octet-stream", "multipart/related; type=\"application/octet-stream\""] {
        let refused = program.get(&frame, asked).await;
        assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE, "{asked}");
        assert_eq!(refused.json()["code"], "dicomweb_not_converted", "{asked}");
    }
}

#[actix_web::test]
async fn one_instance_alone_can_be_asked_for_in_ranges() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    let made = Made::new("1.2.3", 1);
    program.store(&format!("{ROOT}/studies"), &[made.part10()]).await;
    let whole = program.get(ONE, "application/dicom").await;
    assert_eq!(whole.header("content-type"), format!("application/dicom; transfer-syntax={EXPLICIT}"));
    assert_eq!(whole.header("content-length"), whole.bytes.len().to_string());
    let tag = whole.header("etag").to_owned();
    let ask = |headers: Vec<(&'static str, String)>| {
        let program = &program;
        async move {
            let mut all = vec![("accept", "application/dicom")];
            all.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
            program.send(Method::GET, ONE, &all, Vec::new()).await
        }
    };
    let part = ask(vec![("range", "bytes=100-199".into())]).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes, whole.bytes.slice(100..200));
    assert_eq!(part.header("content-range"), format!("bytes 100-199/{}", whole.bytes.len()));
    assert_eq!(ask(vec![("range", "bytes=9999999-".into())]).await.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(ask(vec![("if-none-match", tag.clone())]).await.status, StatusCode::NOT_MODIFIED);
    let changed = ask(vec![("range", "bytes=0-9".into()), ("if-range", "\"other\"".into())]).await;
    assert_eq!(changed.status, StatusCode::OK, "a part of something else is not given");
    let head = program.send(Method::HEAD, ONE, &[("accept", "application/dicom")], Vec::new()).await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("etag"), tag);
}

#[actix_web::test]
async fn a_header_is_json_in_utf_8() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    program.store(&format!("{ROOT}/studies"), &[Made::new("1.2.3", 1).part10()]).await;
    for path in [format!("{ROOT}/studies/1.2.3"), format!("{ROOT}/studies/1.2.3/series/1.2.3.1"), ONE.to_owned()] {
        let got = program.get(&format!("{path}/metadata"), "application/dicom+json").await;
        assert_eq!(got.status, StatusCode::OK, "{got:?}");
        let said = got.json();
        assert_eq!(said.as_array().unwrap().len(), 1);
        let one = &said[0];
        let name = &one["00100010"]["Value"][0];
        assert_eq!(name["Alphabetic"], "MATSUMOTO^HANAKO");
        assert_eq!(name["Ideographic"], "松本^花子");
        assert_eq!(name["Phonetic"], "まつもと^はなこ");
        assert_eq!(one["00080080"]["Value"], serde_json::json!(["日本病院"]), "one value, not two");
        assert_eq!(one["00080005"]["Value"][0], "ISO_IR 192");
        assert_eq!(one["00180050"]["Value"][0], 1.5);
        assert_eq!(one["00091001"]["vr"], "UN");
        assert_eq!(one["00091001"]["InlineBinary"], "AQIDBA==");
        let bulk = one["00091002"]["BulkDataURI"].as_str().unwrap();
        assert!(bulk.ends_with("/bulkdata/00091002"), "{bulk}");
        assert!(one["7FE00010"]["BulkDataURI"].is_string() && one["7FE00010"].get("Value").is_none());
        let bulk = &bulk[bulk.find("/dicomweb").unwrap()..];
        let octets = program.get(bulk, "application/octet-stream").await;
        assert_eq!(octets.bytes, vec![7; 5000]);
        let parts = program.get(bulk, "multipart/related; type=\"application/octet-stream\"").await.parts();
        assert_eq!(parts[0].1, vec![7; 5000]);
    }
    let pixels = program.get(&format!("{ONE}/bulkdata/7FE00010"), "application/octet-stream").await;
    assert_eq!(pixels.bytes.as_ref(), [1, 0, 2, 0, 3, 0, 4, 0]);
    let none = program.get(&format!("{ONE}/bulkdata/00100010"), "*/*").await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn each_frame_is_a_part() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    let native = Made { pixels: Pixels::Native(vec![[1; 4], [2; 4], [3; 4]]), ..Made::new("1.2.3", 1) };
    program.store(&format!("{ROOT}/studies"), &[native.part10()]).await;
    // As OHIF writes it, without quotes.
    let viewer = "multipart/related; type=application/octet-stream; transfer-syntax=*";
    let got = program.get(&format!("{ONE}/frames/3,1"), viewer).await;
    assert_eq!(got.status, StatusCode::OK, "{got:?}");
    let parts = got.parts();
    assert_eq!(parts.len(), 2);
    assert_eq!((&parts[0].1, &parts[1].1), (&vec![3, 0, 3, 0, 3, 0, 3, 0], &vec![1, 0, 1, 0, 1, 0, 1, 0]));
    assert!(parts[0].0.contains(&format!("application/octet-stream; transfer-syntax={EXPLICIT}")), "{parts:?}");
    assert!(parts[0].0.contains("/frames/3\r\n"));
    let single = program.get(&format!("{ONE}/frames/2"), "application/octet-stream").await;
    assert_eq!(single.bytes.as_ref(), [2, 0, 2, 0, 2, 0, 2, 0]);
    let none = program.get(&format!("{ONE}/frames/4"), viewer).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    assert_eq!(none.json()["code"], "dicomweb_no_such_frame", "a 404 that says what");
    assert_eq!(program.get(&format!("{ONE}/frames/0"), viewer).await.status, StatusCode::BAD_REQUEST);

    for (study, table) in [("1.2.4", true), ("1.2.5", false)] {
        let jpeg = Made { pixels: Pixels::Encapsulated(jpeg_frames(), table), ..Made::new(study, 1) };
        program.store(&format!("{ROOT}/studies"), &[jpeg.part10()]).await;
        let path = format!("{ROOT}/studies/{study}/series/{study}.1/instances/{study}.1.1");
        let got = program.get(&format!("{path}/frames/1,2,3"), viewer).await;
        let frames: Vec<Vec<u8>> = got.parts().into_iter().map(|(_, bytes)| bytes).collect();
        let wanted: Vec<Vec<u8>> = jpeg_frames().iter().map(|fragments| fragments.concat()).collect();
        assert_eq!(frames, wanted, "offset table: {table}");
        assert!(got.parts()[0].0.contains(&format!("application/octet-stream; transfer-syntax={JPEG}")));
        let natural = program.get(&format!("{path}/frames/2"), "image/jpeg").await;
        assert_eq!(
            (natural.bytes.as_ref(), natural.header("content-type").split(';').next()),
            (wanted[1].as_slice(), Some("image/jpeg"))
        );
        let bulk = program.get(&format!("{path}/bulkdata/7FE00010"), "*/*").await;
        assert_eq!(bulk.parts().len(), 3);
        let other = program.get(&format!("{path}/frames/1"), "image/jls").await;
        assert_eq!(other.status, StatusCode::NOT_ACCEPTABLE);
    }
    let text = Made { pixels: Pixels::None, modality: "SR", ..Made::new("1.2.6", 1) };
    program.store(&format!("{ROOT}/studies"), &[text.part10()]).await;
    let none = program.get(&format!("{ROOT}/studies/1.2.6/series/1.2.6.1/instances/1.2.6.1.1/frames/1"), viewer).await;
    assert_eq!((none.status, none.json()["code"].as_str().unwrap()), (StatusCode::NOT_FOUND, "dicomweb_no_frames"));
}

#[actix_web::test]
async fn what_is_not_there_is_answered_at_once() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    program.store(&format!("{ROOT}/studies"), &[Made::new("1.2.3", 1).part10()]).await;
    for path in [
        format!("{ROOT}/studies/9.9/metadata"),
        format!("{ROOT}/studies/1.2.3/series/9.9/metadata"),
        format!("{ROOT}/studies/1.2.3/series/1.2.3.1/instances/9.9/metadata"),
        format!("{ROOT}/studies/9.9"),
        format!("{ROOT}/studies/9.9/series/9.9/instances/9.9/frames/1"),
        format!("{ROOT}/studies/9.9/thumbnail"),
        "/dicomweb/sites/nowhere/studies".to_owned(),
    ] {
        let got = program.get(&path, "*/*").await;
        assert_eq!(got.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(got.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(got.json()["code"], "not_found");
    }
    let refused = program.get(&format!("{ONE}/metadata"), "application/dicom+xml").await;
    assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE);
}

#[actix_web::test]
async fn a_picture_is_made_to_measure() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    let made = Made { pixels: Pixels::Native(vec![[0, 100, 200, 300], [300, 200, 100, 0]]), ..Made::new("1.2.3", 1) };
    program.store(&format!("{ROOT}/studies"), &[made.part10()]).await;
    let jpeg = program.get(&format!("{ONE}/rendered"), "*/*").await;
    assert_eq!((jpeg.status, jpeg.header("content-type")), (StatusCode::OK, "image/jpeg"), "{jpeg:?}");
    assert!(jpeg.bytes.starts_with(&[0xFF, 0xD8]) && jpeg.bytes.ends_with(&[0xFF, 0xD9]));
    let png = program.get(&format!("{ONE}/frames/2/rendered?window=150,300"), "image/png").await;
    assert_eq!(png.header("content-type"), "image/png");
    assert!(png.bytes.starts_with(b"\x89PNG"));
    let again = [("accept", "image/png"), ("if-none-match", png.header("etag"))];
    let path = format!("{ONE}/frames/2/rendered?window=150,300");
    assert_eq!(program.send(Method::GET, &path, &again, Vec::new()).await.status, StatusCode::NOT_MODIFIED);
    for place in [ONE, "/dicomweb/sites/site_a/studies/1.2.3/series/1.2.3.1", "/dicomweb/sites/site_a/studies/1.2.3"] {
        let small = program.get(&format!("{place}/thumbnail?viewport=1,1"), "image/png").await;
        assert_eq!(small.status, StatusCode::OK, "{place}");
        assert_eq!(&small.bytes[16..24], [0, 0, 0, 1, 0, 0, 0, 1], "one pixel");
    }
    let refused = program.get(&format!("{ONE}/rendered?viewport=1,1,0,0,1,1"), "*/*").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(program.get(&format!("{ONE}/rendered"), "image/gif").await.status, StatusCode::NOT_ACCEPTABLE);
    assert_eq!(program.get(&format!("{ONE}/frames/3/rendered"), "*/*").await.status, StatusCode::NOT_FOUND);
}
