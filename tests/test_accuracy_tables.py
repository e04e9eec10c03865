"""Tables of accuracy beside plain images, marks, views and JPEG. Budget: 10 s."""

import json

import numpy as np
import pytest
from test_tables import lines, training

from tfpe.lab.records import read_records
from tfpe.lab.records.reading import read
from tfpe.lab.records.training_records import TrainingSettings
from tfpe.lab.tables.marks import marks_of
from tfpe.lab.tables.rendering import render_table
from training.cli import main
from training.networks.matched import matched_recipe
from training.recipes import find_recipe

LE = {"network": "pyramidnet", "bits": 4, "tied": True, "network_words": "P, le"}
ELE = {"network": "mlp_mixer", "bits": 4, "tied": False, "network_words": "M, ele"}


def matched(cipher, accuracy, network, seed=0, **settings):
    settings = network | {"matched": True, "depth": 3} | settings
    return training(cipher, accuracy, accuracy, seed, **settings)


def test_a_cipher_beside_the_same_network_on_plain_images():
    records = [
        matched("ele", 0.6, ELE),
        matched("plain", 0.80, LE),
        matched("plain", 0.82, LE, seed=1),
        matched("le", 0.815, LE, key_fingerprint="a"),
        matched("le", 0.82, LE, seed=1, key_fingerprint="b"),
        matched("le", 0.1, LE, seed=2),  # no plain run of this seed
        matched("blockshuffle", 0.7, LE | {"bits": 8, "network_words": "P, bytes"}),
        matched("plain", 0.75, LE | {"bits": 8, "network_words": "P, bytes"}),
        training("le", 0.2, 0.2),
    ]
    text = render_table("beside-plain", records)
    _, _, le, ele, blocks = lines(text)
    assert le[:5] == [
        *("le, P, le", "2", "81.75 (81.0 to 82.5)", "81.00 (80.2 to 81.8)", "+0.75")
    ]
    assert le[5:] == ["yes", "10.00"]
    assert ele[1:6] == ["1", "60.00 (59.0 to 61.0)", *["not measured"] * 3]
    assert blocks[4:6] == ["-5.00", "no"]
    assert "P, " not in text.partition("\n\n")[2]  # rows differ in it: no condition


def test_networks_on_folded_pixels_share_the_table_of_the_others():
    folded = {**LE, "normalization": "folded", "network_words": "P, folded"}
    records = [
        matched("le", 0.6, LE | {"normalization": "centered"}),
        matched("plain", 0.5, folded),
        matched("pbe", 0.505, folded, per_image=True),
    ]
    text = render_table("beside-plain", records)
    _, _, _, pbe = lines(text)
    assert pbe[0] == "pbe, a key for each image, P, folded" and pbe[5] == "yes"
    assert "normalization" not in text


def test_all_options_of_the_networks_that_fit_make_rows():
    """What a network chooses for a cipher is no condition of the table."""
    recipe = find_recipe("matched")
    settings = [
        matched_recipe(recipe, cipher, (32, 32, 3), per_image).settings
        for cipher in ("le", "ele", "pbe", "logistic", "etc")
        for per_image in (False, True)
        if (cipher, per_image) != ("logistic", True)
    ]
    records = [
        training("plain", 0.5, 0.5, **{k: v for k, v in one.items() if k != "recipe"})
        for one in settings
    ]
    for record in records:
        record["settings"]["matched"] = True
    assert render_table("training", records).count("| cipher |") == 1


def test_marks_that_are_beaten_and_missed():
    records = [
        training("plain", 0.9, 0.85, train_images=0),
        training("le", 0.9, 0.683, train_images=0),
        training("pbe", 0.9, 0.4, train_images=0, per_image=True),
        training("ele", 0.9, 0.3, train_images=0),
        training("le", 0.9, 0.9, train_images=9000),
        training("le", 0.9, 0.9, train_images=0, views=4),
    ]
    text = render_table("marks dataset=cifar10", records)
    _, _, plain, le, ele, pbe = lines(text)
    assert plain[4:] == [
        "*84.7*<sup>1</sup>, *68.8*<sup>2</sup>",
        "*96.70*<sup>3</sup>",
    ]
    assert le[1:3] == ["68.30 (67.4 to 69.2)", "16.70"]
    assert le[4] == "*68.3*<sup>1</sup>, *52.8*<sup>2</sup>"
    assert le[5].startswith("*94.94*<sup>") and "*83.06*" in ele[5] and ele[4] == "–"
    assert "*33.5*<sup>2</sup>" in ele[5]
    assert "*93.51*" in pbe[5] and pbe[4] == "–"
    assert "8 epochs. <sup>2</sup>" in text and "one seed" in text
    assert "ELE-AdaptNet" in text


def test_marks_of_another_network_are_published_ones_alone():
    def found(**changed):
        settings = {"dataset": "cifar10", "recipe": "small", "cipher": "plain"}
        settings |= {"depth": 20, "alpha": 24.0} | changed
        return [m.text for m in marks_of(read(TrainingSettings, settings, "settings"))]

    assert found() == ["84.7", "68.8", "96.70"]
    assert found(depth=38) == ["96.70"]
    assert found(dataset="cifar100") == ["83.59"]
    assert found(dataset="digits") == []


def test_views_beside_fresh_ones():
    records = [
        training("le", 0.5, 0.5, views=1),
        training("le", 0.55, 0.55, views=4),
        training("le", 0.6, 0.6),
        training("plain", 0.8, 0.8),
        training("pbe", 0.4, 0.4, views=4),
        training("etc", 0.4, 0.4, dataset="digits"),
    ]
    text = render_table("views", records)
    header, _, le, pbe = lines(text)
    assert header == ["cipher", "1 view", "4 views", "fresh"]
    assert [cell[:5] for cell in le] == ["le", "50.00", "55.00", "60.00"]
    assert pbe[1] == pbe[3] == "not measured"
    # The scorecard says what a cipher costs with fresh views.
    assert "view" not in render_table("scorecard", records)
    assert render_table("views", records[2:4]) == "*Not measured yet.*"


def test_qualities_of_jpeg_beside_none():
    small = {"cipher_options": {"block_size": 8}}
    records = [
        training("etc", 0.30, 0.30, jpeg=75, **small),
        training("etc", 0.35, 0.35, **small),
        training("etc", 0.33, 0.33, jpeg=90, **small),
        training("plain", 0.6, 0.6, jpeg=90),
        training("plain", 0.5, 0.5, jpeg=75),
        training("iib", 0.4, 0.4, jpeg=75),
        training("le", 0.4, 0.4),
        training("etc", 0.4, 0.4, dataset="digits"),
    ]
    text = render_table("jpeg-accuracy", records)
    header, _, plain, etc, iib = lines(text)
    assert header == [
        "cipher",
        "sent as it is",
        "JPEG of 90",
        "JPEG of 75",
        "wrong key",
    ]
    assert [cell[:5] for cell in plain] == ["plain", "not m", "60.00", "50.00", "–"]
    assert plain[1] == "not measured" and etc[0] == "etc, block_size 8"
    assert [cell[:5] for cell in etc[1:4]] == ["35.00", "33.00", "30.00"]
    assert etc[4] == "10.00 / 10.00 / 10.00" and iib[4] == "– / – / 10.00"
    assert "; epochs: " in text and "JPEG (4:4:4)" in text
    assert render_table("jpeg-accuracy", records[-2:]) == "*Not measured yet.*"
    records[3]["environment"] = records[3]["environment"] | {"cores": 1}
    assert "Abacus, 1 core; " in render_table("jpeg-accuracy", records[3:4])


def test_one_command_measures_every_number_of_views(
    tmp_path, monkeypatch, capsys, uncompiled
):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    arrays = {
        f"{x}_{part}": values
        for part, count in (("train", 64), ("test", 16))
        for x, values in (
            ("x", random.integers(0, 256, (count, 8, 8, 3), np.uint8)),
            ("y", np.arange(count) % 2),
        )
    }
    np.savez("toy.npz", **arrays)
    words = "compare --dataset toy.npz --ciphers plain --epochs 1 --batch-size 32"
    words += " --network convmixer --width 8 --depth 1 --kernel-size 3"
    words += " --views 0,2 -q --json"
    assert main(words.split()) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    records = read_records("out/training", "training")
    assert sorted(r["settings"].get("views", 0) for r in records) == [0, 2]
    header, _, row = lines(render_table("views", records))
    assert header[1:] == ["2 views", "fresh"] and "not" not in "".join(row)
    with pytest.raises(SystemExit):
        main([*words.split()[:-1], "two"])
