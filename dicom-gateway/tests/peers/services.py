"""Asks the gateway with pynetdicom. Prints one JSON line.

find PORT TITLE NAME      a study query by name in ISO 2022 IR 87, fields of what is found
relational PORT TITLE     which bytes of the extended negotiation are granted
interrupt PORT TITLE UID  cancels a C-GET after its first object
commit PORT TITLE LISTEN UID...   asks for storage commitment; the answer comes to LISTEN, or here if that is 0
pdus PORT TITLE                   pynetdicom's own hand-encoded PDUs, name and hexadecimal
step PORT TITLE UID STUDY         a performed step from its beginning to its end, with what must be refused
notify PORT TITLE STUDY           an availability notification
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
elif what == "pdus":
    from pynetdicom.tests import encoded_pdu_items as items

    out({name: value.hex() for name, value in vars(items).items() if isinstance(value, bytes)})
elif what == "commit":
    COMMIT = "1.2.840.10008.1.20.1"
    told = []

    def heard(event):
        info = event.event_information
        refs = [item.ReferencedSOPInstanceUID for item in info.get("ReferencedSOPSequence", [])]
        failed = [[item.ReferencedSOPInstanceUID, hex(item.FailureReason)] for item in info.get("FailedSOPSequence", [])]
        told.append([event.event_type, info.TransactionUID, refs, failed])
        return 0x0000, None

    handlers = [(evt.EVT_N_EVENT_REPORT, heard)]
    server = None
    if int(sys.argv[4]):
        listener = AE(ae_title=title)
        listener.add_supported_context(COMMIT, scu_role=False, scp_role=True)
        server = listener.start_server(("127.0.0.1", int(sys.argv[4])), block=False, evt_handlers=handlers)
    ae.add_requested_context(COMMIT)
    assoc = ae.associate("127.0.0.1", port, ae_title="DOKUEI", evt_handlers=handlers)
    action = Dataset()
    action.TransactionUID = "1.2.826.7.1"
    action.ReferencedSOPSequence = []
    for pair in sys.argv[5:]:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = pair.split("@")
        action.ReferencedSOPSequence.append(item)
    status, _ = assoc.send_n_action(action, 1, COMMIT, "1.2.840.10008.1.20.1.1")
    wrong, _ = assoc.send_n_action(action, 9, COMMIT, "1.2.840.10008.1.20.1.1") if server else (status, None)
    if server:
        assoc.release()
    for _ in range(200):
        if told:
            break
        time.sleep(0.05)
    time.sleep(0.3)
    if not server:
        assoc.release()
    else:
        server.shutdown()
    out([hex(status.Status), hex(wrong.Status), told])
elif what == "step":
    STEP = "1.2.840.10008.3.1.2.3.3"
    ae.add_requested_context(STEP)
    assoc = ae.associate("127.0.0.1", port, ae_title="DOKUEI")
    uid, study = sys.argv[4], sys.argv[5]
    begun = Dataset()
    begun.PerformedProcedureStepStatus = "IN PROGRESS"
    scheduled = Dataset()
    scheduled.StudyInstanceUID = study
    begun.ScheduledStepAttributesSequence = [scheduled]
    wrong = Dataset()
    wrong.PerformedProcedureStepStatus = "COMPLETED"
    done = Dataset()
    done.PerformedProcedureStepStatus = "COMPLETED"
    series = Dataset()
    series.SeriesInstanceUID = study + ".1"
    series.ReferencedImageSequence = []
    for number in range(1, 4):
        item = Dataset()
        item.ReferencedSOPClassUID = CTImageStorage
        item.ReferencedSOPInstanceUID = f"{study}.1.{number}"
        series.ReferencedImageSequence.append(item)
    done.PerformedSeriesSequence = [series]
    said = [
        assoc.send_n_create(wrong, STEP, uid)[0],
        assoc.send_n_create(begun, STEP, uid)[0],
        assoc.send_n_create(begun, STEP, uid)[0],
        assoc.send_n_set(done, STEP, "1.2.3.4.5")[0],
        assoc.send_n_set(done, STEP, uid)[0],
        assoc.send_n_set(done, STEP, uid)[0],
    ]
    assoc.release()
    out([hex(status.Status) for status in said])
elif what == "notify":
    NOTIFY = "1.2.840.10008.5.1.4.33"
    ae.add_requested_context(NOTIFY)
    assoc = ae.associate("127.0.0.1", port, ae_title="DOKUEI")
    study = sys.argv[4]
    said = Dataset()
    said.StudyInstanceUID = study
    series = Dataset()
    series.SeriesInstanceUID = study + ".1"
    series.ReferencedSOPSequence = []
    for number, availability in ((1, "ONLINE"), (2, "NEARLINE"), (3, "UNAVAILABLE")):
        item = Dataset()
        item.ReferencedSOPClassUID = CTImageStorage
        item.ReferencedSOPInstanceUID = f"{study}.1.{number}"
        item.InstanceAvailability = availability
        series.ReferencedSOPSequence.append(item)
    said.ReferencedSeriesSequence = [series]
    status, _ = assoc.send_n_create(said, NOTIFY, None)
    assoc.release()
    out(hex(status.Status))
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
