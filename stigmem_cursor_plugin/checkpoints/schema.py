"""The published schema, and its violations in words an operator can act on."""

import json
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

CHECKPOINT = "cursor-checkpoint.schema.json"


def text(name: str = CHECKPOINT) -> str:
    """Return the text of one of the schemas that the package carries."""
    from importlib.resources import files  # noqa: PLC0415  an export needs no schema

    return (files(__package__) / "schemas" / name).read_text(encoding="utf-8")


def load(name: str = CHECKPOINT) -> dict[str, Any]:
    """Return one of the schemas that the package carries, parsed."""
    schema: dict[str, Any] = json.loads(text(name))
    return schema


def violations(document: object) -> Sequence[str]:
    """Return what is wrong with a parsed checkpoint, each with its place; empty if it is valid."""
    if _surely_valid(document):
        return list(_repeated(document))
    # A schema error first: the entries can only be compared once they are entries.
    errors = _judge().iter_errors(document)
    found = dict.fromkeys(line for error in errors for line in _sentences(error))
    return list(found) or list(_repeated(document))


def _surely_valid(document: object) -> bool:
    """Tell whether the compiled validator of the extra ``fast`` accepts the document.

    It only ever accepts: what it refuses, or where it is not installed, jsonschema judges and
    explains. A test shows that the two agree.
    """
    validator = _quick_judge()
    try:
        return validator is not None and validator.is_valid(document)
    except (ValueError, TypeError, OverflowError):
        return False


@cache
def _judge() -> Any:
    import jsonschema  # noqa: PLC0415  costs much, and a valid file may not need it

    return jsonschema.Draft202012Validator(load())


@cache
def _quick_judge() -> Any:
    schema = load()
    try:
        with _signals_wait():
            import jsonschema_rs  # noqa: PLC0415

            return jsonschema_rs.validator_for(schema)
    except ImportError:
        return None


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Have signals wait: where one ends Python code that Rust has called, Rust panics."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _repeated(document: Any) -> Iterator[str]:
    """Find entries for a peer and direction that has one: no schema can say this."""
    first: dict[tuple[str, str, str], int] = {}
    for number, entry in enumerate(document["cursors"]):
        for field in ("peer_id", "peer_node_id"):
            earlier = first.setdefault((field, entry[field], entry["direction"]), number)
            if earlier != number:
                yield f"cursors[{number}].{field}: same peer and direction as cursors[{earlier}]"
                break


def _sentences(error: Any) -> Iterator[str]:
    if error.validator == "required":
        # The validator reports each missing field alone, but names it only in its own prose.
        for field in error.validator_value:
            if field not in error.instance:
                yield f"{_place([*error.absolute_path, field])}: missing"
    else:
        yield _sentence(error)


def _sentence(error: Any) -> str:
    place = _place(error.absolute_path)
    match error.validator:
        case "type":
            return f"{place}: must be {_types(error.validator_value)}, not {_type(error.instance)}"
        case "minLength":
            return f"{place}: must not be empty"
        case "const":
            return f"{place}: must be {_shown(error.validator_value)}, not {_shown(error.instance)}"
        case "minimum":
            return f"{place}: must be {error.validator_value} or more"
        case "maximum":
            return f"{place}: must be {error.validator_value} or less"
        case _:
            return (
                f"{place}: {_PATTERNS[str(error.absolute_path[-1])]}, not {_shown(error.instance)}"
            )


_TIME = "must be an RFC 3339 time such as 2026-05-02T18:30:00Z"
_PATTERNS = {
    "checkpoint_timestamp": _TIME,
    "updated_at": _TIME,
    "digest": "must be sha256: and 64 hexadecimal digits",
    "direction": "must be a lower-case word such as inbound",
    "cursor": "must hold no control characters",
}


def _place(path: Iterable[str | int]) -> str:
    place = ""
    for step in path:
        place += f"[{step}]" if isinstance(step, int) else f".{step}" if place else step
    return place or "checkpoint"


_TYPES = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "integer": "a whole number",
    "null": "null",
}


def _types(names: str | Sequence[str]) -> str:
    return " or ".join(_TYPES[name] for name in ([names] if isinstance(names, str) else names))


def _type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"
