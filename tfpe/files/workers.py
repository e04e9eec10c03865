"""Work on many images: a few threads, bounded memory, results in order.

Reading and writing PNG, hashing and most of NumPy leave Python's lock, so that threads
are enough.
"""

import collections
import concurrent.futures
import os

from tfpe.checks import whole_number
from tfpe.errors import OutputError, TfpeError

USUAL_WORKERS = 4  # at most, and no more than there are cores
MOST_WORKERS = 256


def worker_count(workers=None):
    """How many threads a run has: as many as asked for, or as there are cores, up to 4.

    Raises:
        OutputError: `workers` is no whole number from 1 to 256.
    """
    if workers is None:
        return min(USUAL_WORKERS, os.cpu_count() or 1)
    return whole_number(workers, "workers", high=MOST_WORKERS, error=OutputError)


def map_images(function, jobs, progress=None, workers=None):
    """Calls `function` on each of `jobs` (path -> job, a dict).

    Args:
        function: job -> result.
        jobs: dict, worked on in its order.
        progress: called with (done, total) after each image.
        workers: as of `worker_count`.

    Returns:
        path -> result, a dict, and (path, message) of each job that raised an error of
        its own. `OutputError`, which concerns all, stops the work and is raised.
    """
    results, failed = {}, []
    waiting = collections.deque()
    threads = worker_count(workers)
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
