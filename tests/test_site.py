"""The documentation as a site: built without a warning, every public name on it."""

import re
import subprocess
import sys
import zlib

import pytest
from pages import PAGES, ROOT
from test_docstrings import public_objects


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", out]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def test_every_page_is_there_and_shows_its_examples(site):
    for name in PAGES:
        page = name.removeprefix("docs/").removesuffix(".md")
        folder = site / page if page != "README" else site
        text = (folder / "index.html").read_text()
        # Examples that are no block of code would be quotations of quotations.
        assert "<blockquote>" not in text, name
    assert (site / "results/figures/ciphers.png").exists()


def test_every_public_name_is_there(site):
    inventory = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    names = set(re.findall(r"^\S+", zlib.decompress(inventory).decode(), re.M))
    assert set(public_objects()) <= names
