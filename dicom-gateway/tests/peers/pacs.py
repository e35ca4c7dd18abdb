"""A PACS that answers C-GET with pynetdicom, well or badly. Says "ready" and serves until it is ended.

pacs.py PORT MODE FILE...   each C-GET is answered with the files, as the mode says:
  sends           one after the other; IMAGE level: those that are named
  dies            in the middle of the last one's data set
  hangs           says nothing after the first one
  pauses          0.4 seconds before each, until it is cancelled
  claims          each under another SOP class than that of its presentation context
  nothing         answers success and sends none
  no-roles        refuses that the requestor be SCP of storage
  no-get          has no C-GET at all
What it answered and was answered goes to standard output, a JSON line each.
"""
import json
import os
import sys
import time
from io import BytesIO

from pydicom import dcmread
from pynetdicom import AE, evt
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.sop_class import (
    CTImageStorage,
    MRImageStorage,
    StudyRootQueryRetrieveInformationModelFind as FIND,
    StudyRootQueryRetrieveInformationModelGet as GET,
    Verification,
)

port, mode = int(sys.argv[1]), sys.argv[2]
objects = [dcmread(path) for path in sys.argv[3:]]


def say(*what):
    print(json.dumps(what), flush=True)


def wanted(identifier):
    named = identifier.get("SOPInstanceUID")
    named = [named] if isinstance(named, str) else named
    return [one for one in objects if not named or one.SOPInstanceUID in named]


def context_of(event, uid):
    return next(one for one in event.assoc.accepted_contexts if one.abstract_syntax == uid)


def storing(event, one, uid):
    context = context_of(event, CTImageStorage)
    request = C_STORE()
    request.MessageID = 77
    request.AffectedSOPClassUID = uid
    request.AffectedSOPInstanceUID = one.SOPInstanceUID
    request.Priority = 2
    syntax = context.transfer_syntax[0]
    request.DataSet = BytesIO(encode(one, syntax.is_implicit_VR, syntax.is_little_endian))
    return context, request


def get(event):
    objects = wanted(event.identifier)
    say("asked", event.identifier.QueryRetrieveLevel, len(objects), len(event.assoc.accepted_contexts))
    if mode == "nothing":
        yield 0
        return
    yield len(objects)
    for index, one in enumerate(objects):
        if mode == "pauses":
            time.sleep(0.4)
            if event.is_cancelled:
                say("cancelled", index)
                yield 0xFE00, None
                return
        if mode == "hangs" and index == 1:
            time.sleep(3600)
        if mode == "dies" and index == len(objects) - 1:
            # What the library still has to send goes first.
            time.sleep(0.3)
            context, request = storing(event, one, CTImageStorage)
            message = C_STORE_RQ()
            message.primitive_to_message(request)
            sent = 0
            for part in message.encode_msg(context.context_id, 4096):
                pdu = P_DATA_TF()
                pdu.from_primitive(part)
                event.assoc.dul.socket.send(pdu.encode())
                sent += 1
                if sent == 3:
                    time.sleep(0.3)
                    os._exit(1)
        if mode == "claims":
            context, request = storing(event, one, MRImageStorage)
            event.assoc.dimse.send_msg(request, context.context_id)
            _, answer = event.assoc.dimse.get_msg(True)
            say("answered", hex(answer.Status))
            continue
        yield 0xFF00, one
    if mode == "claims":
        yield 0xA702, None


def find(event):
    level = event.identifier.QueryRetrieveLevel
    seen = set()
    for one in objects:
        uid = {"STUDY": one.StudyInstanceUID, "SERIES": one.SeriesInstanceUID}.get(level, one.SOPInstanceUID)
        if uid in seen:
            continue
        seen.add(uid)
        answer = event.identifier
        answer.SpecificCharacterSet = one.get("SpecificCharacterSet", "")
        for key in list(answer):
            if key.keyword in one and key.keyword not in ("QueryRetrieveLevel", "SpecificCharacterSet"):
                answer[key.tag] = one[key.tag]
        yield 0xFF00, answer


def answered(event):
    """What the requestor answered to our C-STOREs."""
    message = event.message
    if type(message).__name__ == "C_STORE_RSP":
        say("answered", hex(message.command_set.Status))


ae = AE(ae_title="PACS_A")
ae.add_supported_context(Verification)
ae.add_supported_context(FIND)
if mode != "no-get":
    ae.add_supported_context(GET)
if mode == "no-roles":
    ae.add_supported_context(CTImageStorage, scu_role=True, scp_role=False)
else:
    ae.add_supported_context(CTImageStorage, scu_role=False, scp_role=True)
    ae.add_supported_context(MRImageStorage, scu_role=False, scp_role=True)
server = ae.start_server(
    ("127.0.0.1", port),
    block=False,
    evt_handlers=[(evt.EVT_C_GET, get), (evt.EVT_C_FIND, find), (evt.EVT_DIMSE_RECV, answered)],
)
say("ready")
while True:
    time.sleep(3600)
