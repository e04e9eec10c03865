"""Paths that users give: that they are paths, apart, and what lies above them."""

import contextlib
import os
import pathlib

from tfpe.errors import OutputError


def checked_path(path, name, error):
    """`path` as a `pathlib.Path`, or `error` where it is no path that can be used."""
    try:
        if isinstance(path, (str, os.PathLike)) and os.fsencode(path):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.stat(path)
            return pathlib.Path(path)
        reason = "no path"
    except (ValueError, TypeError):  # a zero byte, a lone surrogate, bytes
        reason = "characters that no path has"
    except OSError as problem:
        reason = problem.strerror
    raise error(f"`{name}` should be a path. Received: {path!r}: {reason}")


def require_apart(source, target):
    """Raises `OutputError` where the output would mix with the source, or is a file."""
    target = pathlib.Path(target)
    if target.exists() and not target.is_dir():
        raise OutputError(f"`dst` should be a folder. Received: {target}, a file")
    inner, outer = pathlib.Path(source).resolve(), target.resolve()
    if inner.is_dir() and (inner.is_relative_to(outer) or outer.is_relative_to(inner)):
        raise OutputError(
            "`src` and `dst` should be separate folders, none inside the other. "
            f"Received: {source} and {target}"
        )


def folders_above(path):
    """The folders above a path where a manifest of it may lie, the nearest first.

    Up to the user's home or the root of a file system, never of the whole machine:
    what lies higher belongs to others.
    """
    home = pathlib.Path(os.path.expanduser("~")).resolve()
    for folder in pathlib.Path(path).parents:
        if folder == folder.parent:
            return
        yield folder
        if folder == home or os.path.ismount(folder):
            return
