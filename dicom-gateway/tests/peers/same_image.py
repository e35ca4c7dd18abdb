"""Says where an image that was sent uncompressed differs from its original, by pydicom.

Usage: same_image.py SYNTAX TOLERANCE ORIGINAL SENT [ORIGINAL SENT ...]
SYNTAX is the transfer syntax that SENT must have, TOLERANCE how far a sample may differ (0: not at all).
"""

import sys

import numpy as np
import pydicom
from pydicom.pixels import pixel_array

CHANGED = {"PhotometricInterpretation", "PlanarConfiguration", "LossyImageCompression", "PixelData"}
TABLES = {0x7FE00001, 0x7FE00002}


def differences(syntax, tolerance, original, sent):
    was, now = pydicom.dcmread(original, force=True), pydicom.dcmread(sent)
    if now.file_meta.TransferSyntaxUID != syntax:
        yield f"transfer syntax {now.file_meta.TransferSyntaxUID}"
    if now["PixelData"].is_undefined_length:
        yield "pixel data are encapsulated"
    for element in was:
        if element.keyword in CHANGED or element.tag in TABLES or element.tag.is_private or element.tag.element == 0:
            continue
        if element.tag not in now:
            yield f"{element.tag} is gone"
        elif element.VR != "SQ" and now[element.tag].value != element.value:
            yield f"{element.tag} differs"
        elif element.VR == "SQ" and len(now[element.tag].value) != len(element.value):
            yield f"{element.tag} has other items"
    extra = {element.keyword for element in now if element.tag not in was} - CHANGED
    if extra:
        yield f"new elements: {extra}"
    if was.get("LossyImageCompression") and was.LossyImageCompression != now.get("LossyImageCompression"):
        yield "the loss is no longer said"
    raw = was.PhotometricInterpretation.startswith(("MONOCHROME", "PALETTE"))
    one, two = (pixel_array(ds, raw=raw).astype(np.int64) for ds in (was, now))
    if one.shape != two.shape:
        yield f"shape {two.shape} for {one.shape}"
    elif np.abs(one - two).max() > tolerance:
        yield f"pixels differ by {np.abs(one - two).max()}"
    expected = now.get("NumberOfFrames", 1) or 1
    expected = int(expected) * now.Rows * now.Columns * now.SamplesPerPixel * now.BitsAllocated // 8
    if len(now.PixelData) != expected + expected % 2:
        yield f"{len(now.PixelData)} bytes of pixels for {expected}"


def main(syntax, tolerance, *paths):
    failed = False
    for original, sent in zip(paths[::2], paths[1::2], strict=True):
        for difference in differences(syntax, int(tolerance), original, sent):
            print(f"{original.rsplit('/', 1)[-1]}: {difference}")
            failed = True
    sys.exit(failed)


main(*sys.argv[1:])
