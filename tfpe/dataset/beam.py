"""Encryption of data sets as an Apache Beam pipeline (extra `beam`), on many machines.

The pipeline holds the path of the key file, never the key: each worker reads it, so it
must be on the owner's machines. Source and output are on a file system that all share.
"""

import dataclasses
import itertools
import pathlib

import apache_beam as beam

from tfpe.ciphers import DEFAULT_CIPHER
from tfpe.dataset.metadata import write_metadata
from tfpe.dataset.plan import carry_out, plan_from
from tfpe.dataset.record_bytes import RecordEncryption
from tfpe.dataset.source import batch_size, numbered_shards
from tfpe.dataset.sources import open_source
from tfpe.dataset.views import with_views
from tfpe.dataset.writer import finish, shard_name, work_folder
from tfpe.keys import Key
from tfpe.manifests.set_manifest import tag_file
from tfpe.pixels.preparation import Preparation
from tfpe.storage.atomic import output_errors, write_file

BATCHES = 4  # in a block, the piece of work that goes to one worker


@dataclasses.dataclass(frozen=True)
class Job:
    """What every worker is told; it is pickled, and holds no secret.

    Attributes:
        source, data_dir: as in `tfpe.dataset.encrypt_dataset`.
        key_file: path of the key file, which needs no passphrase.
        header: of the manifest: cipher, options and so on.
        folder: where blocks are written.
    """

    source: str
    data_dir: str | None
    key_file: str
    header: dict
    folder: str


class Encrypt(beam.PTransform):
    """Blocks of a data set -> the files of their encrypted examples.

    Args:
        job: a `Job`.

    Input: (split, shard, first example in the shard, number of that example in the set,
    number of examples). Output: (split, shard, first example, number of examples, name
    of the file).
    """

    def __init__(self, job):
        super().__init__()
        self.job = job

    def expand(self, blocks):
        return blocks | beam.Reshuffle() | beam.ParDo(_EncryptBlock(self.job))


class _EncryptBlock(beam.DoFn):
    def __init__(self, job):
        self.job = job

    def setup(self):
        job = self.job
        preparation = Preparation.from_json(job.header["preparation"])
        source = open_source(job.source, job.data_dir, preparation, others="skip")
        self.source = with_views(source, job.header["copies"])
        self.encryption = RecordEncryption(
            self.source, Key.load(job.key_file), job.header
        )

    def process(self, block):
        split, shard, start, number, count = block
        batches = self.source.read(split, shard, start)
        parts, done = [], 0
        for batch in itertools.islice(batches, BATCHES):
            data, examples = self.encryption(batch, number + done)
            parts.append(data)
            done += examples
        name = f"{split}-{shard}-{start}.block"
        write_file(pathlib.Path(self.job.folder, name), b"".join(parts))
        yield split, shard, start, done, name


def encrypt_dataset(
    source,
    out,
    key_file,
    cipher=DEFAULT_CIPHER,
    *,
    receipt=None,
    pipeline_options=None,
    **settings,
):
    """`tfpe.dataset.encrypt_dataset` as a Beam pipeline: the same files, any workers.

    Args:
        source, out, cipher, receipt: as of `tfpe.dataset.encrypt_dataset`.
        key_file: path of a key file that every worker can read.
        pipeline_options: of Beam: the runner (Flink, Spark, Dataflow, local) and the
            number of its workers.
        **settings: the other arguments of `tfpe.dataset.encrypt_dataset`, but for
            `progress` and `workers`, and options of the cipher.

    Returns:
        A `tfpe.dataset.Summary`. A killed run begins anew.

    Raises:
        TfpeError: as `tfpe.dataset.encrypt_dataset`.
    """
    plan = plan_from(source, out, Key.load(key_file), cipher, **settings)
    arguments = source, settings.get("data_dir"), key_file, pipeline_options
    return carry_out(plan, _run, *arguments, receipt=receipt)


def _run(plan, source, data_dir, key_file, pipeline_options):
    with work_folder(plan.final) as work:
        job = Job(
            source=str(source),
            data_dir=data_dir and str(data_dir),
            key_file=str(pathlib.Path(key_file).resolve()),
            header=plan.header,
            folder=str(work.resolve()),
        )
        for left in [*work.glob("*.block"), *work.glob("*.partial")]:
            left.unlink()
        with beam.Pipeline(options=pipeline_options) as pipeline:
            pipeline | beam.Create(list(blocks(plan.source))) | Encrypt(job)
        shards = _join(plan, work)
        write_metadata(work, plan.key, plan.header, shards, plan.features)
        finish(work, plan.final)
    return plan.summary(plan.source.total)


def blocks(source):
    """The pieces of work: what goes into `Encrypt`."""
    most = BATCHES * batch_size(source.image_shape)
    for split, shard, number in numbered_shards(source.splits):
        length = source.splits[split][shard]
        for start in range(0, length, most):
            yield split, shard, start, number + start, min(most, length - start)


def _join(plan, work):
    """Joins the files of the blocks to shards; returns entries for the manifest."""
    shards = {}
    for (split, shard), found in itertools.groupby(
        blocks(plan.source), key=lambda block: block[:2]
    ):
        lengths = plan.source.splits[split]
        path = work / shard_name(plan.header["name"], split, shard, len(lengths))
        with output_errors(path), open(path, "wb") as file:
            for _, _, start, _, _ in found:
                block = work / f"{split}-{shard}-{start}.block"
                file.write(block.read_bytes())
                block.unlink()
            size = file.tell()
        shards[path.name] = {
            "examples": lengths[shard],
            "bytes": size,
            "tag": tag_file(plan.key, path),
        }
    return shards
