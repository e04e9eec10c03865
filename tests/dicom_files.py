"""DICOM files made for tests, with planted names of a patient."""

import io

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom", reason="the extra `medical` is not installed")

# What must appear nowhere: in no output, message, warning or log.
PLANTED = {
    "PatientName": "Planted^Zebedee",
    "PatientID": "PLANT-4711",
    "PatientBirthDate": "19410203",
    "StudyDate": "20011223",
    "AccessionNumber": "ACC-PLANT",
    "InstitutionName": "Planted Hospital",
    "ReferringPhysicianName": "Planted^Doctor",
    "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.4711",
    "SOPInstanceUID": "1.2.826.0.1.3680043.8.498.4712",
    "ImageComments": "PLANTED comment",
}


def dicom_bytes(pixels, bits=16, photometric="MONOCHROME2", **elements):
    """The bytes of a DICOM file that holds `pixels`, `(H, W)` or `(H, W, 3)`."""
    file = pydicom.dataset.FileDataset(None, {}, preamble=b"\0" * 128)
    file.file_meta = pydicom.dataset.FileMetaDataset()
    file.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = PLANTED["SOPInstanceUID"]
    for name, value in PLANTED.items():
        setattr(file, name, value)
    file.SOPClassUID = pydicom.uid.CTImageStorage
    file.Modality = "CT"
    file.Rows, file.Columns = pixels.shape[:2]
    file.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    if pixels.ndim == 3:
        file.PlanarConfiguration = 0
    file.PhotometricInterpretation = photometric
    file.BitsAllocated = 8 * pixels.dtype.itemsize
    file.BitsStored, file.HighBit = bits, bits - 1
    file.PixelRepresentation = int(pixels.dtype.kind == "i")
    data = pixels.tobytes()
    file.add_new("PixelData", "OW" if pixels.itemsize > 1 else "OB", data)
    if len(data) % 2:
        file.PixelData = data + b"\0"
    for name, value in elements.items():
        setattr(file, name, value)
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, file, enforce_file_format=True)
    return stream.getvalue()


def slices(count, size=(24, 20), dtype=np.int16):
    """Different gray pictures `(count, H, W)` of 12 bits, smooth with some noise."""
    random = np.random.default_rng(7)
    rows, columns = np.mgrid[: size[0], : size[1]]
    base = 90 * rows + 70 * columns + 40 * np.arange(count)[:, None, None]
    noise = random.integers(0, 60, (count, *size))
    return ((base + noise) % 4096 - (2048 if dtype == np.int16 else 0)).astype(dtype)
