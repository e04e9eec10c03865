"""The page of `tfpe report`: what records say, escaped, and whole or not at all."""

import copy
import dataclasses
import html
import json
import pathlib
import re

import pytest
import report_records as make

from tfpe.cli import main
from tfpe.errors import RecordError
from tfpe.lab.page import render_report, write_report
from tfpe.lab.page.curves_section import training_curves
from tfpe.lab.records import typed, write_record
from tfpe.lab.table import number, percent
from tfpe.lab.tables.scorecard import Row
from tfpe.lab.tables.scorecard_table import drop_cell, ssim_cell


@pytest.fixture(scope="module")
def records():
    return [
        make.training("plain", 0.6),
        make.training("le", 0.4),
        make.training("logistic", 0.5),
        make.bench(le=1.0, logistic=3.0),
        make.evaluation("le"),
        make.evaluation("logistic"),
        make.curve("logistic", {50: [2.0, 1.0, 3.0], 400: [0.5, 0.25, 1.0]}),
        make.curve("pbe", {50: [0.5], 400: [0.0]}),
    ]


def words(page):
    """The text of a page, without markup."""
    text = re.sub(r"<(style|script|svg).*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def test_page_says_what_the_records_say(records):
    page = render_report(records)
    text = words(page)
    assert "logistic falls to chosen images" in text
    assert "Photographs: 3 chosen images are enough (chosen plaintext): every" in text
    assert "in 12 ms, SSIM 1.00" in text
    assert "10.0 points below plain images" in text
    assert "5,822 bits; claimed are 30,295" in text
    # Published, and marked as such.
    assert "94.94 [1]" in text and "Published: Madono et al. 2020" in text
    assert "Not attacked: ele, pbe, etc" in text
    assert "Training has one seed" in text
    assert "Abacus" in text
    # The median of three keys, in words for those who do not see the figure.
    assert "logistic from 2 at 50 to 0.5 at 400" in html.unescape(page)


def test_page_stands_alone(records):
    page = render_report(records)
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert not re.search(r"@import|url\((?!#)", page)
    images = re.findall(r"<img[^>]*>", page)
    assert len(images) == 6
    assert all(re.search(r' alt="[^"]+"', image) for image in images)
    figures = re.findall(r'<div role="img" aria-label="([^"]+)">', page)
    assert len(figures) == page.count("<svg") == 2
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_every_set_of_images_has_its_attacks(records):
    other = copy.deepcopy(records[5])
    other["settings"]["images"] = "cifar10"
    other["results"]["attacks"][0]["evidence"]["count"] = 77
    text = words(render_report([*records, other]))
    assert "The least evidence that breaks each cipher on photographs" in text
    assert "CIFAR-10: 77 chosen images are enough" in text
    assert "Photographs: 3 chosen images are enough" in text


def test_equal_records_give_equal_pages(records):
    assert render_report(records) == render_report(copy.deepcopy(records))


def test_no_records_and_few_records():
    text = words(render_report([]))
    assert "No records were found" in text
    assert "No cipher was attacked" in text and "No network was trained" in text
    assert "No record holds a curve" in text
    text = words(render_report([make.training("le", 0.5, "digits", recipe="tiny")]))
    assert "proves the chain, not the ranking" in text
    assert "No evaluation: nothing was attacked" in text
    point = make.curve("pbe", {50: [0.5]})
    assert "No record holds a curve" in words(render_report([point]))


def test_seeds_share_a_line_and_long_names_leave_room_for_the_lines():
    words = (
        "PyramidNet (20, 24) with 4 x 4 patches of 4-bit words, one for all, and more"
    )
    shown = [
        make.training(cipher, accuracy, seed=seed, matched=True, network_words=words)
        for cipher in ("plain", "le", "ele", "pbe", "logistic", "etc", "iib", "shuffle")
        for seed, accuracy in enumerate((0.3, 0.5))
    ]
    shown += [
        make.training("negpos", 0.5, matched=True, network_words=f"{n}, {words}")
        for n in range(12)
    ]
    # matplotlib warns where a legend takes all of a figure, which is an error here.
    [curve] = training_curves(list(map(typed, shown)))
    assert len(curve.table.header) == 1 + 20
    assert f"ele, {words} from 10 at 1 to 40 at 3;" in curve.alt
    assert curve.table.notes[0].startswith("Accuracy in %, cifar10, recipe small: ")
    assert "mean over seeds" in curve.table.notes[1]
    [curve] = training_curves([typed(shown[0])])
    assert len(curve.table.notes) == 1


def test_all_that_may_be_null_may_be_null(records):
    record = copy.deepcopy(records[5])
    results = record["results"]
    results["key_space"] = results["metrics"] = results["gallery"] = None
    for row in results["attacks"]:
        for name in set(row) - {"attack", "threat_model", "outcome"}:
            row[name] = None
    record["settings"]["key_fingerprint"] = record["settings"]["count"] = None
    text = words(render_report([record]))
    assert (
        "evidence of an amount that is not told is enough (chosen plaintext): the"
        in text
    )
    curve = copy.deepcopy(records[6])
    for point in curve["results"]["points"]:
        point["error_up_to_channel_order"] = None
    assert "from 2 at 50" in render_report([curve])


def test_what_comes_from_records_is_text_and_never_markup(records):
    hostile = '"><script>alert(1)</script>&<b>'
    record = copy.deepcopy(records[5])
    record["settings"]["images"] = hostile
    record["results"]["gallery"][0] |= {"name": hostile, "alt": hostile}
    record["results"]["attacks"][1] |= {"outcome": "failed", "message": hostile}
    record["environment"]["cpu"] = hostile
    curve = copy.deepcopy(records[6])
    curve["settings"]["attack"] = hostile
    trained = make.training("le", 0.5, dataset=hostile, recipe=hostile)
    page = render_report([record, curve, trained])
    assert page.count("<script") == 1 and "<b>" not in page
    assert hostile in html.unescape(page)


def test_the_browser_may_run_the_page_s_own_script_only(records):
    import base64
    import hashlib

    page = render_report(records)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = html.unescape(
        re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    )
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")


@pytest.mark.parametrize(
    "change, problem",
    [
        (lambda r: r["gallery"][0].update(png="not base64!"), "PNG file in base64"),
        (lambda r: r["gallery"][0].update(png="R0lGODlhAQABAAAAACw="), "PNG"),
        (lambda r: r["gallery"][0].update(alt=" "), "alt"),
        (lambda r: r["gallery"][0].pop("png"), "png"),
        (lambda r: r["attacks"][0].pop("threat_model"), "threat_model"),
        (lambda r: r["attacks"].append(3), r"attacks\[3\] should be an object"),
        (
            lambda r: r["metrics"]["uaci"].update(value="high"),
            "uaci.value should be",
        ),
    ],
)
def test_records_that_lack_what_is_shown_are_refused(records, change, problem):
    record = copy.deepcopy(records[5])
    change(record["results"])
    with pytest.raises(RecordError, match=problem):
        render_report([record])


@pytest.fixture
def folder(tmp_path, monkeypatch, records):
    """A working folder with records in results/."""
    monkeypatch.chdir(tmp_path)
    for place, record in enumerate(records):
        write_record(tmp_path / "results" / f"{place}.json", record)
    return tmp_path


def test_command(folder, capsys, records):
    assert main(["report", "out/page.html", "--json"]) == 0
    out, err = capsys.readouterr()
    assert [row["name"] for row in json.loads(out)] == ["plain", "le", "logistic"]
    chosen = json.loads(out)[2]["evidence"]["chosen plaintext"]
    assert chosen["evidence"]["count"] == 3 and chosen["images"] == "photographs"
    assert f"{len(records)} records in results" in err
    page = (folder / "out" / "page.html").read_text(encoding="utf-8")
    assert page == render_report(records)
    assert main(["report", "two.html", *["--records", "results"] * 2]) == 0
    (folder / "empty").mkdir()
    assert main(["report", "empty.html", "--records", "empty"]) == 1
    assert not (folder / "empty.html").exists()
    assert "--records should hold records" in capsys.readouterr().err


def test_command_without_records(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["report", "page.html"]) == 1
    assert not (tmp_path / "page.html").exists()
    assert "Received: none in results" in capsys.readouterr().err
    assert main(["report", "page.html", "--records", "nowhere"]) == 1


@pytest.mark.parametrize("damage", [b"{", b'{"kind": "evaluation"}', b"\xff\xfe"])
def test_damaged_records_leave_an_earlier_page(folder, capsys, damage):
    (folder / "page.html").write_text("earlier")
    (folder / "results" / "zz.json").write_bytes(damage)
    assert main(["report", "page.html"]) == 1
    assert "zz.json" in capsys.readouterr().err
    assert (folder / "page.html").read_text() == "earlier"
    assert sorted(p.name for p in folder.iterdir()) == ["page.html", "results"]


def test_pages_that_cannot_be_written(folder, capsys):
    (folder / "there.html").mkdir()
    assert main(["report", "there.html"]) == 1
    assert "there" in capsys.readouterr().err


def test_a_record_is_never_replaced_by_a_page(folder, capsys):
    (record, *_) = (folder / "results").glob("*.json")
    before = record.read_bytes()
    assert main(["report", str(record)]) == 1
    assert ".html" in capsys.readouterr().err and record.read_bytes() == before


def test_what_was_just_trained_comes_first(folder, records):
    """The first of several folders is the user's own; older results follow."""
    (folder / "own").mkdir()
    own = make.training("plain", 0.9)
    own["settings"] |= {"dataset": "digits", "recipe": "tiny"}
    write_record(folder / "own" / "training.json", own)
    (folder / "older").mkdir()
    for place, record in enumerate(records):
        write_record(folder / "older" / f"{place}.json", record)
    write_report(folder / "page.html", [folder / "own", folder / "older"])
    page = (folder / "page.html").read_text()
    top, rest = page.split('<section id="scorecard"')
    assert "digits, recipe tiny: training" in top
    assert "digits, recipe tiny: training" not in rest and "cifar10, recipe" in rest
    write_report(folder / "page.html", [folder / "own"])
    assert 'id="trained"' not in (folder / "page.html").read_text()


@pytest.mark.parametrize("value", [-0.0, -1e-4, -4.9e-3, 0.0])
def test_no_figure_is_minus_nothing(value):
    row = Row("le", "le", accuracy=0.5, evaluated=True, cipher_ssim=value)
    row = dataclasses.replace(row, drop=value / 100)
    assert ssim_cell(row).text == "0.00 → –" and drop_cell(row).text == "0.00"
    assert (
        number(value, "{:.2f}").text == "0.00" and percent(value / 100).text == "0.00"
    )
    results = pathlib.Path(__file__).parents[1]
    texts = [
        file.read_text() for file in (results / "README.md", *results.glob("docs/*.md"))
    ]
    assert not [text for text in texts if re.search(r"[|(→ ]-0(\.0+)?[ |)%]", text)]


def test_what_came_back_in_part_is_never_called_all_of_it(records):
    record = copy.deepcopy(records[4])
    for attack in record["results"]["attacks"]:
        part = {"index_accuracy": 0.99996, "exact_pixels": 0.5, "ssim": 0.9}
        attack |= {"outcome": "partial", **part}
    text = words(render_report([record]))
    assert "over 99.9 % of the key and 50.0 % of the pixels" in text
    assert "100.0 % of the key" not in text
