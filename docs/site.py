"""For mkdocs.yml: pages that lie elsewhere, their links, and the public names."""

import ast
import posixpath
import re
from pathlib import Path

import griffe
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
# Shown as they are; any other file of the repository is named and not linked.
FILES = ("results/figures/*.png", "notebooks/*.ipynb", "LICENSE", "CITATION.cff")
LINK = re.compile(r"(!?)\[([^\[\]]*)\]\(([^)\s#]*)((?:#[^)\s]*)?)\)")
MODULE = re.compile(r"^::: ([\w.]+)\n", re.M)
# Outside of code, x[i][j] would be a link; code is matched to be passed over.
BRACKETS = re.compile(r"^ *(?:>>>|\.\.\.).*$|`[^`]*`|\]\[", re.M)
DOCTEST = re.compile(r"(?:^|(?<=\n))((?: *)>>> (?:.+(?:\n|$))+)")


def on_files(files, config):
    """Adds the pages and pictures that do not lie in docs/."""
    for name, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / name)))
    for pattern in FILES:
        for path in ROOT.glob(pattern):
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Points links at their places in the site; lists the public names of a package."""
    here = next((n for n, p in PAGES.items() if p == page.file.src_uri), None)
    # Where the page lies in the repository, which its links are relative to.
    source = posixpath.dirname(here or f"docs/{page.file.src_uri}")

    def moved(link):
        picture, text, path, anchor = link.groups()
        if not path or re.match(r"\w+:", path):
            return link[0]
        target = posixpath.normpath(posixpath.join(source, path))
        place = PAGES.get(target, target.removeprefix("docs/"))
        if files.get_file_from_path(place) is None and (ROOT / target).exists():
            return text  # code, which the site does not show
        start = posixpath.dirname(page.file.src_uri)
        return f"{picture}[{text}]({posixpath.relpath(place, start or '.')}{anchor})"

    return MODULE.sub(_with_public_names, LINK.sub(moved, markdown))


def _with_public_names(match):
    """The docstring of a package, then each name that it offers."""
    package = ROOT / match[1].replace(".", "/") / "__init__.py"
    names = public_names(package) if package.exists() else {}
    if not names:
        return match[0]
    about = f"{match[0]}    options: {{show_root_heading: false, members: false}}\n"
    return about + "".join(f"::: {where}.{name}\n" for name, where in names.items())


def public_names(package):
    """The classes and functions that a package offers: name to defining module.

    Read from its source, since several have the name of the file they are in.
    """
    where, offered = {}, []
    for node in ast.parse(package.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            where |= {alias.name: node.module for alias in node.names}
        elif isinstance(node, ast.Assign):
            if node.targets[0].id == "__all__" and isinstance(node.value, ast.List):
                offered = ast.literal_eval(node.value)
            elif node.targets[0].id == "_PUBLIC":  # imported on first use
                where |= ast.literal_eval(node.value)
                offered = list(where)
    here = ".".join(package.parent.relative_to(ROOT).parts)
    return {
        name: where.get(name, here) for name in sorted(offered) if not name.isupper()
    }


class Examples(griffe.Extension):
    """Examples of docstrings, which begin with `>>>`, as blocks of code."""

    def on_package(self, *, pkg, **kwargs):
        self.on_object(obj=pkg)

    def on_object(self, *, obj, **kwargs):
        if obj.docstring:
            text = BRACKETS.sub(_escaped, obj.docstring.value)
            obj.docstring.value = DOCTEST.sub(_fenced, text)


def _escaped(match):
    return r"]\[" if match[0] == "][" else match[0]


def _fenced(match):
    lines = match[1].rstrip("\n").split("\n")
    indent = " " * (len(lines[0]) - len(lines[0].lstrip()))
    return "\n".join([f"{indent}```pycon", *lines, f"{indent}```", ""])
