"""Writes a copy of a DICOM file that says something else.

    alter.py FROM TO '{"PatientID": "0000123", ...}'

"pixels" adds its number to every byte of the pixel data. The SOP instance UID stays, unless it is given.
"""
import json
import sys

import pydicom

source, target, attributes = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
image = pydicom.dcmread(source)
added = attributes.pop("pixels", 0)
for keyword, value in attributes.items():
    setattr(image, keyword, value)
if "SOPInstanceUID" in attributes:
    image.file_meta.MediaStorageSOPInstanceUID = attributes["SOPInstanceUID"]
image.PixelData = bytes((byte + added) % 256 for byte in image.PixelData)
image.save_as(target, enforce_file_format=True)
