"""Makes files that should not arrive, out of one real image.

    make_bad_files.py IMAGE FOLDER

words.dcm          text with the name of an image
cut_pixels.dcm     ends in the middle of the pixels
cut_header.dcm     ends in the middle of the header
charset.dcm        the name is written in a character set that does not exist; otherwise the image, with new UIDs
bomb.zip           an image, then an entry that grows without end (1 GiB of zeros behind a DICOM preamble)
"""
import pathlib
import sys
import zipfile

import pydicom
from pydicom.uid import generate_uid

image, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
whole = image.read_bytes()
(folder / "words.dcm").write_text("This is not an image.\n")
(folder / "cut_pixels.dcm").write_bytes(whole[: len(whole) - 9000])
(folder / "cut_header.dcm").write_bytes(whole[:700])

known = pydicom.dcmread(image)
known.StudyInstanceUID, known.SeriesInstanceUID, known.SOPInstanceUID = generate_uid(), generate_uid(), generate_uid()
known.file_meta.MediaStorageSOPInstanceUID = known.SOPInstanceUID
known.PatientID, known.PatientName = "0000666", "MARK^NAME"
known.SpecificCharacterSet = "ISO_IR 666"
known.save_as(folder / "charset.dcm", enforce_file_format=True)
written = (folder / "charset.dcm").read_bytes()
(folder / "charset.dcm").write_bytes(written.replace(b"MARK^NAME", b"\xf1\xe2\xc3\xd4^\xa5\xb6\xc7\xd8"))

with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
    bomb.write(image, "IM0001")
    with bomb.open("IM0002", "w") as entry:
        entry.write(whole[:132])
        for _ in range(1024):
            entry.write(bytes(1 << 20))
