"""Pictures that are not read: nobody should believe them encrypted unless told.

They are known by their name, and where that says nothing by their first bytes. What is
neither, such as README.txt, is no picture.
"""

import os

KINDS = {
    "DICOM": (".dcm", ".dicom", ".ima"),
    "a medical volume": (
        *(".nii", ".nii.gz", ".mha", ".mhd", ".nrrd", ".nhdr", ".mgh", ".mgz"),
        *(".mnc", ".hdr", ".img"),
    ),
    "a microscope's picture": (
        *(".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".bif", ".czi", ".lif", ".nd2"),
        *(".oib", ".oif", ".lsm", ".vsi", ".ims"),
    ),
    "a camera's raw picture": (
        *(".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2"),
        *(".orf", ".rw2", ".rwl", ".raf", ".pef", ".srw", ".x3f", ".3fr", ".fff"),
        *(".iiq", ".mos", ".mrw", ".kdc", ".dcr", ".erf", ".mef", ".gpr", ".raw"),
    ),
    "a picture": (
        *(".heic", ".heif", ".hif", ".avif", ".jp2", ".j2k", ".jpf", ".jpx", ".jxl"),
        *(".jxr", ".wdp", ".psd", ".psb", ".xcf", ".kra", ".svg", ".svgz", ".ico"),
        *(".icns", ".tga", ".ppm", ".pgm", ".pbm", ".pnm", ".pam", ".pfm", ".pcx"),
        *(".dds", ".exr", ".sgi", ".ras", ".qoi", ".fits", ".fit", ".fts"),
    ),
    "a video": (
        *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".wmv", ".mts", ".m2ts"),
        *(".3gp", ".mpg", ".mpeg", ".flv", ".insv"),
    ),
    "arrays": (".npy", ".npz", ".h5", ".hdf5", ".mat", ".tfrecord", ".tfrecords"),
}
SUFFIXES = {suffix: kind for kind, names in KINDS.items() for suffix in names}
# (place, bytes, kind); they tell files without a suffix, or with one that says nothing.
MAGICS = (
    (128, b"DICM", "DICOM"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    *((0, start, "a GIF picture") for start in (b"GIF87a", b"GIF89a")),
    # TIFF, and what is made of it: slides, raw pictures.
    *((0, start, "a TIFF picture") for start in (b"II*\0", b"MM\0*", b"II+\0")),
    (0, b"MM\0+", "a TIFF picture"),
    (8, b"WEBP", "a WebP picture"),
    *((344, start, "a medical volume") for start in (b"n+1\0", b"ni1\0")),
    *((4, start, "a medical volume") for start in (b"n+2\0", b"ni2\0")),
    (0, b"NRRD000", "a medical volume"),
    *((4, start, "a picture") for start in (b"jP  \r\n", b"JXL \r\n")),
    (4, b"ftyp", "a picture or a video"),
    (0, b"\xff\x4f\xff\x51", "a picture"),
    (0, b"8BPS", "a picture"),
    (0, b"v/1\x01", "a picture"),
    (0, b"SIMPLE  =", "a picture"),
    (8, b"AVI LIST", "a video"),
    (0, b"\x1aE\xdf\xa3", "a video"),
    (0, b"\x93NUMPY", "arrays"),
    (0, b"\x89HDF\r\n", "arrays"),
)
SOUND = b"ftypM4A"
HEAD_BYTES = 352


def looks_like(file):
    """What picture the name or the first bytes of a file say that it is, or None.

    Args:
        file: a `pathlib.Path` of a file that is not read as an image.

    Example:

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name, data in {"IM0001": bytes(128) + b"DICM", "README": b"hello"}.items():
    ...     _ = (folder / name).write_bytes(data)
    >>> looks_like(folder / "IM0001"), looks_like(folder / "README")
    ('DICOM', None)
    >>> looks_like(folder / "brain.nii.gz")
    'a medical volume'
    """
    if file.name.upper() == "DICOMDIR":  # a list of files, without a picture
        return None
    suffixes = file.suffix.lower(), "".join(file.suffixes[-2:]).lower()
    for suffix in suffixes:
        if suffix in SUFFIXES:
            return SUFFIXES[suffix]
    head = head_of(file)
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "a BMP picture"
    if head[4:].startswith(SOUND):
        return None
    for place, start, kind in MAGICS:
        if head[place:].startswith(start):
            return kind
    return None


def head_of(file):
    """The first bytes of a regular file; none of what is no file or cannot be read."""
    try:
        # Not waiting for what is no regular file, such as a pipe.
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as opened:
            return opened.read(HEAD_BYTES) or b""
    except OSError:
        return b""
