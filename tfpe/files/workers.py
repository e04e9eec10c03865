"""Work on many images: a few threads, bounded memory, results in order.

Reading and writing PNG, hashing and most of NumPy leave Python's lock, so that threads
are enough.
"""

import collections
import concurrent.futures
import math
import os
import threading

from tfpe.errors import OutputError, TfpeError
from tfpe.files.manifest import image_key

MAX_THREADS = 4
CACHED_BYTES = 2**24


def map_images(function, jobs, progress=None):
    """Calls `function` on each of `jobs` (path -> job, a dict).

    Args:
        function: job -> result.
        jobs: dict, worked on in its order.
        progress: called with (done, total) after each image.

    Returns:
        path -> result, a dict, and (path, message) of each job that raised an error of
        its own. `OutputError`, which concerns all, stops the work and is raised.
    """
    results, failed = {}, []
    waiting = collections.deque()
    threads = min(MAX_THREADS, os.cpu_count() or 1)
    pool = concurrent.futures.ThreadPoolExecutor(threads)

    def finish_oldest():
        path, future = waiting.popleft()
        try:
            results[path] = future.result()
        except OutputError:
            raise
        except TfpeError as error:
            failed.append((path, str(error)))
        except MemoryError:
            failed.append((path, "This image needs more memory than there is"))
        report(len(results) + len(failed), len(jobs))

    report = progress or (lambda done, total: None)
    try:
        report(0, len(jobs))
        for path, job in jobs.items():
            if len(waiting) == 2 * threads:
                finish_oldest()
            waiting.append((path, pool.submit(function, job)))
        while waiting:
            finish_oldest()
    finally:
        pool.shutdown(cancel_futures=True)
    return results, failed


class Transforms:
    """The transforms of one key and folder, built once for each image shape.

    Those last used are kept, as many as hold images of 16 MB together.

    Args:
        cipher: a row of `tfpe.CIPHERS`.
        key: a `tfpe.Key`.
        header: the header of the folder: options of the cipher, and its identity.
        invert: whether to decrypt.
    """

    def __init__(self, cipher, key, header, invert=False):
        self._cipher, self._key, self._header = cipher, key, header
        self._invert = invert
        self._lock = threading.Lock()
        self._kept = collections.OrderedDict()

    def get(self, image_shape, number=None):
        """The transform of a shape; for the image `number`, one of its own."""
        if number is not None:
            key = image_key(self._key, self._header, number)
            return self._build(key, image_shape)
        with self._lock:
            if image_shape not in self._kept:
                # Room first: two large ones need not fit in memory.
                while self._kept and self._bytes(image_shape) > CACHED_BYTES:
                    self._kept.popitem(last=False)
                self._kept[image_shape] = self._build(self._key, image_shape)
            self._kept.move_to_end(image_shape)
            return self._kept[image_shape]

    def _bytes(self, new_shape):
        return sum(math.prod(shape) for shape in [*self._kept, new_shape])

    def _build(self, key, image_shape):
        transform = self._cipher(key, image_shape, **self._header["options"])
        transform = transform.inverse if self._invert else transform
        _ = transform.program  # here, so that no two threads choose it at once
        return transform
