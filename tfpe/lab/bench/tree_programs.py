"""Programs that `tfpe bench --before` runs in two checkouts, in words that both know.

Each prints its measurements, and what both should have made alike: a digest of pixels,
or losses. The later checkout compares some of it with an oracle, which of a training is
the same without a compiler: the earlier one may have none.
"""

from tfpe.lab.bench.waits import PEAK_CODE

HEAD = (
    """
import hashlib, json, pathlib, sys, time
import numpy as np
import tfpe
from tfpe.files import encrypt_folder
checks_oracle = sys.argv[2] == "now"  # the other's pixels are compared with these
key = tfpe.Key(bytes(range(32)))
arguments = json.loads(sys.argv[1])
clock = time.process_time

def digest_of(pixels):
    return hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest()

def timed(run):
    start = clock()
    result = run()
    return clock() - start, result
"""
    + PEAK_CODE
)
PHOTOGRAPH = """
from tfpe.ciphers import CIPHERS
name, shape = arguments
image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
ready = lambda transform: getattr(transform, "prepare", lambda: transform)()
setup, transform = timed(lambda: ready(CIPHERS[name](key, shape)))
first, cipher = timed(lambda: transform(image))
again, _ = timed(lambda: transform(image))
inverse, back = timed(lambda: ready(transform.inverse))
undone, plain = timed(lambda: back(cipher))
assert np.array_equal(plain, image)
if checks_oracle:
    from tfpe.lab.bench.oracle_samples import require_oracle
    require_oracle(name, transform, image, cipher)
seconds = {"set-up": setup, "set-up and first image": setup + first}
seconds |= {"each image": again, "inverse and its first image": inverse + undone}
print(json.dumps([seconds, digest_of(cipher)]))
"""
FOLDER = """
from PIL import Image
source, out, name = arguments
clock = time.perf_counter
encrypt = lambda: encrypt_folder(source, out, key, cipher=name)
seconds, _ = timed(encrypt)
files = sorted(pathlib.Path(out).glob("*.png"))
assert len(files) == len(list(pathlib.Path(source).iterdir()))
found = {"seconds": seconds, "peak": peak_bytes() / 1e6}
if checks_oracle:
    from tfpe.lab.bench.oracle_samples import require_file
    for file in (files[0], files[-1]):
        [plain] = pathlib.Path(source).glob(file.stem + ".*")
        require_file(name, key, plain, file)
digests = [digest_of(np.asarray(Image.open(file))) for file in files]
print(json.dumps([found, digest_of(np.frombuffer("".join(digests).encode(), "u1"))]))
"""
DATASETS = """
import tensorflow  # which TFDS imports late: not in the time that is measured
import tensorflow_datasets as tfds
from tfpe.dataset import encrypt_dataset
source, data_dir, images, out, name, per_image = arguments
clock = time.perf_counter
where = {"data_dir": data_dir, "per_image": per_image}
run = lambda: encrypt_dataset(source, out, key, name, **where)
seconds, done = timed(run)
with np.load(images) as file:
    plain = file["x_train"]
assert done.written == len(plain)
[info] = pathlib.Path(out).glob("*/*/dataset_info.json")
found = tfds.builder_from_directory(info.parent).as_dataset("train")
examples = list(found.as_numpy_iterator())
if checks_oracle:
    from tfpe.ciphers import CIPHERS
    from tfpe.dataset.encrypted import NUMBER
    from tfpe.manifests.set_manifest import image_keys, read_manifest
    keys = image_keys(key, read_manifest(info.parent, key)) if per_image else None
    for count, example in enumerate(examples[:8]):
        number = int(example[NUMBER]) if per_image else count
        own = keys.for_image(number) if per_image else key
        oracle = CIPHERS[name](own, plain.shape[1:]).definition
        assert np.array_equal(example["image"], oracle(plain[number])), "oracle"
pixels = [example["image"] for example in examples]
print(json.dumps([{"seconds": seconds}, digest_of(pixels)]))
"""
# Both programs run once before they are timed: to compile takes longer than to encrypt.
PIPELINES = """
import tensorflow as tf
from tfpe import data
from tfpe.ciphers import CIPHERS
name, shape, repeated = arguments
images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
transform = CIPHERS[name](key, tuple(shape[1:]))
program, batch = tf.function(transform, jit_compile=True), tf.constant(images)
batches = tf.data.Dataset.from_tensor_slices(images).repeat(repeated).batch(256)
stream = data.encrypt(batches, key, name)
cipher = program(batch).numpy()
streamed = np.concatenate(list(stream.as_numpy_iterator()))
assert np.array_equal(streamed, np.concatenate([cipher] * repeated))
if checks_oracle:
    assert np.array_equal(cipher, transform.definition(images)), "oracle"
compiled, _ = timed(lambda: [program(batch).numpy() for _ in range(repeated)])
through, _ = timed(lambda: sum(1 for _ in stream))
seconds = {f"{repeated} times through XLA": compiled}
seconds |= {f"{repeated} times through tf.data": through}
print(json.dumps([seconds, digest_of(cipher)]))
"""
# As `python -m training` begins; a step is from the end of one to the end of the next.
# The third loss follows an update: at first the rate is 0.
TRAINING = """
import importlib, os
backend, count, steps, changes = arguments
os.environ["KERAS_BACKEND"] = backend
for place, quicken in (
    ("tfpe.cli.cpu_steps", "quicken_steps"),
    ("tfpe.cli.memory", "keep_memory_of_steps"),  # as it was called at first
):
    try:
        getattr(importlib.import_module(place), quicken)()
        break
    except ModuleNotFoundError as error:
        assert error.name == place and not checks_oracle
import keras
from training.recipes import find_recipe
from training.train import build_model, compile_model
assert keras.backend.backend() == backend
rng = np.random.default_rng(0)
images = rng.integers(0, 256, (count, 32, 32, 3), np.uint8)
labels = rng.integers(0, 10, count).astype("int32")

class Same(keras.utils.PyDataset):
    def __len__(self):
        return 1 + steps
    def __getitem__(self, step):
        return images, labels

class Ends(keras.callbacks.Callback):
    async_safe = True
    def on_train_begin(self, logs=None):
        self.losses, self.times = [], []
    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(float(logs["loss"]))
        self.times.append(time.perf_counter())

def compiled_model():
    keras.utils.set_random_seed(0)
    model = build_model(images.shape[1:], 10, recipe)
    compile_model(model, recipe, steps)
    return model

recipe, ends = find_recipe("small", **changes), Ends()
model = compiled_model()
fit = lambda: model.fit(Same(), shuffle=False, verbose=0, callbacks=[ends])
fit()  # compiles
losses = ends.losses[:3]
fit()
assert np.isfinite(ends.losses).all()
seconds = (ends.times[-1] - ends.times[0]) / steps
parameters = model.count_params()
if checks_oracle:  # once more, and nothing compiled
    model, steps = compiled_model(), 2
    model.run_eagerly, model.jit_compile = True, False
    fit()
    assert np.allclose(losses, ends.losses, rtol=1e-3), "oracle"
print(json.dumps([{"seconds": seconds}, [parameters, *losses]]))
"""
