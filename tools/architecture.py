"""Draw what imports what into docs/architecture.md, and list the modules with their first lines.

Usage: python -m tools.architecture [FILE]    (default: docs/architecture.md)

The layers are those of the import contract in pyproject.toml; the arrows and the modules are read
from the code.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import grimp

from tools.hosts import ROOT

PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = "stigmem_cursor_plugin"
EVERYWHERE = {"errors"}
"""Left out of the picture: an arrow from everywhere shows nothing."""


def main(target: Path) -> None:
    """Write the page with its generated parts made anew to *target*."""
    text = PAGE.read_text(encoding="utf-8")
    layers = contract_layers()
    for name, part in (("imports", picture(layers)), ("modules", module_table(layers))):
        text = _replaced(text, name, part)
    target.write_text(text, encoding="utf-8")


def contract_layers() -> list[list[str]]:
    """Return the layers of the contract, the highest first, each as the names in it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [re.split(r" [|:] ", layer) for layer in layers]


def picture(layers: Sequence[Sequence[str]]) -> str:
    """Return a Mermaid flowchart of the imports between the boxes of the layers."""
    boxes = {box[0]: box for layer in layers for box in _boxes(layer)}
    lines = [f'    {key}["{"<br>".join(box)}"]' for key, box in boxes.items()]
    lines += [f"    {importer} --> {imported}" for importer, imported in _arrows(boxes)]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])


def _boxes(layer: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield each folder on its own, and the modules of a layer together."""
    modules = [name for name in layer if name not in EVERYWHERE and not _is_folder(name)]
    if modules:
        yield modules
    yield from ([name] for name in layer if _is_folder(name))


def _is_folder(name: str) -> bool:
    return (ROOT / PACKAGE / name).is_dir()


def _arrows(boxes: dict[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    box_of = {f"{PACKAGE}.{name}": key for key, box in boxes.items() for name in box}
    for name in box_of:
        if _is_folder(name.rpartition(".")[2]):
            graph.squash_module(name)
    found = {
        (box_of[importer], box_of[imported])
        for importer in box_of
        for imported in graph.find_modules_directly_imported_by(importer) & box_of.keys()
    }
    order = list(boxes)
    for importer in order:
        for imported in order:
            if importer != imported and (importer, imported) in found:
                yield importer, imported


def module_table(layers: Sequence[Sequence[str]]) -> str:
    """Return a table of every module, layer by layer, with the first line of its docstring."""
    rows = ["| module | what it is for |", "|---|---|"]
    for name in (name for layer in layers for name in layer):
        for module, path in _modules(name):
            rows.append(f"| `{module}` | {_first_line(path)} |")
    return "\n".join(rows)


def _modules(name: str) -> Iterator[tuple[str, Path]]:
    if not _is_folder(name):
        yield name, ROOT / PACKAGE / f"{name}.py"
        return
    for path in sorted((ROOT / PACKAGE / name).rglob("*.py")):
        module = path.relative_to(ROOT / PACKAGE).with_suffix("").as_posix()
        yield module.removesuffix("__init__"), path


def _first_line(path: Path) -> str:
    documented = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if not documented:
        raise SystemExit(f"{path}: no docstring")
    line = documented.splitlines()[0].replace("``", "`").replace("|", "\\|")
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", line)


def _replaced(text: str, name: str, part: str) -> str:
    """Return *text* with what stands between the two comments that name the part replaced."""
    pattern = rf"(<!-- {name}: .*? -->\n).*?(\n<!-- end of {name} -->)"
    text, count = re.subn(pattern, lambda found: found[1] + part + found[2], text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{PAGE}: no generated part {name}, or more than one")
    return text


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE)
