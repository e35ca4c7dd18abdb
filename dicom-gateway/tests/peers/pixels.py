"""Writes what pydicom and numpy make of images, for comparison.

Usage: pixels.py OUT FILE:FRAME...   (frames count from 0)
For the n-th argument OUT/n.stored holds int32 stored values (grey images),
OUT/n.grey float32 grey levels 0..255 of the default view, computed here from
PS3.3 C.11 without the product's code, OUT/n.rgb uint8 RGB (colour images).
"""

import sys
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi, pixel_array


def first(value):
    return float(value[0] if isinstance(value, pydicom.multival.MultiValue) else value)


def grey(ds, stored):
    x = apply_modality_lut(stored, ds).astype(np.float64)
    if ds.get("VOILUTSequence"):
        bits = ds.VOILUTSequence[0].LUTDescriptor[2]
        y = apply_voi(x.astype(np.int64), ds) / (2.0**bits - 1)
    elif ds.get("WindowWidth") is not None:
        c, w = first(ds.WindowCenter), first(ds.WindowWidth)
        y = (x - (c - 0.5)) / (w - 1) + 0.5
    elif ds.BitsStored == 8:
        y = x / 255
    else:
        y = (x - x.min()) / max(x.max() - x.min(), 1)
    y = np.clip(y, 0, 1) * 255
    if ds.PhotometricInterpretation == "MONOCHROME1":
        y = 255 - y
    padding = ds.get("PixelPaddingValue")
    return y if padding is None else np.where(stored == padding, 0, y)


def main(out, requests):
    for n, request in enumerate(requests):
        path, frame = request.rsplit(":", 1)
        ds = pydicom.dcmread(path, force=True)
        if ds.PhotometricInterpretation.startswith("MONOCHROME"):
            stored = pixel_array(ds, index=int(frame), raw=True)
            stored.astype("<i4").tofile(out / f"{n}.stored")
            grey(ds, stored).astype("<f4").tofile(out / f"{n}.grey")
            continue
        rgb = pixel_array(ds, index=int(frame))
        if ds.PhotometricInterpretation == "PALETTE COLOR":
            rgb = apply_color_lut(rgb, ds)
            if rgb.max() > 255:
                rgb = rgb >> 8
        elif ds.BitsStored > 8:
            rgb = rgb >> (ds.BitsStored - 8)
        rgb.astype("u1").tofile(out / f"{n}.rgb")


main(Path(sys.argv[1]), sys.argv[2:])
