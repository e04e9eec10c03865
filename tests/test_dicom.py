"""What is read of a DICOM file: its pixels, exactly, and nothing else."""

import logging
import pathlib
import warnings

import numpy as np
import pytest
from dicom_files import PLANTED, dicom_bytes, pydicom, slices
from hypothesis import given
from hypothesis import strategies as st

from tfpe.errors import ImageFileError
from tfpe.pixels.codec import read_image
from tfpe.pixels.depth import Gray, window_levels
from tfpe.pixels.dicom import is_dicom, read_dicom
from tfpe.pixels.preparation import Preparation

SHIPPED = pathlib.Path(pydicom.__file__).parent / "data/test_files"
[SIGNED] = slices(1)
# Read by pydicom and Pillow alone; (name, gray).
READABLE = ("CT_small", "MR_small", "MR_small_RLE", "MR_small_bigendian", "image_dfl")
READABLE += ("MR_small_implicit", "examples_overlay", "J2K_pixelrep_mismatch")


def shipped(name):
    return (SHIPPED / f"{name}.dcm").read_bytes()


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, in the oracle
@pytest.mark.parametrize("name", [*READABLE, "examples_rgb_color", "SC_rgb_rle"])
def test_pixels_are_those_of_pydicom(name):
    found = read_dicom(shipped(name))
    file = pydicom.dcmread(SHIPPED / f"{name}.dcm")
    gray = isinstance(found, Gray)
    pixels = found.pixels if gray else found
    np.testing.assert_array_equal(pixels, file.pixel_array)
    if gray:
        expected = pydicom.pixels.apply_modality_lut(file.pixel_array, file)
        np.testing.assert_array_equal(found.values(), expected)


@given(st.floats(-2000, 2000), st.floats(1.001, 4000), st.sampled_from([8, 12, 16]))
def test_windows_are_those_of_pydicom(center, width, bits):
    file = pydicom.dataset.Dataset()
    file.WindowCenter, file.WindowWidth = [center], [width]
    file.PhotometricInterpretation, file.BitsStored = "MONOCHROME2", bits
    file.PixelRepresentation = 1
    values = np.arange(-3000, 3000, 7, dtype=np.int16)
    expected = pydicom.pixels.apply_windowing(values, file)
    # pydicom's go from the lowest to the highest stored value, and are not rounded.
    expected = (expected + 2 ** (bits - 1)) * 255 / (2**bits - 1)
    center, width = (float(file[n].value) for n in ("WindowCenter", "WindowWidth"))
    levels = window_levels(values, center, width)
    assert np.abs(levels - expected).max() <= 0.5 + 1e-6


def test_a_window_of_width_one_is_a_step():
    assert window_levels([38, 39, 39.5, 40, 41], 40, 1).tolist() == [0, 0, 0, 255, 255]


@given(st.integers(1, 16), st.booleans(), st.integers(0, 2**32))
def test_stored_values_come_back_whatever_their_bits(bits, signed, seed):
    """Bits above the stored ones hold what they like, such as overlays."""
    random = np.random.default_rng(seed)
    low = -(2 ** (bits - 1)) if signed else 0
    stored = random.integers(low, low + 2**bits, (5, 4))
    words = stored & (2**bits - 1) | random.integers(0, 2**16, (5, 4)) << bits
    words = (words & 0xFFFF).astype(np.uint16)
    data = dicom_bytes(words.view(np.int16) if signed else words, bits)
    found = read_dicom(data)
    np.testing.assert_array_equal(found.pixels, stored)
    assert (found.bits, found.signed) == (bits, signed)


def test_dicom_is_known_by_its_beginning():
    assert is_dicom(shipped("CT_small")) and is_dicom(dicom_bytes(SIGNED)[:132])
    assert not is_dicom(b"") and not is_dicom(b"DICM" * 30)


REFUSED = {
    "frames": (dict(NumberOfFrames=2, Rows=12), "2 frames"),
    "palette": (dict(PhotometricInterpretation="PALETTE COLOR"), "PALETTE COLOR"),
    "foreign": (dict(PhotometricInterpretation="PLANTED"), "another kind"),
    "short": (dict(PixelData=b"12"), "cannot be read"),
    "huge": (dict(Rows=65535, Columns=65535), "65535 x 65535"),
    "high-bit": (dict(HighBit=20), "samples of 16 bits in 16"),
    "no-bits": (dict(BitsStored=0), "samples of 0 bits"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_gray_picture_is_refused(name):
    elements, message = REFUSED[name]
    with pytest.raises(ImageFileError, match=message):
        read_dicom(dicom_bytes(SIGNED, **elements))


@pytest.mark.parametrize("name", ["reportsi", "rtplan", "UN_sequence"])
def test_files_without_pixels_are_refused(name):
    with pytest.raises(ImageFileError, match="without pixels"):
        read_dicom(shipped(name))


@pytest.mark.parametrize("name", ["JPEGLSNearLossless_16", "JPGExtended"])
def test_compressed_pixels_name_what_reads_them(name, monkeypatch):
    # As where no decoder is installed, whatever is here.
    monkeypatch.setattr(pydicom.pixels.decoders.base.Decoder, "is_available", False)
    with pytest.raises(ImageFileError, match="JPEG.*pip install 'pylibjpeg"):
        read_dicom(shipped(name))


def test_a_missing_pydicom_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    with pytest.raises(ImageFileError, match=r"pip install 'tfpe\[medical\]'"):
        read_dicom(dicom_bytes(SIGNED))


def test_no_message_quotes_the_file(capfd, caplog):
    """Each element spoilt with a planted value; warnings and logs count too."""
    caplog.set_level(logging.DEBUG)
    data = dicom_bytes(SIGNED, RescaleSlope="1", RescaleIntercept="0", WindowCenter=1)
    messages = []
    for old, new in [
        (b"PLANT-4711", b"PLANTED\\\xff\xfe"),
        (b"19410203", b"PLANTED1"),
        (b"MONOCHROME2", b"PLANTED___2"),
        (b"1.2.840.10008.1.2.1", b"1.2.840.4711.PLANTE"),
        (b"DS\x02\x001 ", b"DS\x02\x00P "),
        (b"IS", b"DS"),
        (b"US", b"PN"),
        (b"CS", b"DA"),
    ]:
        spoilt = data.replace(old, new)
        assert spoilt != data or old == b"IS"
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                found = read_dicom(spoilt)
                found.values(), found.window()
            except ImageFileError as error:
                messages.append(str(error))
        assert not caught
    assert len(messages) >= 4
    seen = "\n".join(messages) + caplog.text + "".join(capfd.readouterr())
    for value in ("PLANT", "4711", "19410203", *PLANTED.values()):
        assert value not in seen


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_depths(photometric):
    scale = dict(RescaleSlope=2, RescaleIntercept=-100)
    window = dict(WindowCenter=[300, 1], WindowWidth=[900, 1])
    data = dicom_bytes(SIGNED, 12, photometric, **scale, **window)
    with pytest.raises(ImageFileError, match="depth 16.*window CENTER WIDTH"):
        read_image(data, Preparation())
    inverted = {"inverted": True} if photometric == "MONOCHROME1" else {}
    words, lost, stored = read_image(data, Preparation(depth=16))
    np.testing.assert_array_equal(words[..., 0], SIGNED.astype(int) + 2**15)
    assert (words.dtype, lost, stored) == (np.uint16, [], {"offset": 2**15} | inverted)
    levels, lost, stored = read_image(data, Preparation(window=(300, 900)))
    expected = window_levels(SIGNED * 2.0 - 100, 300, 900)[..., None]
    np.testing.assert_array_equal(levels, 255 - expected if inverted else expected)
    assert (lost, stored) == (["window"], {})
    own, lost, stored = read_image(data, Preparation(window="own"))
    np.testing.assert_array_equal(own, levels)
    assert (lost, stored) == (["window"], {"window": [300, 900]})


def test_bytes_and_colours_need_no_choice():
    gray = SIGNED.astype(np.uint8)
    for pixels, kind in ((gray, "MONOCHROME2"), (np.stack([gray] * 3, -1), "RGB")):
        data = dicom_bytes(pixels, 8, kind)
        for preparation in (Preparation(), Preparation(depth=16)):
            found, lost, stored = read_image(data, preparation)
            np.testing.assert_array_equal(found.squeeze(), pixels)
            assert (found.dtype, lost, stored) == (np.uint8, [], {})
