"""No network: said at once, and nothing that is on the disk is refused for it."""

import time

import pytest
import tensorflow_datasets as tfds

import training.cli
from tfpe import Key
from tfpe.cli import main
from tfpe.dataset import downloads

PROXY = "http://owner:secret@127.0.0.1:9"  # nothing listens there


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """A working folder with owner.key, and a proxy that is not there."""
    monkeypatch.chdir(tmp_path)
    for name in ("https_proxy", "http_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, PROXY)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Key(bytes(range(32))).save("owner.key")
    return tmp_path


@pytest.mark.parametrize("program", ["tfpe", "training"])
def test_a_set_that_is_not_there_is_refused_at_once(program, offline, capsys):
    start = time.monotonic()
    if program == "tfpe":
        line = "dataset encrypt tfds:mnist --data-dir data -q -k owner.key --cipher le"
        assert main([*line.split(), "--out", "cloud"]) == 1
    else:
        line = "compare --dataset tfds:mnist --data-dir data"
        assert training.cli.main(line.split()) == 1
    assert time.monotonic() - start < 100  # TensorFlow's import in it; 200 were usual
    out, said = capsys.readouterr()
    assert out == "" and "Dl Completed" not in said
    assert "https://storage.googleapis.com cannot be reached through the proxy" in said
    assert "'mnist' in data: " in said and "secret" not in said


def test_what_was_downloaded_before_needs_no_network(offline):
    builder = tfds.builder("mnist", data_dir="data")
    downloader = tfds.core.download.downloader
    fetch = downloader._open_url
    with downloads.no_vain_downloads(builder):
        assert downloader._open_url is not fetch
    assert downloader._open_url is fetch


def test_any_answer_is_a_network(monkeypatch):
    import requests

    asked = []
    monkeypatch.setattr(requests, "head", lambda url, **_: asked.append(url))
    urls = ["https://a.org/1", "https://a.org/2", "https://b.org/3"]
    assert downloads.unreachable(urls) is None and asked == ["https://a.org"]
    assert downloads.unreachable(["ftp://a.org/1"]) is None
    assert downloads.unreachable([]) is None
