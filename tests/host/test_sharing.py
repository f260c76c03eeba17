"""One connection for all steps of a page means what a connection for each step means."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stigmem_node.storage import LibSQLBackend, PostgresBackend, SQLiteBackend

from stigmem_cursor_plugin.host.sharing import SharedConnection, shared
from tests.nodes import KEY, STORES, Stores

Rows = list[int]


class FailedError(Exception):
    """What a step fails with."""


class Step(NamedTuple):
    """A step of the host: what it does in turn, and whether it fails at its end.

    A number is written; ``commit`` and ``rollback`` are called; a step within it comes first,
    as it does in the host: after a write the inner connection could not write.
    """

    inner: tuple["Step", ...]
    actions: tuple[int | str, ...]
    fails: bool


ACTIONS = st.lists(st.integers(0, 10**6) | st.sampled_from(["commit", "rollback", "read"]))
STEPS = st.recursive(
    st.builds(Step, st.just(()), ACTIONS.map(tuple), st.booleans()),
    lambda inner: st.builds(
        Step, st.lists(inner, max_size=2).map(tuple), ACTIONS.map(tuple), st.booleans()
    ),
    max_leaves=4,
)


def durable(step: Step) -> Rows:
    """Return what a step leaves behind where it has a connection of its own."""
    kept = [value for inner in step.inner for value in durable(inner)]
    pending: Rows = []
    for action in step.actions:
        match action:
            case int():
                pending.append(action)
            case "commit":
                kept, pending = kept + pending, []
            case "rollback":
                pending = []
            case "read":
                pass
            case _:
                raise ValueError(action)
    return kept if step.fails else kept + pending


def play(connect: Callable[[], Any], step: Step) -> None:
    """Do what a step does."""
    with suppress(FailedError), connect() as connection:
        for inner in step.inner:
            play(connect, inner)
        for action in step.actions:
            if isinstance(action, int):
                connection.execute("INSERT INTO notes (value) VALUES (?)", (action,))
            elif action == "read":
                connection.execute("SELECT value FROM notes").fetchall()
            else:
                getattr(connection, action)()
        if step.fails:
            raise FailedError


def backend(kind: str, directory: Path, stores: Stores) -> Any:
    """Return the host's backend of a kind."""
    path = str(directory / "notes.db")
    match kind:
        case "sqlite":
            return SQLiteBackend(path)
        case "sqlcipher":
            return SQLiteBackend(path, bytes.fromhex(KEY))
        case "libsql":
            return LibSQLBackend(path)
        case "postgres":
            return PostgresBackend(stores.server.dsn(stores.server.new_database()), pool_min=1)
    raise ValueError(kind)


@contextmanager
def notes(made: Any, kind: str) -> Iterator[tuple[Callable[[], Any], SharedConnection]]:
    """Share a connection to a database with one table; yields the host's way to a connection."""
    with made.connection() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS notes (value INTEGER NOT NULL)")
        connection.execute("DELETE FROM notes")
    database = SimpleNamespace(make_backend=lambda **_: made)
    settings = SimpleNamespace(storage_backend="sqlite" if kind == "sqlcipher" else kind)
    with shared(database, settings, alone=True) as connection:
        yield lambda: database.make_backend().connection(), connection


def rows(made: Any) -> Rows:
    """Return what others see."""
    with made.connection() as connection:
        found = connection.execute("SELECT value FROM notes").fetchall()
    return sorted(row["value"] for row in found)


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of a database."""
    return str(request.param)


@pytest.fixture
def made(kind: str, tmp_path: Path, stores: Stores) -> Any:
    """The host's backend of that kind."""
    return backend(kind, tmp_path, stores)


def test_any_steps(kind: str, made: Any) -> None:
    """Whatever steps do, a page leaves behind what the same steps would on their own."""
    with ExitStack() as stack:
        connect, connection = stack.enter_context(notes(made, kind))

        @given(st.lists(STEPS, max_size=4))
        def check(steps: list[Step]) -> None:
            before = rows(made)
            connection.begin_page()
            for step in steps:
                play(connect, step)
            if kind != "postgres":
                assert rows(made) == before
            connection.keep_page()
            assert rows(made) == sorted(before + [v for step in steps for v in durable(step)])

        check()


def test_page_that_is_dropped(kind: str, made: Any) -> None:
    """Nothing of a dropped page stays, not even what a step committed."""
    with notes(made, kind) as (connect, connection):
        connection.begin_page()
        play(connect, Step((), (1, "commit", 2), fails=False))
        connection.drop_page()
        assert rows(made) == []


def test_steps_between_pages(kind: str, made: Any) -> None:
    """Between pages each step is committed or rolled back on its own."""
    with notes(made, kind) as (connect, connection):
        play(connect, Step((), (1,), fails=False))
        play(connect, Step((), (2,), fails=True))
        play(connect, Step((), (3, "commit", 4), fails=True))
        assert rows(made) == [1, 3]
        connection.begin_page()
        connection.keep_page()


def test_transaction_that_ended_by_itself(kind: str, made: Any) -> None:
    """A page whose transaction the database has ended is not kept, nor what came after that."""
    with notes(made, kind) as (connect, connection):
        connection.begin_page()
        play(connect, Step((), (1,), fails=False))
        # What SQLite does by itself when the disk is full.
        connection._connection.rollback()

        def go_on() -> None:
            play(connect, Step((), (2,), fails=False))
            connection.keep_page()

        with pytest.raises(Exception, match=r"no such savepoint|does not exist"):
            go_on()
        connection.drop_page()
        assert rows(made) == []


def test_connections_are_the_hosts_again(kind: str, made: Any) -> None:
    """After the block the host opens its own connections as before."""
    database = SimpleNamespace(make_backend=lambda **_: made)
    before = database.make_backend
    settings = SimpleNamespace(storage_backend="sqlite" if kind == "sqlcipher" else kind)
    with pytest.raises(FailedError), shared(database, settings, alone=True):
        raise FailedError
    assert database.make_backend is before
