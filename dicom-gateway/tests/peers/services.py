"""Asks the gateway with pynetdicom. Prints one JSON line.

find PORT TITLE NAME      a study query by name in ISO 2022 IR 87, fields of what is found
relational PORT TITLE     which bytes of the extended negotiation are granted
interrupt PORT TITLE UID  cancels a C-GET after its first object
"""
import json
import sys
import time

from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.sop_class import (
    CTImageStorage,
    PatientRootQueryRetrieveInformationModelFind as PATIENT,
    StudyRootQueryRetrieveInformationModelFind as FIND,
    StudyRootQueryRetrieveInformationModelGet as GET,
)

what, port, title = sys.argv[1], int(sys.argv[2]), sys.argv[3]
ae = AE(ae_title=title)


def out(value):
    print(json.dumps(value, ensure_ascii=False))


if what == "find":
    ae.add_requested_context(FIND)
    assoc = ae.associate("127.0.0.1", port, ae_title="DOKUEI")
    query = Dataset()
    query.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    query.QueryRetrieveLevel = "STUDY"
    query.PatientName = sys.argv[4]
    query.StudyInstanceUID = ""
    found = []
    for status, answer in assoc.send_c_find(query, FIND):
        if status.Status in (0xFF00, 0xFF01):
            answer.decode()
            found.append([str(answer.PatientName), answer.StudyInstanceUID, hex(status.Status)])
        else:
            found.append(hex(status.Status))
    assoc.release()
    out(found)
elif what == "relational":
    ae.add_requested_context(FIND)
    ae.add_requested_context(PATIENT)
    items = []
    for uid in (FIND, PATIENT):
        item = SOPClassExtendedNegotiation()
        item.sop_class_uid = uid
        item.service_class_application_information = b"\x01\x01\x01\x00"
        items.append(item)
    assoc = ae.associate("127.0.0.1", port, ae_title="DOKUEI", ext_neg=items)
    granted = assoc.acceptor.sop_class_extended
    out({str(uid): list(value) for uid, value in granted.items()})
    assoc.release()
else:
    ae.add_requested_context(GET)
    ae.add_requested_context(CTImageStorage)
    assoc = ae.associate(
        "127.0.0.1", port, ae_title="DOKUEI", ext_neg=[build_role(CTImageStorage, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, lambda event: time.sleep(0.05) or 0x0000)],
    )
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.StudyInstanceUID = sys.argv[4]
    said = []
    for status, answer in assoc.send_c_get(query, GET, msg_id=7):
        said.append([hex(status.Status), status.get("NumberOfRemainingSuboperations"), status.get("NumberOfCompletedSuboperations")])
        if len(said) == 1:
            assoc.send_c_cancel(7, query_model=GET)
    assoc.release()
    out(said)
