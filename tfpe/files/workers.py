"""Work on many images: a few threads, bounded memory, results in order.

Reading and writing PNG, hashing and most of NumPy leave Python's lock, so that threads
are enough. For small images they do not: most of the work on those is Python's, and two
threads that take turns at its lock need longer than one.
"""

import collections
import concurrent.futures
import itertools
import os
import time

from tfpe.checks import whole_number
from tfpe.errors import OutputError, TfpeError

USUAL_WORKERS = 4  # at most, and no more than there are cores
MOST_WORKERS = 256
SMALL_BYTES = 2**12  # of a file on which two threads gain nothing
SMALL_SECONDS = 0.005  # of a processor, for such an image
TOGETHER = 16  # small images that go to their thread at once


def worker_count(workers=None):
    """How many threads a run has: as many as asked for, or as there are cores, up to 4.

    Raises:
        OutputError: `workers` is no whole number from 1 to 256.
    """
    if workers is None:
        return min(USUAL_WORKERS, os.cpu_count() or 1)
    return whole_number(workers, "workers", high=MOST_WORKERS, error=OutputError)


def map_images(function, jobs, progress=None, workers=None, file_of=None):
    """Calls `function` on each of `jobs` (path -> job, a dict).

    Args:
        function: job -> result.
        jobs: dict, worked on in its order.
        progress: called with (done, total) for each image, of small ones some at once.
        workers: as of `worker_count`.
        file_of: job -> path of its file; where `workers` is None small files have one
            thread for all, unless they turn out to take long.

    Returns:
        path -> result, a dict, and (path, message) of each job that raised an error of
        its own. `OutputError`, which concerns all, stops the work and is raised.
    """
    results, failed = {}, []
    waiting = collections.deque()
    threads = worker_count(workers)
    grouping = file_of is not None and workers is None and threads > 1

    def is_small(path):
        try:
            return grouping and os.stat(file_of(jobs[path])).st_size <= SMALL_BYTES
        except (OSError, ValueError):  # the job itself tells what is wrong with it
            return False

    def finish_oldest():
        nonlocal grouping
        together, future = waiting.popleft()
        done, seconds = future.result()
        if together and seconds > SMALL_SECONDS * len(done):
            grouping = False  # large pictures in small files, such as masks
        for path, result, problem in done:
            if problem is None:
                results[path] = result
            else:
                failed.append((path, problem))
            report(len(results) + len(failed), len(jobs))

    report = progress or (lambda done, total: None)
    large, small = (concurrent.futures.ThreadPoolExecutor(n) for n in (threads, 1))
    try:
        report(0, len(jobs))
        for together, paths in _groups(jobs, is_small):
            if len(waiting) == 2 * threads:
                finish_oldest()
            group = [(path, jobs[path]) for path in paths]
            future = (small if together else large).submit(_run, function, group)
            waiting.append((together, future))
        while waiting:
            finish_oldest()
    finally:
        for pool in (large, small):
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in (large, small):
            pool.shutdown()
    return results, failed


def _groups(jobs, is_small):
    """The paths of `jobs` in their order: large ones alone, small ones some at once."""
    for together, paths in itertools.groupby(jobs, is_small):
        while group := list(itertools.islice(paths, TOGETHER if together else 1)):
            yield together, group


def _run(function, group):
    """(path, result, what went wrong or None) of each (path, job), and CPU seconds."""
    done, start = [], time.thread_time()
    for path, job in group:
        result = problem = None
        try:
            result = function(job)
        except OutputError:
            raise
        except TfpeError as error:
            problem = str(error)
        except MemoryError:
            problem = "This image needs more memory than there is"
        done.append((path, result, problem))
    return done, time.thread_time() - start
