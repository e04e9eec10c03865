"""What a command line says instead of a traceback, and its exit code."""

import sys
import warnings

from tfpe.cli.packages import is_missing, missing
from tfpe.cli.streams import abandon_stdout, note, open_streams
from tfpe.cli.tensorflow_noise import quiet_tensorflow
from tfpe.errors import TfpeError


def guard(program, run):
    """Runs a command; what is wrong becomes a line on stderr.

    That is named errors, missing packages, Ctrl-C and full disks; and TensorFlow is
    quiet.

    Args:
        program: its name, in front of each line.
        run: called without arguments; returns an exit code, or None for 0.

    Returns:
        The exit code.
    """

    def show_warning(message, category, filename, lineno, file=None, line=None):
        note(f"{program}: warning: {message}")

    open_streams()
    try:
        try:
            with warnings.catch_warnings(), quiet_tensorflow():
                warnings.simplefilter("default", UserWarning)
                warnings.showwarning = show_warning
                return run() or 0
        finally:
            sys.stdout.flush()
    except TfpeError as error:
        note(f"{program}: error: {error}")
        return 1
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not is_missing(package):
            raise  # a package that is broken, or a mistake of ours
        note(f"{program}: error: {missing(package)}")
        return 1
    except KeyboardInterrupt:
        # Commands that keep what they have done go on; the others begin again.
        note(f"{program}: interrupted; give the same command again")
        return 130
    except BrokenPipeError:
        # The reader of our output left; nothing more to say, also not at exit.
        abandon_stdout()
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        note(f"{program}: error: {where}{error.strerror or error}")
        abandon_stdout()
        return 1
    except (MemoryError, OverflowError) as error:
        kind = "More memory is needed than there is"
        if isinstance(error, OverflowError):
            kind = "A number is too large"
        note(f"{program}: error: {kind}" + (f": {error}" if str(error) else ""))
        return 1
