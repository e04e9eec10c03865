"""README and the pages of docs/: their text and their blocks of code."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")))
}


def blocks(name, language):
    """The code in one language that a page shows, in order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGES[name], re.DOTALL)
