"""Makes a study of N instances out of one real file: same pixels (once for each frame), new UIDs, given attributes.

    make_study.py TEMPLATE FOLDER COUNT '{"PatientID": "0000123", ...}'

The text attributes are written as UTF-8 (ISO_IR 192). Prints JSON: study, series, instances (UIDs, in order).
"""
import copy
import json
import pathlib
import sys

import pydicom
from pydicom.uid import generate_uid

template, folder, count, attributes = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4])
folder.mkdir(parents=True, exist_ok=True)
first = pydicom.dcmread(template)
first.StudyInstanceUID = generate_uid()
first.SeriesInstanceUID = generate_uid()
first.SpecificCharacterSet = "ISO_IR 192"
for keyword, value in attributes.items():
    setattr(first, keyword, value)
first.PixelData *= int(attributes.get("NumberOfFrames", 1))

instances = []
for number in range(1, count + 1):
    instance = copy.deepcopy(first)
    instance.SOPInstanceUID = generate_uid()
    instance.file_meta.MediaStorageSOPInstanceUID = instance.SOPInstanceUID
    instance.InstanceNumber = number
    if "ImagePositionPatient" in instance:
        x, y, z = instance.ImagePositionPatient
        instance.ImagePositionPatient = [x, y, z + number - 1]
    instance.save_as(folder / f"{number:05}.dcm", enforce_file_format=True)
    instances.append(instance.SOPInstanceUID)
json.dump({"study": first.StudyInstanceUID, "series": first.SeriesInstanceUID, "instances": instances}, sys.stdout)
