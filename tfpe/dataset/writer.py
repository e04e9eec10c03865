"""Writes the shards of a data set, and goes on where a killed run stopped.

A shard grows under a name of its own and is renamed when it is whole. The checkpoint
says how far each is on the disk; what lies beyond is cut off and written again. Shards
depend on the source, the key and the settings alone, so the result is the same.
"""

import collections
import concurrent.futures
import contextlib
import hashlib
import os
import pathlib

from tfpe.dataset.source import numbered_shards
from tfpe.errors import DatasetError
from tfpe.files.workers import worker_count
from tfpe.manifests.set_manifest import (
    CHECKPOINT,
    file_tag,
    read_checkpoint,
    require_settings,
    write_checkpoint,
)
from tfpe.storage.atomic import (
    USUAL,
    make_folders,
    output_errors,
    remove_stale,
    restrict,
)
from tfpe.storage.locks import folder_lock
from tfpe.storage.signed_json import same

PARTIAL = ".partial"
CHECKPOINT_BYTES = 2**22
READ_BYTES = 2**20


class ShardWriter:
    """The run over all shards of one data set.

    Args:
        folder: where they are written; it exists.
        key: a `tfpe.Key`.
        header: of the manifest; a folder begun with another one is refused.
        source: a `tfpe.dataset.source.Source`.
        encode: (raw batch, number of its first image) -> (bytes, number of examples);
            called in several threads.
        progress: called with (done, total) examples.
        mode: permissions of new files, less the umask.
        workers: number of threads, as of `tfpe.files.workers.worker_count`.
    """

    def __init__(
        self,
        folder,
        key,
        header,
        source,
        encode,
        progress=None,
        mode=USUAL,
        workers=None,
    ):
        self.folder, self.key, self.source = pathlib.Path(folder), key, source
        self.encode, self.mode = encode, mode
        self.threads = worker_count(workers)
        self.report = progress or (lambda done, total: None)
        checkpoint = read_checkpoint(folder, key)
        self.header, self.shards = header, {}
        if checkpoint is not None:
            require_settings(checkpoint, header, folder)
            self.shards = checkpoint["shards"]
            self.header = header | {"tfpe": checkpoint["tfpe"]}  # which began it
        self.written = 0
        self.done = 0

    def run(self):
        """Writes what is missing; returns shard file -> {examples, bytes, tag}."""
        remove_stale(self.folder)
        threads = self.threads
        pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.report(0, self.source.total)
        try:
            for split, shard, first in numbered_shards(self.source.splits):
                self._write(split, shard, first, pool, 2 * threads)
        finally:
            pool.shutdown(cancel_futures=True)
        return self.shards

    def _write(self, split, shard, first, pool, most_waiting):
        lengths = self.source.splits[split]
        name = shard_name(self.header["name"], split, shard, len(lengths))
        final = self.folder / name
        partial = self.folder / (name + PARTIAL)
        finished, digest = self._resume(name, final, partial)
        self._advance(finished, written=0)
        if final.exists():
            return
        waiting = collections.deque()
        with output_errors(partial), self._append(partial) as file:
            batches = self.source.read(split, shard, finished)
            asked, flushed = finished, file.tell()
            while True:
                batch = next(batches, None)
                if batch is not None:
                    waiting.append(pool.submit(self.encode, batch, first + asked))
                    asked += _length(batch)
                if not waiting:
                    break
                if batch is not None and len(waiting) < most_waiting:
                    continue
                data, count = waiting.popleft().result()
                file.write(data)
                digest.update(data)
                finished += count
                self._advance(count, written=count)
                if file.tell() - flushed >= CHECKPOINT_BYTES:
                    flushed = self._checkpoint(name, file, finished, digest)
            if finished != lengths[shard]:
                raise DatasetError(
                    f"Shard {shard} of split {split} should hold {lengths[shard]} "
                    f"examples. Received: {finished}"
                )
            self._checkpoint(name, file, finished, digest)
        with output_errors(final):
            os.replace(partial, final)

    def _append(self, partial):
        return open(partial, "ab", opener=lambda p, flags: os.open(p, flags, self.mode))

    def _resume(self, name, final, partial):
        """(examples, SHA-256) of what is on the disk of a shard and can be believed."""
        entry = self.shards.get(name)
        file = final if final.exists() else partial
        if entry is not None and file.exists():
            digest = _digest(file, entry["bytes"])
            if same(entry["tag"], file_tag(self.key, name, digest)):
                with output_errors(file):
                    os.truncate(file, entry["bytes"])
                return entry["examples"], digest
        self.shards.pop(name, None)
        with output_errors(file):
            final.unlink(missing_ok=True)
            partial.unlink(missing_ok=True)
        return 0, hashlib.sha256()

    def _checkpoint(self, name, file, examples, digest):
        file.flush()
        os.fsync(file.fileno())
        self.shards[name] = {
            "examples": examples,
            "bytes": file.tell(),
            "tag": file_tag(self.key, name, digest),
        }
        write_checkpoint(self.folder, self.key, self.header, self.shards)
        return file.tell()

    def _advance(self, count, written):
        self.done += count
        self.written += written
        self.report(self.done, self.source.total)


def shard_name(name, split, shard, shards):
    """The file name that TFDS gives a shard."""
    return f"{name}-{split}.tfrecord-{shard:05d}-of-{shards:05d}"


@contextlib.contextmanager
def work_folder(final, mode=USUAL):
    """The folder beside `final` in which it grows, for one run at a time.

    Who cannot read files of `mode` cannot enter it.

    Raises:
        OutputError: it cannot be made, or another run is at work there.
    """
    work = final.with_name(final.name + ".incomplete")
    with output_errors(work):
        make_folders(work, mode)
    with contextlib.ExitStack() as held:
        with output_errors(work):
            held.enter_context(folder_lock(work))
            restrict(work, mode)
        yield work


def finish(work, final):
    """Gives a whole data set its name."""
    with output_errors(final):
        os.replace(work, final)
        (final / CHECKPOINT).unlink(missing_ok=True)


def _digest(file, size):
    """SHA-256 of the first `size` bytes."""
    digest = hashlib.sha256()
    with output_errors(file), open(file, "rb") as stream:
        while size > 0 and (data := stream.read(min(size, READ_BYTES))):
            digest.update(data)
            size -= len(data)
    return digest


def _length(batch):
    """Examples in a raw batch: a list of records, or a tuple of columns."""
    return len(batch[0] if isinstance(batch, tuple) else batch)
