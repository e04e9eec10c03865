"""Figures in sentences of README and docs are those of the records, as tables are."""

import pathlib
import statistics

import pytest

from tfpe.attacks.learned.forms import STEPS, form_of
from tfpe.lab.records import load_records, of_kind
from tfpe.lab.records.attack_records import AttackCurve, Evaluation
from tfpe.lab.records.frontier_records import Frontier
from tfpe.lab.records.learned_records import LearnedAttack
from tfpe.lab.records.speed_records import Bench, DatasetBench
from tfpe.lab.records.training_records import MatchedSpeed, Training, TrainingSpeed

ROOT = pathlib.Path(__file__).parents[1]
RECORDS = load_records(ROOT / "results")


def epochs_of(
    cipher, recipe="small", data="cifar10", fresh=False, views=0, smoothing=0
):
    """The best validation epochs of trainings of a cipher, one of each seed."""
    wanted = cipher, recipe, data, fresh, views
    return [
        record.results.best_validation
        for record in of_kind(RECORDS, Training)
        for one in [record.settings]
        if (one.cipher, one.recipe, one.dataset, one.per_image, one.views) == wanted
        and record.results.train_images == 45_000
        and not one.other_options
        and (one.stated.get("label_smoothing") or 0) == smoothing
    ]


def accuracy(*which, **more):
    """Test accuracy in %, the mean of the seeds."""
    found = [epoch.test_accuracy for epoch in epochs_of(*which, **more)]
    return 100 * statistics.fmean(found)


def kept(name, data, chance):
    """The share in % of plain accuracy above chance."""
    own, plain = accuracy(name, data=data), accuracy("plain", data=data)
    return 100 * (own - chance) / (plain - chance)


def frontier(name):
    [found] = [r for r in of_kind(RECORDS, Frontier) if r.settings.name == name]
    return found.results


def learned(name):
    """SSIM of the learned attack on a setting of the frontier."""
    attacks = {one.attack: one for one in frontier(name).attacks}
    return attacks["inverse_network"].ssim


def held_out(name):
    """SSIM of the network for a cipher, on pictures held out of its training."""
    [found] = [
        record.results.ssim
        for record in of_kind(RECORDS, LearnedAttack)
        if record.settings.row_name == name
        and record.settings.attack == "inverse_network"
    ]
    return found


def tenths(name):
    """How many of ten pictures of a setting are found, in words."""
    share = frontier(name).strongest("identification_rate").identification_rate
    return ("no", "one", "two", "three", "four", "five", "six", "seven")[
        round(10 * share)
    ]


def on_photographs(block_size, attack):
    """SSIM of what an attack makes of photographs under etc."""
    [found] = [
        record.results.attacks
        for record in of_kind(RECORDS, Evaluation)
        if record.settings.images == "photographs"
        and record.settings.row_name == f"etc, block_size {block_size}"
    ]
    return next(one.ssim for one in found if one.attack == attack)


def leaked(cipher, pairs):
    """SSIM of what a network shows that learned from pairs of one key."""
    [found] = [
        point.ssim
        for record in of_kind(RECORDS, AttackCurve)
        if record.settings.attack == "inverse_network"
        and record.settings.row_name == cipher
        for point in record.results.points
        if point.evidence == pairs
    ]
    return found


def speed(backend="tensorflow", compiled=True):
    """Of a step of `small` on two cores; the default is that of TensorFlow."""
    [found] = [
        record.results
        for record in of_kind(RECORDS, TrainingSpeed)
        if (record.settings.backend, record.settings.compiled) == (backend, compiled)
        and record.settings.stated["recipe"] == "small"
    ]
    return found


def of_small(cipher):
    """The time of a step on PyTorch in the network that fits, beside `small`."""
    [rows] = [
        record.results.rows
        for record in of_kind(RECORDS, MatchedSpeed)
        if record.settings.backend == "torch"
    ]
    assert {row.name for row in rows} > {"plain", cipher}
    assert all(row.to_beside <= 1 for row in rows)  # as the sentence says of all
    [found] = [row for row in rows if row.name == cipher]
    assert found.to_beside_range[1] < 1
    return found.to_beside


def minutes(images_per_second):
    """Of the steps of one cipher of `small` on all training images."""
    return 8 * 45_000 / images_per_second / 60


def second_worker():
    """How many times as fast Beam is with two workers, the median of the rounds."""
    [record] = of_kind(RECORDS, DatasetBench)
    seconds = [
        [run.seconds for run in record.results.runs if run.workers == workers]
        for workers in (1, 2)
    ]
    return statistics.median(one / two for one, two in zip(*seconds, strict=True))


def milliseconds_of_a_batch():
    """Of 256 images from memory, without a cipher; the mean of what was measured."""
    [rows] = [
        [row for row in record.results.pipelines if row.source == "memory"]
        for record in of_kind(RECORDS, Bench)
        if record.results.setup and record.results.pipelines
    ]
    return 256e3 * statistics.fmean(r.kept.median / r.images_per_second for r in rows)


def default_steps(settings):
    """The steps of a training of which none are given."""
    options = settings.cipher_options
    return STEPS[form_of(settings.cipher, (32, 32, 3), **options).family]


def minutes_of_default_steps(cores):
    """The least and the most of the trainings that were timed and took so many."""
    found = [
        record.results.minutes
        for record in of_kind(RECORDS, LearnedAttack)
        if record.settings.attack == "inverse_network"
        and record.results.minutes
        and record.environment.cores == cores
        and record.settings.steps == default_steps(record.settings)
    ]
    return min(found), max(found)


def share_of_own_keys():
    """Of a step of `small`, in %: the draw of the keys of its images, the dearest."""
    [drawn] = [
        r.results.own_keys for r in of_kind(RECORDS, Bench) if r.results.own_keys
    ]
    slowest = min(row.images_per_second for row in drawn)
    return 100 * speed().keras_images_per_second / slowest


FIT = "matched"
SENTENCES = {
    "README.md": [
        "here {:.1f} of {:.1f} %, {:.1f} with a key for each image".format(
            accuracy("pbe"), accuracy("plain"), accuracy("pbe", fresh=True)
        ),
        f"| `le` | {accuracy('le', FIT):.1f} %, as that network has on plain images",
        f"the largest loss, published and here ({accuracy('ele'):.1f} %)",
        "SSIM is {:.2f} for pbe, {:.2f} for logistic and {:.2f} for ffx".format(
            *map(learned, ("pbe-cnn", "logistic", "ffx"))
        ),
        f"{tenths('pbe-cnn')} in ten are found among 10,000",
    ],
    "docs/results.md": [
        "le keeps {:.0f} % of the plain accuracy above chance, where it keeps {:.0f} % "
        "on CIFAR-10, and logistic {:.0f} % in place of {:.0f} %".format(
            *(
                kept(name, data, chance)
                for name in ("le", "logistic")
                for data, chance in (("cifar100", 1), ("cifar10", 10))
            )
        ),
        f"as are {tenths('le-4')} in ten of le and {tenths('pbe-folded')} of pbe",
        f"These are {len(of_kind(RECORDS, Frontier))} settings",
        "On two cores TensorFlow with XLA, the default, has {:.1f} of the speed of "
        "plain PyTorch in turn with it, without XLA {:.1f}, JAX {:.1f}.".format(
            *(
                speed(*which).keras_to_torch
                for which in ((), ("tensorflow", False), ("jax",))
            )
        ),
        "those of ele and etc take {:.2f} and {:.2f} of it in the median".format(
            *map(of_small, ("ele", "etc"))
        ),
        f"A batch takes {milliseconds_of_a_batch():.1f} ms without a cipher",
        f"with a second worker** is {second_worker():.1f} times as fast as with one",
        f"take one core {share_of_own_keys():.0f} % of its time, encryption included",
        f"has {leaked('logistic', 1000):.2f}, that of le {leaked('le', 1000):.2f}, and "
        f"those of ele and etc {leaked('ele', 1000):.2f}",
        f"those of ele and etc {leaked('etc', 1000):.2f}",
        f"pairs that of pbe has SSIM {leaked('pbe', 1000):.2f} (500 steps; 9,000 on "
        f"public pictures under fresh keys give {held_out('pbe'):.2f})",
    ],
    "docs/training.md": [
        f"{minutes(speed().keras_images_per_second):.0f} minutes a cipher at the "
        f"[{speed().keras_images_per_second:.0f} images/s](results.md#speed) of a slow "
        f"hour, when plain PyTorch needs "
        f"{minutes(speed().torch_images_per_second):.0f}.",
        f"end at {accuracy('plain', smoothing=0.1):.1f} % with it and at "
        f"{accuracy('plain'):.1f} % without",
        f"(plain {accuracy('plain'):.1f} %) and [CIFAR-100](results.md#cifar-100) "
        f"(plain {accuracy('plain', data='cifar100'):.1f} %)",
        "{:.1f} %, where fresh views give {:.1f}".format(
            *(100 * epochs_of("le", views=views)[0].train_accuracy for views in (1, 0))
        ),
    ],
    "docs/attacks.md": [
        f"pictures of SSIM {on_photographs(16, 'jigsaw'):.2f}, and a network",
        f"from pieces of three others {on_photographs(16, 'inverse_network'):.2f}.",
        f"it fails ({on_photographs(8, 'jigsaw'):.2f}), and a network",
        f"a gray field, whose SSIM is {on_photographs(8, 'inverse_network'):.2f} again",
        f"it has SSIM [{held_out('pbe'):.2f}](results.md#accuracy-against-leakage)",
        f"SSIM [{held_out('logistic'):.2f}](results.md#accuracy-against-leakage) on "
        f"pictures of CIFAR-10, where after 12,000 it is {learned('logistic'):.2f}.",
        "in {:.0f} minutes of two quiet cores (le), or "
        "{:.0f} to {:.0f} of one core beside other work".format(
            minutes_of_default_steps(2)[0], *minutes_of_default_steps(1)
        ),
        f"SSIM {held_out('le'):.2f} (the best constant picture 0.13), "
        f"{learned('le-4'):.2f} after 5,000 steps",
        f"(SSIM {held_out('etc'):.2f} and {learned('etc-4'):.2f})",
        f"({held_out('ele'):.2f} after 1,500 steps, and {learned('ele-4'):.2f} after",
        f"(`--option channel_shuffle=false`): "
        f"{held_out('pbe, channel_shuffle False'):.2f} after 4,000 steps",
    ],
    "docs/matching.md": [
        "with one seed: pbe {:.1f} %, le {:.1f}, etc {:.1f}, ele {:.1f}.".format(
            *(accuracy(name, FIT, fresh=True) for name in ("pbe", "le", "etc", "ele"))
        ),
        "For le and ele it pays: {:.1f} and {:.1f} %, where a PyramidNet straight on "
        "the ciphertext (`--recipe small`) reaches {:.1f} and {:.1f}.".format(
            *(accuracy(name, one) for one in (FIT, "small") for name in ("le", "ele"))
        ),
        "it does not: {:.1f}, {:.1f} and {:.1f} %, where PyramidNet reaches {:.1f}, "
        "{:.1f} and {:.1f}.".format(
            *(
                accuracy(name, one)
                for one in (FIT, "small")
                for name in ("pbe", "logistic", "etc")
            )
        ),
    ],
}


@pytest.mark.parametrize(
    ("file", "sentence"),
    [(file, sentence) for file, found in SENTENCES.items() for sentence in found],
)
def test_sentences_say_what_the_records_hold(file, sentence):
    text = (ROOT / file).read_text()
    words = " ".join(line.removeprefix("- ").strip() for line in text.splitlines())
    assert sentence in words
