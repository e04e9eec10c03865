"""Two checkouts in one run: what is compared, and what is told when they differ."""

import subprocess

import pytest

from tfpe.cli import main
from tfpe.errors import TfpeError
from tfpe.lab.bench import trees
from tfpe.lab.bench.trees import run_trees_bench
from tfpe.lab.records import environment, read_record, typed
from tfpe.lab.tables.rendering import render_table


@pytest.fixture
def little(monkeypatch):
    """One measurement of each sort; the sides and numbers are scaled beside."""
    monkeypatch.setattr(trees, "PHOTOGRAPH_CIPHERS", ("ele",))
    monkeypatch.setattr(trees, "OWN_KEY_CIPHERS", ("pbe",))
    monkeypatch.setattr(trees, "PIPELINE_CIPHERS", ("etc",))
    monkeypatch.setattr(trees, "DATASET_CIPHERS", ("le",))
    monkeypatch.setattr(trees, "DATASET_SOURCES", ("TFDS",))
    monkeypatch.setattr(trees, "BACKENDS", ("tensorflow", "no_such_backend"))
    monkeypatch.setattr(trees, "TRAINING_STEPS", 2)
    shallow = {"depth": 8, "jit_compile": False}
    monkeypatch.setattr(trees, "TRAINING_CHANGES", shallow)
    [name] = [name for name in trees.FOLDERS if "40 sizes" in name]
    monkeypatch.setattr(trees, "FOLDERS", {name: trees.FOLDERS[name]})


def test_a_checkout_beside_itself_has_everything_and_the_same_pixels(
    little, tmp_path, monkeypatch
):
    real, found = trees._run, {}

    def run(tree, which, what, code, arguments):
        # Programs that import TensorFlow run once: it takes longer than they do.
        if code in (trees.PHOTOGRAPH, trees.FOLDER):
            return real(tree, which, what, code, arguments)
        if what not in found:
            assert which == "now"
            found[what] = real(tree, which, what, code, arguments)
        return found[what]

    monkeypatch.setattr(trees, "_run", run)
    seen, path = [], tmp_path / "before-after.json"
    record = run_trees_bench(
        trees.AFTER,
        path,
        repeats=1,
        scale=0.05,
        progress=lambda done, total, what: seen.append((done, total)),
    )
    assert read_record(path) == record and seen == [(n, 6) for n in range(1, 7)]
    rows = typed(record).results.rows
    units = ["CPU s"] * 4 + ["s", "MB", "s", "s"] + ["CPU s"] * 2 + ["s"]
    assert [row.unit for row in rows] == units
    ends = ["16 times through XLA", "16 times through tf.data"]
    assert [row.what.partition(": ")[2] for row in rows[-3:-1]] == ends
    assert "500 images of 32 x 32 of TFDS, one key, le" in {row.what for row in rows}
    assert rows[-1].what == "a step of training, 6 images, tensorflow"
    assert all(0 < row.before < 3000 and 0 < row.now < 3000 for row in rows)
    assert all(row.factor == row.lowest == row.highest for row in rows)
    assert typed(record).settings.before == typed(record).settings.now
    table = render_table("before-after", [typed(record)])
    assert "| ele, a photograph: set-up | CPU s |" in table
    assert "A sketch of 0.05" in table
    photographs = ["photographs"]
    again = run_trees_bench(trees.AFTER, path, parts=photographs, repeats=1, scale=0.05)
    kept, new = again["results"]["rows"][:7], again["results"]["rows"][7:]
    assert kept == record["results"]["rows"][4:] and len(new) == 4


def test_factors_are_of_the_same_round():
    rounds = {
        "before": [{"seconds": 4.0}, {"seconds": 9.0}, {"seconds": 2.0}],
        "now": [{"seconds": 1.0}, {"seconds": 3.0}, {"seconds": 2.0}],
    }
    [row] = trees._rows("x", rounds)
    # The machine was slow in the second round: 4 over 2 is not what any round says.
    assert (row["before"], row["now"], row["unit"]) == (4, 2, "s")
    assert (row["factor"], row["lowest"], row["highest"]) == (3, 1, 4)


def test_megabytes_are_written_out():
    row = {"what": "x: peak", "unit": "MB", "before": 4700.0, "now": 45.67}
    row |= {"factor": 102.9, "lowest": 100.0, "highest": 105.0}
    record = {
        "kind": "before-after",
        "settings": {"before": "a", "now": "b", "repeats": 3},
        "results": {"rows": [row]},
        "environment": environment(),
    }
    table = render_table("before-after", [record])
    assert "| x: peak | MB | 4,700 | 45.7 | 102.9 (100.0 to 105.0) |" in table


def test_the_state_of_a_checkout(tmp_path):
    def git(*words):
        run = ["git", "-c", "user.name=n", "-c", "user.email=e", *words]
        subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)

    assert trees._commit(tmp_path) == "unknown"
    git("init")
    (tmp_path / "file").write_text("a")
    git("add", "file")
    git("commit", "-m", "one")
    clean = trees._commit(tmp_path)
    assert len(clean) == 7
    (tmp_path / "file").write_text("b")
    assert trees._commit(tmp_path) == f"{clean}-dirty"
    (tmp_path / "inner").mkdir()
    assert trees._commit(tmp_path / "inner") == "unknown"  # a part of another's


def test_other_pixels_end_the_run(monkeypatch):
    digests = iter("ab")
    values = {"seconds": 1.0}
    monkeypatch.setattr(trees, "_run", lambda *_: (values, next(digests)))
    monkeypatch.setattr(trees, "FOLDERS", {})
    with pytest.raises(TfpeError, match="the same pixels and losses: le, a photograph"):
        run_trees_bench(trees.AFTER, repeats=1, scale=0.01)


def test_losses_may_differ_by_rounding(monkeypatch):
    assert trees._same([[7, 2.5, 2.25], [7, 2.5001, 2.25]])
    assert not trees._same([[7, 2.5, 2.25], [7, 2.5, 2.3]])
    assert not trees._same(["ab", "ab", "ac"])
    monkeypatch.setattr(trees, "BACKENDS", ("no_such_backend",))
    with pytest.raises(TfpeError, match="none of .*no_such_backend"):
        run_trees_bench(trees.AFTER, parts=["training"])


def test_a_checkout_that_cannot_run_is_named(little, tmp_path, capsys):
    with pytest.raises(TfpeError, match="'peaks'"):
        run_trees_bench(trees.AFTER, parts=["peaks"])
    assert main(["bench", "--before", str(tmp_path)]) == 1
    assert "holds a folder tfpe" in capsys.readouterr().err
    (tmp_path / "tfpe").mkdir()
    (tmp_path / "tfpe/__init__.py").write_text("raise ImportError('too old')")
    with pytest.raises(TfpeError, match="`before` .*folder training too"):
        run_trees_bench(tmp_path, parts=["training"])
    (tmp_path / "training").mkdir()
    (tmp_path / "training/__init__.py").touch()
    with pytest.raises(TfpeError, match=r"(?s)ele, a photograph failed in .*too old"):
        run_trees_bench(tmp_path, repeats=1, scale=0.01)


@pytest.mark.parametrize(
    "part, code, right, wrong",
    [
        ("photographs", "PHOTOGRAPH", "image, cipher)", "255 - image, cipher)"),
        ("pipelines", "PIPELINES", "definition(images)", "definition(255 - images)"),
        ("datasets", "DATASETS", "oracle(plain[", "oracle(255 - plain["),
        ("training", "TRAINING", "(losses, ends", "(losses[::-1], ends"),
    ],
)
def test_the_oracle_is_asked(little, tmp_path, monkeypatch, part, code, right, wrong):
    program = getattr(trees, code)
    assert right in program
    monkeypatch.setattr(trees, code, program.replace(right, wrong))
    what, code, arguments = next(trees._measurements(tmp_path, [part], 0.01))
    with pytest.raises(TfpeError, match=r"(?s)failed in .*oracle"):
        trees._run(trees.AFTER, "now", what, code, arguments)


@pytest.mark.parametrize("option", [["--quick"], ["--cipher", "le"], ["--jpeg"]])
def test_options_that_mean_nothing_beside_another_checkout(option, capsys):
    assert main(["bench", "--before", ".", *option]) == 1
    assert "Received: --" in capsys.readouterr().err
