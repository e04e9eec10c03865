"""Learned attacks on the command line: trained, used, evaluated, refused."""

import json

import numpy as np
import pytest
from image_folders import CHINA, save
from learned_forms import eagerly

from tfpe import Key
from tfpe.attacks.learned import learning
from tfpe.attacks.learned.forms import form_of
from tfpe.attacks.learned.inverse import InverseNetwork
from tfpe.attacks.learned.learning import learn
from tfpe.cli import main
from tfpe.files import encrypt_folder
from tfpe.lab.evaluation.curves import measure_curve
from tfpe.lab.evaluation.learned_attacks import attack_file
from tfpe.lab.evaluation.pictures import load_pictures
from tfpe.lab.records import environment, read_record, typed
from tfpe.lab.tables.learned_attacks_table import learned_attack_tables
from tfpe.lab.tables.strongest_outcomes import most_seen, outcomes

SIZE = 16
COMPILED = learning._compile


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """`public` and `mine`, 100 pictures; `encrypted`, mine under a key for each."""
    folder = tmp_path_factory.mktemp("learned")
    rows, columns = range(0, 400, SIZE), range(0, 64, SIZE)
    pictures = [CHINA[r : r + SIZE, c : c + SIZE] for r in rows for c in columns]
    save(
        folder / "public", {f"{k}.png": image for k, image in enumerate(pictures[:60])}
    )
    save(folder / "mine", {f"{k}.png": image for k, image in enumerate(pictures[60:])})
    key = Key.generate()
    key.save(folder / "owner.key")
    given = {"cipher": "pbe", "per_image": True}
    assert not encrypt_folder(
        folder / "mine", folder / "encrypted", key, **given
    ).failed
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    monkeypatch.setattr(learning, "_compile", eagerly(COMPILED))
    # A look at the clock after each step.
    monkeypatch.setattr("tfpe.attacks.learned.learning.ROUND", 1)
    return made


TRAIN = [
    *("attack", "inverse_network", "--train", "public", "--cipher", "pbe"),
    *("--model", "pbe.attack", "--steps", "2", "-q"),
]
NO_NEARER = "What it shows is no nearer to the pictures than"
ATTACK = ["attack", "inverse_network", "--model", "pbe.attack", "encrypted", "-q"]


def test_an_attack_is_trained_and_opens_a_folder_of_fresh_keys(folder, capsys):
    assert main([*TRAIN, "--minutes", "0"]) == 3
    assert "the same command goes on" in capsys.readouterr().err
    assert not (folder / "pbe.attack").exists()
    assert main(TRAIN) == 0
    told = capsys.readouterr()
    assert "not learned from" in told.out and "pbe.attack" in told.err
    assert main([*ATTACK, "-o", "opened", "--truth", "mine", "--json"]) == 0
    told = capsys.readouterr()
    summary = json.loads(told.out)
    assert summary["scored"] == 40 and summary["cipher"] == "pbe"
    assert summary["evidence"] == {
        "kind": "ciphertexts",
        "count": 40,
        "verifying": 0,
    }
    assert "Trained on 54 pictures of public" in told.err
    assert len(list((folder / "opened").glob("*.png"))) == 40


def test_a_training_is_recorded_with_its_scores(folder, capsys):
    train = [*TRAIN[:6], *TRAIN[8:], "--model", "own.attack", "--record", "own.json"]
    assert main([*train, "--minutes", "0"]) == 3
    assert not (folder / "own.json").exists()
    assert main(train) == 0
    record, own = read_record("own.json"), InverseNetwork.load("own.attack").settings
    seconds = record["results"].pop("seconds")  # of the second of two slices at least
    assert record["results"] == own["held_out"] and own["held_out"]["ssim"] is not None
    assert record["settings"]["cipher_options"] == {"channel_shuffle": True}
    found = typed(record).settings
    assert (found.attack, found.steps, found.count) == ("inverse_network", 2, 54)
    record["results"]["seconds"] = seconds
    [table] = learned_attack_tables([typed(record)])
    assert [cell.text for cell in table.rows[0]][:5] == [
        *("pbe", "inverse_network", "2", "32", f"{seconds / 60:.0f}")
    ]
    # Before the training: no record is lost, none is of a machine that did not train.
    capsys.readouterr()
    assert main([*train, "--force"]) == 1
    assert "--model a new file" in capsys.readouterr().err
    assert main([*train, "--model", "new.attack"]) == 1
    assert "own.json, which exists" in capsys.readouterr().err
    assert read_record("own.json") == record and not (folder / "new.attack").exists()


def test_a_published_gan_learns_from_the_ciphertexts_of_a_victim(
    folder, capsys, monkeypatch
):
    monkeypatch.setattr(learning, "_compile", COMPILED)
    train = [*TRAIN[:7], "gan.attack", "--published", "gan", "--steps", "1", "-q"]
    assert main([*train, "encrypted", "--record", "gan.json"]) == 0
    told = capsys.readouterr()
    assert "Nothing is held out" in told.err and not told.out
    other = [
        *train[:7],
        "other.attack",
        *train[8:],
        "--option",
        "channel_shuffle=false",
    ]
    assert main([*other, "encrypted"]) == 1
    assert "--option should be that of CIPHERTEXTS" in capsys.readouterr().err
    record = typed(read_record("gan.json"))
    assert record.settings.attack == "gan" and record.settings.ciphertexts is True
    assert record.results.ssim is None
    attack = [*ATTACK[:3], "gan.attack", *ATTACK[4:]]
    assert main([*attack, "--truth", "mine", "--json"]) == 0
    told = capsys.readouterr()
    assert "of public and 40 ciphertexts" in told.err
    assert json.loads(told.out)["scored"] == 40


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([*ATTACK, "--cipher", "etc"], "one for pbe, ciphertexts of etc"),
        (ATTACK[:2] + ["encrypted"], "--model FILE"),
        ([*ATTACK, "-k", "owner.key"], "--truth"),
        ([*ATTACK, "--save-transform", "key.npz"], "no key to save"),
        ([*TRAIN[:4], *TRAIN[6:]], "--cipher"),
        ([*TRAIN, "--option", "channel_shuffle=false"], "another options"),
        (["attack", "mode_filter", *TRAIN[2:]], "such as inverse_network"),
        ([*TRAIN, "--record", "learned.txt"], "a .json file"),
        ([*TRAIN, "--record", "", "--force"], "a .json file"),
        ([*TRAIN[:7], "x.json", *TRAIN[8:], "--record", "./x.json"], "two files"),
        (["attack", "--record", "r.json"], "without it"),
        ([*ATTACK, "--record", "learned.json"], "without it"),
        ([*TRAIN, "encrypted"], "--published one of ['gan', 'sia-gan']"),
        ([*TRAIN[:5], "etc", *TRAIN[6:], "encrypted"], "that of CIPHERTEXTS, pbe"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(folder, capsys, arguments, said):
    if not (folder / "pbe.attack").exists():
        main(TRAIN)
    capsys.readouterr()
    assert main(arguments) == 1
    assert said in capsys.readouterr().err


def test_evaluations_name_what_they_leave_out(folder, capsys):
    evaluate = ["evaluate", "public", "--cipher", "pbe", "--json", "-q"]
    evaluate += ["--images", "28"]
    assert main(evaluate) in (0, None)
    told = capsys.readouterr()
    assert "Left out without --learned: inverse_network" in told.err
    record = json.loads(told.out)
    assert record["results"]["left_out"] == ["inverse_network"]
    assert main([*evaluate, "--learned", "kept", "--minutes", "0"]) == 1
    assert "the same command goes on" in capsys.readouterr().err
    assert np.any(
        [
            p.name.startswith("inverse_network-pbe-16x16")
            for p in (folder / "kept").iterdir()
        ]
    )


def test_a_network_trained_apart_stands_beside_the_jigsaw_solver(folder, capsys):
    """The scorecard shows the nearer picture of the two."""
    kept = attack_file("kept", "etc", (SIZE, SIZE), block_size=8)
    of = ["--cipher", "etc", "--option", "block_size=8", "-q"]
    small = {"steps": 1, "batch_size": 2, "width": 16, "depth": 1}
    public, shape = load_pictures("public"), (SIZE, SIZE, 3)
    learn(form_of("etc", shape, block_size=8), public.evidence, kept, **small)
    evaluate = ["evaluate", "mine", "--images", "8", "--json", "--learned", "kept"]
    capsys.readouterr()
    assert main([*evaluate, *of]) in (0, None)
    record = typed(json.loads(capsys.readouterr().out))
    found = {one.attack: one for one in outcomes(record)}
    both = found["jigsaw"], found["inverse_network"]
    seen = [one.ssim for one in both if one.ssim is not None]
    assert found["inverse_network"].ssim in seen
    assert most_seen(both).ssim == max(seen)
    other = [*of[:3], "block_size=4", "-q"]
    kept.rename(attack_file("kept", "etc", (SIZE, SIZE), block_size=4))
    assert main([*evaluate, *other]) == 1
    assert "block_size" in capsys.readouterr().err


def test_what_all_pictures_look_like_is_no_finding(folder, capsys, monkeypatch):
    """A gray field is nearer to pictures than noise is, whatever was encrypted."""
    kept = attack_file("kept", "etc", (SIZE, SIZE), block_size=8)
    public, shape = load_pictures("public"), (SIZE, SIZE, 3)
    small = {"steps": 1, "batch_size": 2, "width": 16, "depth": 1}
    learn(form_of("etc", shape, block_size=8), public.evidence, kept, **small)
    mine = load_pictures("mine", count=8)
    constant = np.median(mine.evidence, axis=0).astype(np.uint8)
    answers = iter(
        [np.broadcast_to(constant, mine.scored.shape), mine.scored // 2 + 64]
    )
    monkeypatch.setattr(InverseNetwork, "__call__", lambda *_: next(answers))
    evaluate = ["evaluate", "mine", "--images", "8", "--json", "--learned", "kept"]
    told = []
    for _ in range(2):
        capsys.readouterr()
        option = ["--option", "block_size=8", "-q"]
        assert main([*evaluate, "--cipher", "etc", *option]) in (0, None)
        record = typed(json.loads(capsys.readouterr().out))
        [row] = [one for one in outcomes(record) if one.attack == "inverse_network"]
        told.append((row.outcome, row.message))
    assert told[0] == ("failed", f"{NO_NEARER} one picture for all is")
    assert told[1] == ("partial", None)


def test_a_network_is_not_scored_on_pictures_that_it_may_have_learned_from(
    folder, capsys
):
    kept = attack_file("apart", "pbe", (SIZE, SIZE))
    assert main([*TRAIN[:7], str(kept), *TRAIN[8:]]) == 0
    capsys.readouterr()
    evaluate = ["evaluate", "public", "--cipher", "pbe", "--learned", "apart", "-q"]
    assert main(evaluate) == 1
    assert "of another checksum, count" in capsys.readouterr().err
    images = np.full((2, SIZE, SIZE, 3), 7, np.uint8)
    labels = np.zeros(2, int)
    parts = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    np.savez("set.npz", **parts)
    splits = None, "train", "test"
    names = [load_pictures("set.npz", split=split).drawn_from for split in splits]
    assert names == ["set, test", "set, train", "set, test"]


def test_leaked_pairs_teach_a_network_as_they_give_a_key(folder, monkeypatch):
    """A point for each number of pairs, as of the exact attack beside it."""
    monkeypatch.setattr("tfpe.attacks.learned.learning.STEPS", {"polarities": 8})
    pictures = load_pictures("public")
    for attack in ("inverse_network", "known_plaintext"):
        record = measure_curve(attack, "pbe", pictures, counts=[2, 4], keys=1)
        points = typed(record | {"environment": environment()}).results.points
        assert [point.evidence for point in points] == [2, 4]
        assert record["settings"]["evidence_kind"] == "pairs"
        assert record["settings"]["threat_model"] == "known plaintext"
        learns = attack == "inverse_network"
        assert record["settings"].get("steps") == (2 if learns else None)
        assert all(0 <= point.error < 255 for point in points)
    assert "ssim" not in record["results"]["points"][0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("split", "train"), ("data-dir", "sets"), ("images", "9"), ("steps", "9")),
        *(("published", "itn"), ("minutes", "1"), ("record", "r.json"), ("seed", "1")),
    ],
)
def test_options_of_a_training_are_refused_without_one(name, value, capsys):
    assert main(["attack", "ciphertext_only", "encrypted", f"--{name}", value]) == 1
    assert f"--{name} should be of a training" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given",
    [
        *(["--plain", "p"], ["--cipher-folder", "c"], ["--reference", "r"]),
        *(["--plain-model", "p"], ["--matched-model", "m"], ["--first-pixel", "1,2,3"]),
        *(["--make-queries", "q"], ["--answers", "a"], ["--table", "t"], ["-o", "out"]),
        *(["--attack-option", "bits=4"], ["--truth", "t"], ["--figure", "f.png"]),
        *(["--key", "k"], ["--save-transform", "s.npz"], ["--strict"]),
    ],
    ids=lambda given: given[0],
)
def test_options_of_other_attacks_are_refused_beside_a_training(given, folder, capsys):
    assert main([*TRAIN, *given]) == 1
    error = capsys.readouterr().err
    assert "A training should be given no" in error and given[0] in error


def test_a_training_names_its_attack(capsys):
    assert main(["attack", "--train", "public", "--cipher", "pbe"]) == 1
    assert "Received: no NAME" in capsys.readouterr().err
