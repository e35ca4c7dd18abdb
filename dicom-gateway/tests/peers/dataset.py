"""Second opinion on data sets: compares JSON of ours with pydicom's, and reads what we wrote.

json FILE OURS ...   each pair: prints a line for every element in which they differ
names FILE           prints name groups, institution and step description as JSON lines
"""
import json
import sys
import warnings

import pydicom

warnings.simplefilter("ignore")


def differ(path, ours, theirs):
    for key in sorted(set(ours) | set(theirs)):
        # Group lengths, file meta information, what follows the pixels.
        if key.endswith("0000") or key[:4] in ("0002", "FFFC"):
            continue
        where = f"{path}/{key}"
        if key not in ours or key not in theirs:
            yield f"{where} is {'missing' if key in theirs else 'additional'}"
            continue
        one, two = ours[key], theirs[key]
        # Its dictionary knows private elements, ours does not; and it calls encapsulated OW by its right name.
        if one["vr"] == "UN" and int(key[3], 16) % 2 == 1 or key == "7FE00010":
            continue
        if one["vr"] != two["vr"]:
            yield f"{where} VR {one['vr']} {two['vr']}"
        elif one["vr"] == "SQ":
            first, second = one.get("Value", []), two.get("Value", [])
            if len(first) != len(second):
                yield f"{where} items {len(first)} {len(second)}"
            for index, (a, b) in enumerate(zip(first, second)):
                yield from differ(f"{where}[{index}]", a, b)
        elif "Value" in one or "Value" in two:
            first, second = one.get("Value"), two.get("Value")
            if key == "00080005":
                continue
            if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
                same = all(alike(a, b) for a, b in zip(first, second))
            else:
                same = first == second or all(alike(None, b) for b in second or []) and not any(first or [])
            if not same:
                yield f"{where} {one['vr']} {first!r} {second!r}"


def alike(a, b):
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) <= 1e-6 * max(1, abs(a), abs(b))
    if isinstance(a, str) and isinstance(b, str):
        return a.strip() == b.strip()
    if isinstance(a, dict) and isinstance(b, dict):
        return {k: v.strip("^ ") for k, v in a.items()} == {k: v.strip("^ ") for k, v in b.items() if v}
    if isinstance(b, dict) and not a:
        return not any(v.strip("^ ") for v in b.values())
    return a == b or not a and not b


def main():
    if sys.argv[1] == "json":
        files = sys.argv[2:]
        for source, ours in zip(files[::2], files[1::2]):
            theirs = pydicom.dcmread(source, force=True).to_json_dict(suppress_invalid_tags=True)
            for line in differ("", json.load(open(ours)), theirs):
                print(source.rsplit("/", 1)[-1], line)
    else:
        data = pydicom.dcmread(sys.argv[2], force=True)
        data.decode()
        name = data.PatientName
        step = data.ScheduledProcedureStepSequence[0]
        groups = [name.alphabetic, name.ideographic, name.phonetic]
        print(json.dumps([groups, data.InstitutionName, step.ScheduledProcedureStepDescription], ensure_ascii=False))


main()
