"""DICOM files to gray or RGB pixels, by pydicom, and nothing else that is in them.

Only the elements that say what the pixels mean are read: names, numbers and dates of
patients are not even parsed, and no message quotes the file or pydicom.
"""

import contextlib
import io
import logging
import math
import threading
import warnings

import numpy as np
from PIL import Image

from tfpe.errors import ImageFileError
from tfpe.pixels.depth import Gray

MAGIC_START, MAGIC = 128, b"DICM"
# What pydicom may read.
ELEMENTS = (
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PlanarConfiguration"),
    *("PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit"),
    *("PixelRepresentation", "PixelData", "ExtendedOffsetTable"),
    *("ExtendedOffsetTableLengths", "RescaleSlope", "RescaleIntercept"),
    *("ModalityLUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("VOILUTSequence", "SharedFunctionalGroupsSequence"),
)
GRAY = ("MONOCHROME1", "MONOCHROME2")
COLOR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")
# Filters of warnings belong to the process, not to a thread.
_quiet = threading.Lock()


def is_dicom(data):
    """Whether bytes begin as a DICOM file does (PS3.10); its first 132 are enough."""
    return data[MAGIC_START : MAGIC_START + len(MAGIC)] == MAGIC


def read_dicom(data):
    """The picture in the bytes of a DICOM file.

    Args:
        data: one frame, gray with up to 16 bits stored, or colours with 8.

    Returns:
        A `tfpe.pixels.depth.Gray`, or `uint8 (H, W, 3)`.

    Raises:
        ImageFileError: pydicom is not installed; the file is damaged, holds no pixels,
            several frames, a palette or more bits; or a decoder is missing.
    """
    pydicom = _pydicom()
    with _silent():
        try:
            file = pydicom.dcmread(io.BytesIO(data), specific_tags=list(ELEMENTS))
            shape = _checked(file)
        except ImageFileError:
            raise
        except Exception as error:
            _unreadable(error)
        compressed = _require_decoder(file)
        try:
            pixels = file.pixel_array
        except Exception as error:
            if compressed:
                _undecoded(file.file_meta.TransferSyntaxUID)
            _unreadable(error)
    if pixels.shape != shape:
        _refuse("as large as it says", "pixels of another shape")
    if len(shape) == 3:
        return pixels.astype(np.uint8)
    bits, signed = int(file.BitsStored), bool(file.PixelRepresentation)
    # Bits beside the stored ones may hold overlays, with names written in them.
    shift = int(file.get("HighBit", bits - 1)) + 1 - bits
    words = (pixels.astype(np.int64) >> shift) & (2**bits - 1)
    if signed:
        words = np.where(words >> (bits - 1), words - 2**bits, words)
    return Gray(
        pixels=words,
        bits=bits,
        signed=signed,
        inverted=file.PhotometricInterpretation == "MONOCHROME1",
        modality=lambda: _values(file, words),
        own_window=lambda: _window(file),
    )


def _pydicom():
    try:
        import pydicom
    except ImportError:
        raise ImageFileError(
            "DICOM files need pydicom: pip install 'tfpe[medical]'"
        ) from None
    return pydicom


@contextlib.contextmanager
def _silent():
    """pydicom's warnings, which quote what they warn of, reach nobody."""
    logger = logging.getLogger("pydicom")
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, logger.disabled = logger.disabled, True
        try:
            yield
        finally:
            logger.disabled = before


def _checked(file):
    """The shape that the pixels should have."""
    if "PixelData" not in file:
        _refuse("a picture", "a file without pixels of whole numbers")
    if int(file.get("NumberOfFrames") or 1) != 1:
        frames = int(file.NumberOfFrames)
        _refuse("of one frame: save each frame as a file first", f"{frames} frames")
    kind, bits = file.PhotometricInterpretation, int(file.BitsStored)
    allocated, rows, columns = int(file.BitsAllocated), int(file.Rows), file.Columns
    samples = int(file.SamplesPerPixel)
    if rows * columns > 2 * (Image.MAX_IMAGE_PIXELS or np.inf):
        _refuse("of a size that fits in memory", f"{rows} x {columns} pixels")
    high = int(file.get("HighBit", bits - 1))
    if kind in GRAY and samples == 1 and allocated <= 16 and 0 < bits <= high + 1:
        if high < allocated:
            return rows, columns
    if kind in COLOR and samples == 3 and allocated == bits == 8:
        return rows, columns, 3
    known = kind if kind in (*GRAY, *COLOR, "PALETTE COLOR") else "another kind"
    _refuse(
        "gray of up to 16 bits, or colours of 8 bits",
        f"{known}, {samples} samples of {bits} bits in {allocated}",
    )


def _require_decoder(file):
    """Whether the pixels are compressed; refused where nothing installed reads them."""
    from pydicom.pixels import get_decoder

    syntax = file.file_meta.get("TransferSyntaxUID")
    if syntax is None or not syntax.is_transfer_syntax:
        _refuse("of a transfer syntax of the standard", "none or another")
    if not syntax.is_encapsulated:
        return False
    try:
        found = get_decoder(syntax).is_available
    except NotImplementedError:
        found = False
    if not found:
        _undecoded(syntax)
    return True


def _undecoded(syntax):
    raise ImageFileError(
        f"The pixels of this DICOM file are compressed ({syntax.name}), and no decoder "
        "that is installed reads them: pip install 'pylibjpeg[all]' pyjpegls (or they "
        "are damaged)"
    ) from None


def _values(file, words):
    from pydicom.pixels import apply_modality_lut

    if "SharedFunctionalGroupsSequence" in file:
        _refuse("of a kind whose unit lies in the file itself", "an enhanced DICOM")
    with _silent():
        try:
            return np.asarray(apply_modality_lut(words, file), np.float64)
        except Exception as error:
            _unreadable(error)


def _window(file):
    with _silent():
        try:
            kind = file.get("VOILUTFunction") or "LINEAR"
            center, width = (
                float(np.ravel(file[name].value)[0])
                for name in ("WindowCenter", "WindowWidth")
            )
        except Exception:
            center, width, kind = 0, 0, "LINEAR"
    if not (math.isfinite(center) and 1 <= width < math.inf):
        _refuse("with a window of their own; name a center and a width", "none")
    if kind != "LINEAR":
        _refuse("with a linear window of their own; name one", "another VOI function")
    return center, width


def _refuse(expected, received):
    raise ImageFileError(f"DICOM files should be {expected}. Received: {received}")


def _unreadable(error):
    # Not its message, which may quote the file.
    raise ImageFileError(
        "This DICOM file cannot be read: it is damaged, or of a kind that pydicom does "
        f"not decode ({type(error).__name__})"
    ) from None
