"""Training of a learned attack: seeded, in slices, the same whether interrupted or not.

A run is a number of steps. Where it is stopped it leaves its state beside the file that
it is to write, and goes on from there: batches depend on their step alone, and the
state holds all else.
"""

import json
import math
import pathlib
import time
import zlib

import keras
import numpy as np

from tfpe.attacks.learned.forms import RATES, STEPS
from tfpe.attacks.learned.inverse import InverseNetwork, load_arrays
from tfpe.attacks.learned.network_file import read_network, write_network
from tfpe.attacks.learned.pairs import Pairs, Unpaired, held_out_pairs
from tfpe.attacks.learned.players import compile_players, players
from tfpe.attacks.learned.polarity_network import choice_loss
from tfpe.attacks.learned.published_networks import PUBLISHED, compile_itn
from tfpe.attacks.scoring import as_json, score_images
from tfpe.errors import AttackError
from tfpe.metrics.perceptual_similarity import mean_lpips

ROUND = 50  # steps between looks at the clock
KEEP_SECONDS = 30  # of work that a killed run may lose
HELD_OUT, FEWEST = 500, 20  # pictures
BATCH_SIZE = 32
UNFINISHED = ".unfinished"
# What guesses of the key, and of the values of each pixel, weigh beside the picture.
GUESSES, CHOICES = 0.2, 0.3
WINDOW, C1, C2 = 7, 0.01**2, 0.03**2  # of SSIM, of values up to 1
STRUCTURE = 0.1  # what 1 - SSIM weighs beside the mean error


def learn(
    form,
    pictures,
    path,
    *,
    name="pictures",
    steps=None,
    batch_size=None,
    learning_rate=None,
    seed=0,
    minutes=None,
    progress=None,
    ciphertexts=None,
    **sizes,
):
    """Trains a network on public pictures under fresh keys, and writes its file.

    Args:
        form: a `tfpe.attacks.learned.forms.Form`.
        pictures: `uint8 (N, H, W, C)`, none of them a victim's; a tenth, at most 500,
            is held out to tell how good the attack is.
        path: of the file; where it is there already it is read.
        name: of the pictures, in words.
        steps: of the whole run; default by the kind of network, or as published.
        batch_size: pairs of a step, 32, or as published.
        learning_rate: the largest; default by the kind of network.
        seed: of weights, pictures and keys.
        minutes: stop after that time; the same call goes on later.
        progress: called with (steps done, steps, loss).
        ciphertexts: `uint8 (N, H, W, C)` of a victim, from which a published GAN learns
            with plain pictures of others; default those made under fresh keys. Nothing
            is held out then: nobody here can score what it shows.
        **sizes: of the network; or `published`, the name of another one, and `width`.

    Returns:
        An `InverseNetwork`, or None where the time was not enough.

    Raises:
        AttackError: there are too few pictures, an unknown `published`, a file of
            another run is in the way, or the loss became NaN.
    """
    started, path = time.monotonic(), pathlib.Path(path)
    sizes = json.loads(json.dumps(sizes))  # as they come out of a file
    published = PUBLISHED.get(sizes.get("published"))
    if published is None and "published" in sizes:
        raise AttackError(
            f"`published` should be one of {list(PUBLISHED)}. "
            f"Received: {sizes['published']!r}"
        )
    if learning_rate is None:
        learning_rate = published.rate if published else RATES[form.family]
    if batch_size is None:
        batch_size = published.batch_size if published else BATCH_SIZE
    _check_evidence(form, ciphertexts, published)
    if pictures.shape[1:] != form.image_shape or len(pictures) < FEWEST:
        raise AttackError(
            f"Pictures to learn from should be {FEWEST} or more of shape "
            f"{form.image_shape}. Received: {len(pictures)} of {pictures.shape[1:]}"
        )
    held_out, pictures = np.split(pictures, [min(HELD_OUT, len(pictures) // 10)])
    if steps is None:
        steps = STEPS[form.family]
        if published:
            steps = max(1, published.epochs * len(pictures) // batch_size)
    settings = {
        "cipher": form.cipher,
        "options": dict(form.options),
        "image_shape": list(form.image_shape),
        "network": sizes,
        "pictures": name,
        "count": len(pictures),
        "checksum": _checksum(pictures),
        "steps": steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
    }
    if ciphertexts is not None:
        settings["ciphertexts"] = [len(ciphertexts), _checksum(ciphertexts)]
    if path.exists():
        found = InverseNetwork.load(path)
        _check_same(path, found.settings, settings)
        return found

    keras.utils.set_random_seed(seed)
    model = form.build(**sizes)
    taught = model
    if published and published.judge:
        taught = players(model, form, published, sizes.get("width"))
    _compile(taught, steps, learning_rate, published)
    kept, done, before = path.with_name(path.name + UNFINISHED), 0, 0.0
    if kept.exists():
        state, arrays = read_network(kept)
        _check_same(kept, state, settings)
        done, before = state["done"], state.get("seconds", 0.0)
        load_arrays([*taught.variables, *taught.optimizer.variables], arrays)
    saved, first = started, done
    while done < steps:
        last = min(steps, done + ROUND)
        given = form, pictures, batch_size, seed, done, last
        if taught is model:
            batches = Pairs(*given, outputs=list(model.output))
        else:
            batches = Unpaired(*given, ciphertexts)
        if done == first:
            _make_variables(taught, batches)
        loss = taught.fit(batches, shuffle=False, verbose=0).history["loss"][0]
        if not math.isfinite(loss):
            raise AttackError(
                f"The loss should stay a number. Received: none at step {last}; take a "
                "lower `learning_rate`"
            )
        done, now = last, time.monotonic()
        if progress:
            progress(done, steps, loss)
        time_is_up = minutes is not None and now - started >= 60 * minutes
        if done < steps and (time_is_up or now - saved > KEEP_SECONDS):
            arrays = [*taught.variables, *taught.optimizer.variables]
            seconds = before + now - started
            _write(kept, settings | {"done": done, "seconds": seconds}, arrays)
            saved = now
        if done < steps and time_is_up:
            return None
    trained = InverseNetwork(
        settings, [keras.ops.convert_to_numpy(one) for one in model.variables]
    )
    trained.seconds = before + time.monotonic() - started
    # Of one key, that nobody here has, no other ciphertexts can be made.
    settings["held_out"] = {"count": 0, "ssim": None, "constant": {}}
    if ciphertexts is None:
        settings["held_out"] = _held_out_scores(trained, held_out, pictures, seed)
    _write(path, settings, model.variables)
    kept.unlink(missing_ok=True)
    return trained


def learn_from_pairs(
    form, plain, ciphertexts, *, steps=None, batch_size=32, seed=0, **sizes
):
    """Trains the same network on pairs that leaked under one key, and nothing else.

    Args:
        form: a `Form`.
        plain, ciphertexts: `uint8 (k, H, W, C)` each.
        steps: default a quarter of those of `learn`.
        batch_size, seed, **sizes: as of `learn`.

    Returns:
        A function from ciphertexts under that key to pictures, `uint8 (B, H, W, C)`.
    """
    steps = steps_of_pairs(form) if steps is None else steps
    keras.utils.set_random_seed(seed)
    model = form.build(**sizes)
    # Nobody tells it the key: what it guesses of that is not taught.
    shown = {n: model.output[n] for n in model.output if n in ("picture", "choices")}
    taught = keras.Model(model.input, shown)
    _compile(taught, steps, RATES[form.family])
    pairs = Pairs(form, plain, batch_size, seed, 0, steps, ciphertexts, list(shown))
    _make_variables(taught, pairs)
    taught.fit(pairs, shuffle=False, verbose=0)
    settings = {
        "cipher": form.cipher,
        "options": dict(form.options),
        "image_shape": list(form.image_shape),
        "network": sizes,
    }
    weights = [keras.ops.convert_to_numpy(one) for one in model.variables]
    return InverseNetwork(settings, weights)


def steps_of_pairs(form):
    """The steps of `learn_from_pairs` where none are given."""
    return STEPS[form.family] // 4


def constant_picture(pictures):
    """The one picture that is nearest to all: their median, value by value."""
    return np.median(pictures[:10_000], axis=0).astype(np.uint8)


def _held_out_scores(trained, plain, pictures, seed):
    """Scores on pictures not learned from, beside those of the best constant one."""
    shown = trained(held_out_pairs(trained.form, plain, seed))
    constant = np.broadcast_to(constant_picture(pictures), plain.shape)
    return {
        "count": len(plain),
        **_scores(shown, plain),
        "constant": _scores(constant, plain),
    }


def _scores(shown, plain):
    return as_json(score_images(shown, plain)) | {"lpips": mean_lpips(shown, plain)}


def _checksum(images):
    return f"{zlib.crc32(np.ascontiguousarray(images).data):08x}"


def _check_evidence(form, ciphertexts, published):
    """Ciphertexts are for GANs, and of the size of what the network is built for."""
    if ciphertexts is None:
        return
    if published is None or not published.judge:
        names = [name for name, one in PUBLISHED.items() if one.judge]
        raise AttackError(
            "Ciphertexts without their pictures should be for a network that learns "
            f"from such: `published` one of {names}. Received: another"
        )
    if ciphertexts.shape[1:] != form.image_shape:
        raise AttackError(
            f"Ciphertexts should be of the shape of the pictures, {form.image_shape}. "
            f"Received: {ciphertexts.shape[1:]}"
        )


def _check_same(path, there, settings):
    # Of none, settings hold nothing; a file may be of some.
    names = sorted({*settings, "ciphertexts"})
    different = [name for name in names if there.get(name) != settings.get(name)]
    if different:
        raise AttackError(
            f"{path} should be of this run. Received: a file of another "
            f"{', '.join(different)}; move it away, or name another file"
        )


def _write(path, settings, variables):
    arrays = [keras.ops.convert_to_numpy(variable) for variable in variables]
    write_network(path, settings, arrays)


def _compile(model, steps, learning_rate, published=None):
    if published is not None and published.judge:
        return compile_players(model, published, learning_rate)
    if published is not None:
        return compile_itn(model, learning_rate)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, steps - steps // 20),
        warmup_target=learning_rate,
        warmup_steps=steps // 20,
    )
    losses, weights = {"picture": picture_loss}, {"picture": 1.0}
    for name, output in model.output.items():
        if name == "choices":
            losses[name], weights[name] = choice_loss, CHOICES
        elif name != "picture":
            losses[name] = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            weights[name] = GUESSES / math.log(output.shape[-1])
    model.compile(
        keras.optimizers.Adam(rate, global_clipnorm=1.0),
        loss=losses,
        loss_weights=weights,
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    model.optimizer.build(model.trainable_variables)


def _make_variables(model, batches):
    """Makes the means of several losses before TensorFlow traces a step.

    A step that makes variables is traced once more, and each trace takes seconds. The
    other backends make them by themselves.
    """
    if keras.backend.backend() == "tensorflow":
        inputs, wanted = keras.tree.map_structure(lambda of: of[:1], batches[0])
        model.compute_loss(y=wanted, y_pred=model(inputs))


def picture_loss(plain, shown):
    """Mean absolute error, and a tenth of what the structural similarity lacks.

    Its windows are flat, and every second one: Keras's, of 11 x 11 weights around each
    pixel, takes a third of the time of a step.
    """
    ops = keras.ops
    error = ops.mean(ops.absolute(plain - shown), axis=(1, 2, 3))
    products = [plain, shown, plain * plain, shown * shown, plain * shown]
    means = ops.average_pool(ops.concatenate(products, axis=-1), WINDOW, strides=2)
    m1, m2, squares1, squares2, mixed = ops.split(means, 5, axis=-1)
    product, squares = m1 * m2, m1 * m1 + m2 * m2
    similar = (2 * product + C1) * (2 * (mixed - product) + C2)
    similar = similar / ((squares + C1) * (squares1 + squares2 - squares + C2))
    return error + STRUCTURE * (1 - ops.mean(similar, axis=(1, 2, 3)))
