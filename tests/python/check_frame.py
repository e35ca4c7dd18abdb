"""Holds what a reader is shown against what pydicom reads out of the same file. One frame, colour or grey.

    check_frame.py DICOM_FILE RAW_ANSWER PNG

RAW_ANSWER is the viewer's own answer: 4 bytes length, JSON, 16-bit samples (none for colour). Prints JSON: rows and
columns of the PNG, shades (how many different values it shows), difference (the largest between two samples).
"""
import json
import sys

import numpy
import pydicom
from PIL import Image

file, raw, png = sys.argv[1:4]
stored = pydicom.dcmread(file).pixel_array
picture = numpy.asarray(Image.open(png))
packed = open(raw, "rb").read()
length = int.from_bytes(packed[:4], "little")
facts, samples = json.loads(packed[4:4 + length]), packed[4 + length:]
if facts["grey"]:
    shown = numpy.frombuffer(samples, "<i2" if facts["signed"] else "<u2").reshape(facts["rows"], facts["cols"])
else:
    shown = picture[..., :3]
    if stored.ndim == 2:
        stored = numpy.stack([stored] * 3, -1)
difference = numpy.abs(shown.astype(int) - stored.astype(int)).max()
json.dump({
    "rows": picture.shape[0],
    "columns": picture.shape[1],
    "shades": int(len(numpy.unique(picture.reshape(picture.shape[0] * picture.shape[1], -1), axis=0))),
    "difference": int(difference),
}, sys.stdout)
