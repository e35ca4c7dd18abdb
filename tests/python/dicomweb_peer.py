"""Uses an archive through dicomweb-client: stores files, finds them, fetches them in every form, compares.

    dicomweb_peer.py ROOT TOKEN FILE...

ROOT is where the archive's services begin. Prints JSON: how many instances were stored, and per instance what was
compared. Ends with an error at the first thing that is not as it was sent.
"""
import json
import sys

import pydicom
from dicomweb_client.api import DICOMwebClient

root, token, files = sys.argv[1], sys.argv[2], sys.argv[3:]
client = DICOMwebClient(url=root, headers={"Authorization": f"Bearer {token}"})
sent = [pydicom.dcmread(file) for file in files]

EXPLICIT = "1.2.840.10008.1.2.1"


def compare_uncompressed(one, count):
    """Asks for a compressed instance without compression, whole and frame by frame; pydicom decodes the other way."""
    at = str(one.StudyInstanceUID), str(one.SeriesInstanceUID), str(one.SOPInstanceUID)
    plain = client.retrieve_instance(*at, media_types=(("application/dicom", EXPLICIT),))
    assert plain.file_meta.TransferSyntaxUID == EXPLICIT, plain.file_meta.TransferSyntaxUID
    assert plain.PatientName == one.PatientName
    mine, theirs = plain.pixel_array, one.pixel_array
    assert mine.shape == theirs.shape, (mine.shape, theirs.shape)
    # A lossy decoder may round either way.
    away = abs(mine.astype(int) - theirs.astype(int)).max()
    assert away <= (2 if one.file_meta.TransferSyntaxUID in LOSSY else 0), (away, at)
    numbers = list(range(1, count + 1))
    frames = client.retrieve_instance_frames(*at, numbers, media_types=(("application/octet-stream", EXPLICIT),))
    joined = b"".join(frames)
    assert joined == plain.PixelData[: len(joined)] and len(plain.PixelData) - len(joined) < 2, "frames differ"


LOSSY = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.91")

answer = client.store_instances(sent)
assert len(answer.ReferencedSOPSequence) == len(sent), answer
assert "FailedSOPSequence" not in answer, answer
assert client.store_instances(sent[:1]).ReferencedSOPSequence[0].ReferencedSOPInstanceUID == sent[0].SOPInstanceUID

report = []
for one in sent:
    study, series, instance = one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID
    syntax = str(one.file_meta.TransferSyntaxUID)
    done = {"instance": str(instance), "syntax": syntax}

    found = client.search_for_studies(search_filters={"StudyInstanceUID": str(study)}, fields=["StudyDescription"])
    assert len(found) == 1 and found[0]["0020000D"]["Value"] == [study], found
    name = pydicom.Dataset.from_json(found[0]).PatientName
    for group in ("alphabetic", "ideographic", "phonetic"):
        assert getattr(name, group).strip("^ ") == getattr(one.PatientName, group).strip("^ "), (group, instance)
    assert len(client.search_for_series(str(study))) >= 1
    assert any(row["00080018"]["Value"] == [instance] for row in client.search_for_instances(str(study), str(series)))

    whole = client.retrieve_instance(str(study), str(series), str(instance), media_types=(("application/dicom", "*"),))
    assert whole == one, f"{instance}: the data set is another"
    assert whole.file_meta.TransferSyntaxUID == syntax
    assert any(got.SOPInstanceUID == instance for got in client.retrieve_study(str(study)))
    assert any(got.SOPInstanceUID == instance for got in client.iter_series(str(study), str(series)))

    header = client.retrieve_instance_metadata(str(study), str(series), str(instance))
    read = pydicom.Dataset.from_json(header, bulk_data_uri_handler=lambda tag, vr, uri: None)
    assert read.SOPInstanceUID == instance and str(read.PatientName) == str(name), instance
    assert len(client.retrieve_series_metadata(str(study), str(series))) >= 1

    if "PixelData" in one:
        count = int(one.get("NumberOfFrames", 1))
        wanted = (
            list(pydicom.encaps.generate_frames(one.PixelData, number_of_frames=count))
            if one.file_meta.TransferSyntaxUID.is_encapsulated
            else None
        )
        got = client.retrieve_instance_frames(
            str(study), str(series), str(instance), list(range(1, count + 1)),
            media_types=(("application/octet-stream", "*"),),
        )
        assert len(got) == count, (len(got), count)
        if wanted is not None:
            assert all(a.rstrip(b"\0") == b.rstrip(b"\0") for a, b in zip(got, wanted)), f"{instance}: frames differ"
        elif not one.file_meta.TransferSyntaxUID.is_little_endian:
            pass
        else:
            joined = b"".join(got)
            assert joined == one.PixelData[: len(joined)] and len(one.PixelData) - len(joined) < 2, instance
        if wanted is not None:
            compare_uncompressed(one, count)
            done["uncompressed"] = True
        picture = client.retrieve_instance_rendered(str(study), str(series), str(instance), media_types=("image/png",))
        assert picture.startswith(b"\x89PNG"), instance
        done["frames"] = count
    report.append(done)

json.dump({"stored": len(sent), "instances": report}, sys.stdout)
