"""Notebooks as they are stored: executed, small, and free of what must not be there.

That they run is tested by nbmake (see setup.cfg), on the copies in notebooks/.
"""

from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = (
    "1_encrypt_images.ipynb",
    "2_train_on_encrypted_cifar.ipynb",
    "3_break_the_ciphers.ipynb",
)


def read(name):
    return nbformat.read(FOLDER / name, as_version=4)


def code_of(name):
    return [cell for cell in read(name).cells if cell.cell_type == "code"]


def printed(name):
    outputs = [output for cell in code_of(name) for output in cell.outputs]
    return "".join(output.get("text", "") for output in outputs)


def test_these_are_all():
    assert sorted(path.name for path in FOLDER.glob("*.ipynb")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_stored_executed_small_and_clean(name):
    nbformat.validate(read(name))
    assert (FOLDER / name).stat().st_size < 1_000_000
    cells = code_of(name)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    kinds = {output.output_type for output in outputs}
    assert kinds <= {"stream", "display_data"}, "no errors, no bare values"
    assert sum(output.output_type == "display_data" for output in outputs) >= 2
    assert all(output.get("name", "stdout") == "stdout" for output in outputs)
    assert not any(path in printed(name) for path in ("/tmp", "/home", "/root"))


@pytest.mark.parametrize("name", NAMES)
def test_begins_with_a_badge_and_an_installation_on_colab_alone(name):
    first, second = read(name).cells[:2]
    assert "https://colab.research.google.com/assets/colab-badge.svg" in first.source
    assert '"google.colab" in sys.modules' in second.source
    assert "pip install" in second.source and not second.outputs


def test_no_image_of_cifar_is_stored():
    assert "digits (1437, 32, 32, 3)" in printed(NAMES[1])
