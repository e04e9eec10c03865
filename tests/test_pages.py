"""What README and docs/ say, a new user can do."""

import re
import shlex
from pathlib import Path

import pytest
from pages import PAGES, ROOT, blocks
from PIL import Image

import tfpe
import training.cli
from tfpe.cli import main

# These tell a story in order, which a test of its own follows.
STORIES = {
    "docs/matching.md": "test_matching.py",
    "docs/medical.md": "test_medical_page.py",
    "docs/receipts.md": "test_workflow_page.py",
    "docs/workflow.md": "test_workflow_page.py",
}
PYTHON = [
    pytest.param(code, id=f"{name}-{number}")
    for name in PAGES
    if name not in STORIES
    for number, code in enumerate(blocks(name, "python"))
]
COMMANDS = [
    pytest.param(line, id=f"{name}-{number}")
    for name in PAGES
    for code in blocks(name, "sh")
    for number, line in enumerate(re.findall(r"^(?:tfpe|python -m) .*", code, re.M))
]


@pytest.mark.parametrize("code", PYTHON)
def test_python_examples_run(code, tmp_path, monkeypatch, request):
    if "tfds.load" in code:
        data_dir = request.getfixturevalue("cifar_directory")
        code = code.replace("tfds.load(", f"tfds.load(data_dir={data_dir!r}, name=")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "page.md", "exec"), {"__name__": "page"})


@pytest.mark.parametrize(("page", "test"), STORIES.items())
def test_stories_are_followed(page, test):
    assert page.rpartition("/")[2] in (Path(__file__).parent / test).read_text()


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_understood(line, monkeypatch):
    monkeypatch.setattr("tfpe.cli.run_command", lambda options: 0)
    monkeypatch.setattr("training.cli.run_command", lambda options: 0)
    program, *words = shlex.split(line.removeprefix("python -m "), comments=True)
    assert {"tfpe": main, "training": training.cli.main}[program](words) == 0


def test_there_are_two_set_up_commands():
    shell = blocks("README.md", "sh")
    set_up = [code for code in shell if code.startswith("python3 -m venv")]
    assert len(set_up) == 2 and all(code.count("\n") == 1 for code in set_up)
    assert "training compare" in set_up[0] and "tfpe report" in set_up[0]
    assert "-m pytest" in set_up[1]


def test_commands_run(tmp_path, monkeypatch, photographs):
    (commands,) = blocks("docs/encrypt.md", "sh")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for place, photograph in enumerate(photographs):
        Image.fromarray(photograph).save(f"photos/{place}.jpg")
    for line in commands.splitlines():
        assert main(line.split()[1:]) == 0, line
    assert len(list((tmp_path / "decrypted").glob("*.png"))) == len(photographs)


def test_every_cipher_is_listed():
    rows = re.findall(r"^\| (`.*?) \|", PAGES["docs/ciphers.md"], re.M)
    assert set(re.findall(r"`(\w+)`", "".join(rows))) == set(tfpe.CIPHERS)


def test_readme_is_short():
    assert len(PAGES["README.md"].encode()) < 11_000


def anchors(text):
    """What headings are called in links, by GitHub's rule."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("name", [*PAGES, "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name):
    page = ROOT / name
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if not path.startswith("http"):
            file = page.parent / path if path else page
            assert file.exists(), target
            assert not anchor or anchor in anchors(file.read_text()), target


@pytest.mark.parametrize("name", [*PAGES, "CONTRIBUTING.md"])
def test_files_that_are_named_exist(name):
    text = (ROOT / name).read_text()
    places = r"(?<![\w./])(?:tfpe|training|tests|docs|notebooks)/[\w./]*\w"
    named = re.findall(places, re.sub(r"```.*?```", "", text, flags=re.S))
    if name == "CONTRIBUTING.md":  # its drawing too, from tfpe/ on
        named += re.findall(r"[\w]+/[\w/]*\w\.py", text)
    bases = ROOT, ROOT / "tfpe"
    assert not [
        path for path in named if not any((base / path).exists() for base in bases)
    ]


def test_every_page_is_linked_from_readme():
    linked = set(re.findall(r"\]\((docs/[\w/]+\.md)", PAGES["README.md"]))
    assert {name for name in PAGES if name.count("/") == 1} <= linked
