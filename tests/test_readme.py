"""What README says, a new user can do."""

import re
from pathlib import Path

import pytest
from PIL import Image

from tfpe.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
# The section on the private workflow has tests of its own.
ROLES = README[README.index("## The private workflow") :].partition("\n## ")[0]
PYTHON = [code for kind, code in BLOCKS if kind == "python" and code not in ROLES]
SHELL = [code for language, code in BLOCKS if language == "sh"]


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_python_examples_run(code, tmp_path, monkeypatch, request):
    if "tfds.load" in code:
        data_dir = request.getfixturevalue("cifar_directory")
        code = code.replace("tfds.load(", f"tfds.load(data_dir={data_dir!r}, name=")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


def test_there_are_two_set_up_commands():
    set_up = [code for code in SHELL if code.startswith("python3 -m venv")]
    assert len(set_up) == 2 and all(code.count("\n") == 1 for code in set_up)
    assert "training compare" in set_up[0] and "tfpe report" in set_up[0]
    assert "-m pytest" in set_up[1]


def test_commands_run(tmp_path, monkeypatch, photographs):
    (commands,) = [code for code in SHELL if "tfpe keygen" in code]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for place, photograph in enumerate(photographs):
        Image.fromarray(photograph).save(f"photos/{place}.jpg")
    for line in commands.splitlines():
        assert main(line.split()[1:]) == 0, line
    assert len(list((tmp_path / "decrypted").glob("*.png"))) == len(photographs)


def anchors(text):
    """What headings are called in links, by GitHub's rule."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", (ROOT / name).read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if not path.startswith("http"):
            file = ROOT / path if path else ROOT / name
            assert file.exists(), target
            assert not anchor or anchor in anchors(file.read_text()), target
