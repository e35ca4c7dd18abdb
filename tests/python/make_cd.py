"""A ZIP of a CD as another hospital burns it, of which some files cannot be read any more.

    make_cd.py STUDY_FOLDER ZIP LOST

Its DICOMDIR, written by pydicom, names every image of the folder; LOST of them are not in the ZIP.
"""
import pathlib
import sys
import tempfile
import zipfile

from pydicom import dcmread
from pydicom.fileset import FileSet

study, packed, lost = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
with tempfile.TemporaryDirectory() as name:
    cd = pathlib.Path(name) / "CD"
    files = FileSet()
    for file in sorted(study.glob("*.dcm")):
        image = dcmread(file)
        image.StudyID = image.get("StudyID") or "1"
        files.add(image)
    files.write(cd)
    burnt = sorted(path for path in cd.rglob("*") if path.is_file() and path.name != "DICOMDIR")
    packed.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(packed, "w") as archive:
        for path in [cd / "DICOMDIR", *burnt[:len(burnt) - lost]]:
            archive.write(path, path.relative_to(cd))
