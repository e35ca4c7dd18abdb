"""Makes the seeds of both fuzz targets: invented objects by pydicom, and what real peers send, recorded on its way.

usage: seeds.py CORPUS     CORPUS: the folder that holds association/ and data_set/; needs DCMTK

The peers (DCMTK's echoscu, storescu, findscu, movescu and getscu, and pynetdicom) speak with pynetdicom through a
proxy that writes down what the caller sends. Files are named by their content, as libFuzzer does.
"""
import hashlib
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import zlib

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless
from pynetdicom import AE, AllStoragePresentationContexts, StoragePresentationContexts, build_role, evt
from pynetdicom import sop_class as classes

CORPUS = pathlib.Path(sys.argv[1])
CT = "1.2.840.10008.5.1.4.1.1.2"
SYNTAX_BYTE = {ImplicitVRLittleEndian: 0, ExplicitVRLittleEndian: 1, ExplicitVRBigEndian: 2, JPEG2000Lossless: 4}
WHOLE, MESSAGES = 0, 3


def keep(target, what, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    whole = bytes([what]) + data
    (folder / hashlib.sha1(whole).hexdigest()).write_bytes(whole)


def item(**values):
    out = Dataset()
    for name, value in values.items():
        setattr(out, name, value)
    return out


def image(charset, name):
    return item(
        SpecificCharacterSet=charset, SOPClassUID=CT, SOPInstanceUID="1.2.392.9.1.1.1", StudyDate="20261001",
        StudyTime="101500", AccessionNumber="A1", Modality="CT", InstitutionName="TEST", PatientName=name,
        PatientID="0001", PatientBirthDate="19500102", PatientSex="M", StudyInstanceUID="1.2.392.9.1",
        SeriesInstanceUID="1.2.392.9.1.1", SeriesNumber=1, InstanceNumber=1, ImagePositionPatient=[0, 0, 1.5],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0], SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2",
        Rows=2, Columns=2, BitsAllocated=16, BitsStored=16, HighBit=15, PixelRepresentation=0, PixelSpacing=[1, 1],
        RequestAttributesSequence=[item(RequestedProcedureID="RP1", ScheduledProcedureStepID="S1")],
    )


def with_pixels(dataset, syntax, frames=1):
    dataset.NumberOfFrames = frames
    if syntax == JPEG2000Lossless:
        dataset.PixelData = encapsulate([b"\xff\x4f\xff\x51" + bytes(8)] * frames)
        dataset["PixelData"].is_undefined_length = True
    else:
        dataset.PixelData = bytes(range(8)) * frames
    dataset["PixelData"].VR = "OB" if syntax == JPEG2000Lossless else "OW"
    return dataset


def file_of(dataset, syntax, folder):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    dataset.file_meta = meta
    path = pathlib.Path(folder) / "seed.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path.read_bytes()


def body_of(file):
    at = 132
    length = int.from_bytes(file[at + 8 : at + 12], "little")
    return file[at + 12 + length :]


def objects(folder):
    names = [
        ("ISO_IR 6", "MATSUMOTO^ICHIRO"), ("ISO_IR 192", "Matsumoto^Ichiro=松本^一郎=まつもと^いちろう"),
        (["", "ISO 2022 IR 87"], "Matsumoto^Ichiro=松本^一郎=まつもと^いちろう"),
        (["ISO 2022 IR 13", "ISO 2022 IR 87"], "ﾏﾂﾓﾄ^ｲﾁﾛｳ=松本^一郎=まつもと^いちろう"), ("ISO_IR 100", "Müller^Jörg"),
    ]
    for charset, name in names:
        keep("data_set", 1, body_of(file_of(image(charset, name), ExplicitVRLittleEndian, folder)))
    for syntax, byte in SYNTAX_BYTE.items():
        for frames in (1, 3):
            file = file_of(with_pixels(image("ISO_IR 6", "A^B"), syntax, frames), syntax, folder)
            keep("data_set", byte, body_of(file))
            keep("data_set", 6, file)
    file = file_of(image("ISO_IR 6", "A^B"), ExplicitVRLittleEndian, folder)
    deflated = zlib.compress(body_of(file), wbits=-15)
    keep("data_set", 3, deflated)
    keep("data_set", 6, file[132:])
    keep("data_set", 6, body_of(file))
    nested = item(RequestedProcedureID="X")
    for _ in range(5):
        nested = item(RequestAttributesSequence=[nested])
    deep = image("ISO_IR 6", "A^B")
    deep.RequestAttributesSequence = [nested]
    for undefined in (False, True):
        if undefined:
            deep["RequestAttributesSequence"].is_undefined_length = True
        keep("data_set", 1, body_of(file_of(deep, ExplicitVRLittleEndian, folder)))
        keep("data_set", 0, body_of(file_of(deep, ImplicitVRLittleEndian, folder)))
    unknown = image("ISO_IR 6", "A^B")
    inner = bytes.fromhex("feff00e0ffffffff") + bytes.fromhex("4000070006000000") + b"CHEST " + bytes.fromhex("feff0de000000000")
    plain = body_of(file_of(unknown, ExplicitVRLittleEndian, folder))
    private = bytes.fromhex("09001000") + b"LO\x04\x00ACME" + bytes.fromhex("09100110") + b"UN\x00\x00\xff\xff\xff\xff"
    keep("data_set", 1, plain + private + inner + bytes.fromhex("feffdde000000000"))
    note = item(
        SpecificCharacterSet="ISO_IR 6", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.59", SOPInstanceUID="1.2.392.9.1.2.1",
        Modality="KO", PatientName="A^B", PatientID="0001", StudyInstanceUID="1.2.392.9.1", SeriesInstanceUID="1.2.392.9.1.2",
        ConceptNameCodeSequence=[item(CodeValue="113001", CodingSchemeDesignator="DCM", CodeMeaning="Rejected")],
        CurrentRequestedProcedureEvidenceSequence=[item(
            StudyInstanceUID="1.2.392.9.1", ReferencedSeriesSequence=[item(
                SeriesInstanceUID="1.2.392.9.1.1",
                ReferencedSOPSequence=[item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID="1.2.392.9.1.1.1")])])],
    )
    keep("data_set", 1, body_of(file_of(note, ExplicitVRLittleEndian, folder)))
    medium = FileSet()
    one = image("ISO_IR 6", "A^B")
    file_of(one, ExplicitVRLittleEndian, folder)
    one.StudyID = "1"
    medium.add(one)
    medium.write(pathlib.Path(folder) / "medium")
    keep("data_set", 6, (pathlib.Path(folder) / "medium" / "DICOMDIR").read_bytes())
    for charset, text in [
        ("\\ISO 2022 IR 87", "Matsumoto^Ichiro=\x1b$B>>K\\\x1b(B^\x1b$B0lO:\x1b(B".encode("latin-1")),
        ("ISO 2022 IR 13\\ISO 2022 IR 87", "ﾏﾂﾓﾄ".encode("shift_jis") + b"=\x1b$B>>K\\\x1b(J"),
        ("ISO 2022 IR 6\\ISO 2022 IR 87\\ISO 2022 IR 159", b"\x1b$(D0!\x1b(B\\\x1b$BF|K\\IB1!\x1b(B"),
        ("GB18030", "王^小东".encode("gb18030")), ("ISO_IR 192", "日本病院\\宮崎".encode()),
        ("\\ISO 2022 IR 149", b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7"),
        ("ISO_IR 166", b"\xb9\xd2\xc2"), ("ISO 2022 IR 100\\ISO 2022 IR 144", b"\xe4\x1b-L\xbb\xee"),
    ]:
        keep("data_set", 7, charset.encode() + b"\n" + text)


class Recorder:
    """A port that passes everything on to another one; `heard` is what its callers send."""

    def __init__(self, to):
        self.to, self.heard = to, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            caller, _ = self.listener.accept()
            called = socket.create_connection(("127.0.0.1", self.to))
            record = bytearray()
            self.heard.append(record)
            threading.Thread(target=self.pass_on, args=(caller, called, record), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(called, caller, None), daemon=True).start()

    @staticmethod
    def pass_on(source, target, record):
        while part := source.recv(65536):
            if record is not None:
                record.extend(part)
            target.sendall(part)
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def gateway():
    """Answers everything as a gateway that has one image."""
    ae = AE(ae_title="DOKUEI")
    services = [
        classes.Verification, classes.PatientRootQueryRetrieveInformationModelFind,
        classes.PatientRootQueryRetrieveInformationModelMove, classes.StudyRootQueryRetrieveInformationModelFind,
        classes.StudyRootQueryRetrieveInformationModelMove, classes.StudyRootQueryRetrieveInformationModelGet,
        classes.ModalityWorklistInformationFind, classes.StorageCommitmentPushModel,
        classes.ModalityPerformedProcedureStep, classes.InstanceAvailabilityNotification,
    ]
    for service in services:
        ae.add_supported_context(service)
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(context.abstract_syntax, scu_role=True, scp_role=True)
    found = item(QueryRetrieveLevel="STUDY", StudyInstanceUID="1.2.392.9.1", PatientName="A^B")
    return ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[
        (evt.EVT_C_STORE, lambda event: 0), (evt.EVT_C_FIND, lambda event: iter([(0xFF00, found)])),
        (evt.EVT_C_MOVE, lambda event: iter([("127.0.0.1", 1), 0])), (evt.EVT_C_GET, lambda event: iter([0])),
        (evt.EVT_N_ACTION, lambda event: (0, None)), (evt.EVT_N_CREATE, lambda event: (0, event.attribute_list)),
        (evt.EVT_N_SET, lambda event: (0, event.attribute_list)),
    ])


def conversations(folder):
    server = gateway()
    recorder = Recorder(server.server_address[1])
    port, titles = str(recorder.port), ["-aet", "HOSPITAL_A", "-aec", "DOKUEI"]
    file = pathlib.Path(folder) / "image.dcm"
    file.write_bytes(file_of(with_pixels(image(["", "ISO 2022 IR 87"], "A^B=松本^一郎"), ExplicitVRLittleEndian), ExplicitVRLittleEndian, folder))
    study = ["-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.392.9.1", "-k", "PatientName=A*", "-k", "StudyDate=20260101-"]
    for command in [
        ["echoscu", *titles, "127.0.0.1", port],
        ["storescu", *titles, "127.0.0.1", port, str(file)],
        ["findscu", *titles, "-S", *study, "127.0.0.1", port],
        ["findscu", *titles, "-P", "-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID=0001", "127.0.0.1", port],
        ["findscu", *titles, "-W", "-k", "ScheduledProcedureStepSequence[0].Modality=CT", "-k", "PatientName", "127.0.0.1", port],
        ["movescu", *titles, "-S", "-aem", "ELSEWHERE", *study[:4], "127.0.0.1", port],
        ["getscu", *titles, "-S", *study[:4], "127.0.0.1", port],
    ]:
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    ae = AE(ae_title="HOSPITAL_A")
    for service in (classes.StorageCommitmentPushModel, classes.ModalityPerformedProcedureStep, classes.InstanceAvailabilityNotification):
        ae.add_requested_context(service)
    for context in StoragePresentationContexts[:20]:
        ae.add_requested_context(context.abstract_syntax)
    roles = [build_role(context.abstract_syntax, scp_role=True, scu_role=True) for context in StoragePresentationContexts[:20]]
    assoc = ae.associate("127.0.0.1", recorder.port, ae_title="DOKUEI", ext_neg=roles)
    reference = item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID="1.2.392.9.1.1.1")
    assoc.send_n_action(item(TransactionUID="1.2.392.9.8", ReferencedSOPSequence=[reference]), 1,
                        classes.StorageCommitmentPushModel, "1.2.840.10008.1.20.1.1")
    assoc.send_n_create(item(PerformedProcedureStepStatus="IN PROGRESS", ScheduledStepAttributesSequence=[item(StudyInstanceUID="1.2.392.9.1")]),
                        classes.ModalityPerformedProcedureStep, "1.2.392.9.7")
    made = item(SeriesInstanceUID="1.2.392.9.1.1", ReferencedImageSequence=[reference])
    assoc.send_n_set(item(PerformedProcedureStepStatus="COMPLETED", PerformedSeriesSequence=[made]),
                     classes.ModalityPerformedProcedureStep, "1.2.392.9.7")
    available = item(InstanceAvailability="ONLINE", RetrieveAETitle="PACS", **{name: getattr(reference, name) for name in ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID")})
    assoc.send_n_create(item(StudyInstanceUID="1.2.392.9.1", ReferencedPerformedProcedureStepSequence=[],
                             ReferencedSeriesSequence=[item(SeriesInstanceUID="1.2.392.9.1.1", ReferencedSOPSequence=[available])]),
                        classes.InstanceAvailabilityNotification, "1.2.392.9.6")
    assoc.release()
    server.shutdown()
    assert len(recorder.heard) == 8, f"{len(recorder.heard)} conversations were recorded"
    for number, heard in enumerate(recorder.heard):
        keep("association", WHOLE | (number % 3) << 4, bytes(heard))
        for context in range(1, 23, 2):
            keep("association", MESSAGES, records(bytes(heard), context))


def records(heard, context):
    """The values of P-DATA as the harness takes them, all at one presentation context."""
    out, at = b"", 0
    while at + 6 <= len(heard):
        kind, length = heard[at], int.from_bytes(heard[at + 2 : at + 6], "big")
        body, at = heard[at + 6 : at + 6 + length], at + 6 + length
        while kind == 4 and len(body) >= 6:
            size = int.from_bytes(body[:4], "big")
            control, value = body[5], body[6 : 4 + size]
            out += bytes([context, control]) + len(value).to_bytes(2, "big") + value
            body = body[4 + size :]
    return out


with tempfile.TemporaryDirectory() as folder:
    objects(folder)
    conversations(folder)
