"""Tables: README says what the records say, and nothing else."""

import json
import pathlib
import re
import statistics

import pytest
from pages import PAGES

from tfpe.cli import main
from tfpe.errors import RecordError
from tfpe.lab.intervals import accuracy_interval
from tfpe.lab.markdown import to_markdown
from tfpe.lab.records import typed, write_record
from tfpe.lab.records.reading import read
from tfpe.lab.records.training_records import TrainingSettings
from tfpe.lab.table import Cell, Table
from tfpe.lab.tables.published import PUBLISHED, published
from tfpe.lab.tables.rendering import TABLES, render_table, render_tables
from tfpe.lab.tables.training_speed import training_speed_tables
from training.recipes import RECIPES

ROOT = pathlib.Path(__file__).parents[1]
ENVIRONMENT = {"cpu": "Abacus", "cores": 2, "date": "2026-01-01T", "tfpe": "0"}


def training(cipher, last, best, seed=0, dataset="cifar10", **settings):
    epoch = {"epoch": 1, "train_accuracy": 0.5, "validation_accuracy": 0.4}
    settings |= {"dataset": dataset, "recipe": "small", "cipher": cipher, "seed": seed}
    settings = {"depth": 20, "alpha": 24.0} | settings
    return {
        "kind": "training",
        "format": 1,
        "settings": settings,
        "environment": ENVIRONMENT,
        "results": {
            "last": epoch | {"test_accuracy": last},
            "best_validation": epoch | {"test_accuracy": best},
            "wrong_key_accuracy": None if cipher == "plain" else 0.1,
            "plain_model_accuracy": None if cipher == "plain" else 0.0999,
            "train_images": 45_000,
            "validation_images": 5000,
            "test_images": 10_000,
            "epochs": 30,
        },
    }


def lines(table):
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("|")
    ]


def test_readme_and_docs_equal_records(monkeypatch):
    """Where this fails: tfpe tables"""
    monkeypatch.chdir(ROOT)
    assert main(["tables", "--check"]) == 0


def test_a_folder_that_is_not_there_empties_no_tables(project, capsys):
    page = project.parent / "page.md"
    page.write_text("<!-- table: training -->\nold\n<!-- end table -->\n")
    assert main(["tables", str(page), "--records", str(page.parent / "reslts")]) == 1
    assert "should be a folder" in capsys.readouterr().err
    assert "old" in page.read_text()


def test_tables_of_all_files_are_rendered(project, monkeypatch, capsys):
    page = project.parent / "docs" / "deep" / "page.md"
    page.parent.mkdir(parents=True)
    marked = "<!-- table: training -->\n{}\n<!-- end table -->\n"
    page.write_text(marked.format("old"))
    monkeypatch.chdir(project.parent)
    assert main(["tables", "--check"]) == 1
    err = capsys.readouterr().err
    assert "docs/deep/page.md: table training: disagree" in err and "README" not in err
    assert main(["tables"]) == main(["tables", "--check"]) == 0
    assert page.read_text() == marked.format(
        render_table("training", [training("le", 0.4, 0.5)])
    )


def test_pages_show_every_table():
    shown = re.findall(r"<!-- table: ([\w-]+)", "".join(PAGES.values()))
    assert set(shown) == set(TABLES)


def test_training_table():
    records = [
        training("le", 0.4, 0.5),
        training("plain", 0.5, 0.6),
        training("le", 0.5, 0.7, seed=1, key_fingerprint="0"),
        training("logistic", 0.1, 0.1),
        training("pbe", 0.1, 0.1, per_image=True),
        training("le", 0.1, 0.1, adaptation="le", cipher_options={"block_size": 8}),
    ]
    table = render_table("training", records)
    header, _, plain, le, adapted, pbe, logistic = lines(table)
    assert len(header) == 8
    assert plain[1:5] == [
        "50.00 / 40.00",
        "50.00 (49.0 to 51.0)",
        "50.00 / 40.00",
        "60.00 (59.0 to 61.0)",
    ]
    assert plain[5:7] == ["–", "–"]
    assert "*96.70*" in plain[7]
    assert le[2] == "45.00 (44.0 to 46.0)"  # seeds are averaged
    assert le[4:7] == ["60.00 (59.0 to 61.0)", "10.00", "9.99"]
    assert "*94.94*" in le[7]
    assert "no figure" in logistic[7]
    assert pbe[0] == "pbe, a key for each image"
    assert "*93.51*" in pbe[7]
    assert adapted[0] == "le, block_size 8, LE-AdaptNet"
    assert "*94.49*" in adapted[7]
    assert (
        "epochs: 30; mean of 1 or 2 seeds; Abacus, 2 cores; tfpe 0; 2026-01-01."
        in table
    )
    assert "PyramidNet (20, 24)" in table
    assert "45,000 training, 5,000 validation and 10,000 test images" in table
    assert "not measured here" in table
    assert "best test epoch" in table


def test_other_conditions_make_another_table_and_markers_choose():
    records = [
        training("plain", 0.5, 0.5),
        training("plain", 0.6, 0.6, dataset="digits"),
        training("plain", 0.7, 0.7, train_images=9000),
    ]
    table = render_table("training", records)
    assert len(lines(table)) == 3 * 3
    assert "train_images: 9000;" in table
    chosen = render_table("training dataset=digits", records)
    assert [row[2][:5] for row in lines(chosen)[2:]] == ["60.00"]
    assert lines(chosen)[2][7] == "–"
    chosen = render_table("training train_images=9000", records)
    assert [row[2][:5] for row in lines(chosen)[2:]] == ["70.00"]
    assert render_table("training dataset=none", records) == "*Not measured yet.*"


def test_svm_table():
    rows = [
        {"cipher": c, "kernel": k, "test_accuracy": a, "predictions_equal_plain": n}
        for c, k, a, n in (
            ("plain", "linear", 0.5, 1000),
            ("plain", "rbf", 0.75, 1000),
            ("le", "linear", 0.25, 300),
            ("le", "rbf", 0.5, 400),
        )
    ]
    record = {
        "kind": "svm",
        "settings": {
            "dataset": "digits",
            "source": "npz",
            "C": 1.0,
            "gamma": 0.001,
            "train_images": 2000,
            "test_images": 1000,
        },
        "results": {"rows": rows, "image_shape": [32, 32, 3]},
        "environment": ENVIRONMENT | {"keras": "3", "backend": "jax", "jax": "1"},
    }
    table = render_table("svm", [record, training("le", 0.1, 0.1)])
    _, _, plain, le = lines(table)
    assert plain[2] == "1,000 of 1,000"
    assert le[0] == "le"
    assert le[1].startswith("25.00 (22.4 to 27.8")
    assert le[4] == "400 of 1,000"
    told = "digits (source: npz), 2,000 training and 1,000 test images of 32 x 32 x 3"
    assert told in table
    del record["settings"]["source"]  # as in older records
    assert told.replace(" (source: npz)", "") in render_table("svm", [record])


@pytest.mark.parametrize("recipe", ["small", "matched"])
def test_recipes_expect_what_the_records_hold(recipe):
    parts = RECIPES[recipe].__doc__.split("On all of CIFAR-100:")
    told = [
        (data, *found)
        for data, text in zip(("cifar10", "cifar100"), parts, strict=False)
        for found in re.findall(r"([\w-]+)\s+(\d\d\.\d\d)\b", text)
    ]
    assert len(told) == {"small": 13, "matched": 10}[recipe]
    for data, name, percent in told:
        paths = (ROOT / "results").glob(f"training-{data}-{recipe}-{name}-seed*.json")
        found = [json.loads(path.read_text())["results"] for path in paths]
        mean = statistics.fmean(r["best_validation"]["test_accuracy"] for r in found)
        assert percent == f"{100 * mean:.2f}", name
        assert {r["train_images"] for r in found} == {45_000}


def test_steps_of_each_device_have_a_table():
    paths = sorted((ROOT / "results").glob("training-speed-*.json"))
    tables = training_speed_tables([typed(json.loads(p.read_text())) for p in paths])
    assert sum(len(table.rows) for table in tables) == len(paths)
    assert len({table.caption for table in tables}) == len(tables) == 2
    [on_gpu] = [table for table in tables if "H100" in table.caption]
    assert "EPYC" not in on_gpu.notes[0]


def test_every_table_has_a_place_without_records():
    for name in TABLES:
        assert render_table(name, [])


def test_published_figures():
    assert len(lines(render_table("published", []))) == 2 + len(PUBLISHED) / 2
    settings = {"dataset": "cifar100", "cipher": "le", "adaptation": "ele"}
    settings |= {"recipe": "paper"}

    def figures(**changed):
        found = read(TrainingSettings, settings | changed, "settings")
        return [row.test_accuracy for row in published(found)]

    assert figures() == [71.30]
    assert figures(dataset="digits") == []
    assert all(row.source and row.caveat for row in PUBLISHED)


# The exact ends of Wilson's interval, the roots of (p - x)^2 = z^2 x (1 - x) / n.
@pytest.mark.parametrize("right, images", [(0, 10), (7, 10), (9499, 10_000), (5, 5)])
def test_interval_is_that_of_wilson(right, images):
    z = 1.959963984540054
    for end in accuracy_interval(right, images):
        p = right / images
        assert (p - end) ** 2 == pytest.approx(z * z * end * (1 - end) / images)


@pytest.fixture
def project(tmp_path):
    """A README with two tables, rendered from one record."""
    write_record(tmp_path / "results" / "a.json", training("le", 0.4, 0.5))
    readme = tmp_path / "README.md"
    readme.write_bytes(
        b"# Caf\xc3\xa9\r\n\n<!-- table: training -->\nold\n<!-- end table -->\n"
        b"between\n<!--table: svm--><!-- no marker -->\n"
        b"<!-- table: svm -->\n<!-- end table -->\nlast line without end"
    )
    assert main(["tables", str(readme)]) == 0
    return readme


def test_command_changes_what_is_marked_and_nothing_else(project, capsys):
    text = project.read_bytes()
    assert text.startswith(b"# Caf\xc3\xa9\r\n\n<!-- table: training -->\n| cipher |")
    assert text.endswith(
        b"\n<!-- end table -->\nbetween\n<!--table: svm--><!-- no marker -->\n"
        b"<!-- table: svm -->\n*Not measured yet.*\n<!-- end table -->\n"
        b"last line without end"
    )
    assert b"old" not in text
    capsys.readouterr()
    assert (
        main(["tables", str(project)]) == main(["tables", str(project), "--check"]) == 0
    )
    assert project.read_bytes() == text
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("side", ["README", "record"])
def test_check_fails_when_readme_and_records_disagree(project, capsys, side):
    path = project
    if side == "record":
        path = project.parent / "results" / "a.json"
        text = path.read_text().replace('"test_accuracy": 0.4', '"test_accuracy": 0.41')
    else:
        text = path.read_text().replace("40.00 (", "40.01 (")
    assert text != path.read_text()
    path.write_text(text)
    before = project.read_bytes()
    assert main(["tables", str(project), "--check"]) == 1
    assert "table training: disagree" in capsys.readouterr().err
    assert project.read_bytes() == before
    assert main(["tables", str(project)]) == 0
    assert main(["tables", str(project), "--check"]) == 0


@pytest.mark.parametrize(
    "text, problem",
    [
        ("<!-- table: speeed -->\n<!-- end table -->", "speeed"),
        ("<!-- table: svm -->", "no end of 'svm', begun in line 1"),
        ("<!-- end table -->", "line 1"),
        ("<!-- table: svm -->\n<!-- table: svm -->", "line 2"),
        ("<!-- table: svm dataset -->\n<!-- end table -->", "NAME=VALUE"),
        ("<!-- table: -->\n<!-- end table -->", "table"),
    ],
)
def test_wrong_markers_are_refused(text, problem):
    with pytest.raises(RecordError, match=problem):
        render_tables(text, [])


def test_records_that_lack_something_are_refused(project, capsys):
    path = project.parent / "results" / "a.json"
    record = json.loads(path.read_text())
    del record["results"]["last"]["test_accuracy"]
    path.write_text(json.dumps(record))
    before = project.read_bytes()
    assert main(["tables", str(project)]) == 1
    assert "test_accuracy" in capsys.readouterr().err
    assert project.read_bytes() == before
    assert main(["tables", str(project.parent / "none.md")]) == 1


def test_records_of_an_unknown_cipher_are_refused():
    with pytest.raises(RecordError, match="enigma"):
        render_table("training", [training("enigma", 0.1, 0.1)])


def test_markdown_has_one_column_for_each_title():
    table = Table("", ["a", "b", "c"], [[Cell(text) for text in "123"]])
    table = lines(to_markdown(table))
    assert table == [["a", "b", "c"], ["---", "--:", "--:"], ["1", "2", "3"]]
