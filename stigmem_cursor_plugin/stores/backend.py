"""A database that the host's own storage backend opens: what all of them have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from stigmem_cursor_plugin.errors import CursorError, StoreError
from stigmem_cursor_plugin.host.settings import host_settings
from stigmem_cursor_plugin.stores.base import ConstraintError, locked, naming
from stigmem_cursor_plugin.stores.transaction import SQLITE, SQLTransaction

# By default the host's pool opens two connections at once, and its vector search makes a table.
_ONE_CONNECTION_AND_NO_NEW_TABLE = {
    "postgres_pool_min": 1,
    "postgres_pool_max": 1,
    "embed_enabled": False,
}


class BackendStore(ABC):
    """A node's database behind ``stigmem_node.storage.make_backend`` (0.9.0a1 to 0.9.0a12).

    A subclass says how a transaction begins there and what its driver's errors mean.
    """

    extra: str
    """The backend's name in the settings; the host's extra with its driver has the same."""
    dialect = SQLITE

    def __init__(self) -> None:
        """Read the host's settings; nothing is opened yet."""
        self._settings = host_settings(
            f"the storage backend {self.extra!r} (STIGMEM_STORAGE_BACKEND)", self.extra
        ).model_copy(update=_ONE_CONNECTION_AND_NO_NEW_TABLE)
        self.name = self.describe(self._settings)

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[SQLTransaction]:
        """Hold the write lock for a block: committed at its end, rolled back on an error."""
        with self._naming_itself(), ExitStack() as stack:
            connection = self._open(stack)
            (self.begin_reading if read_only else self.begin_writing)(connection)
            yield SQLTransaction(connection, self.dialect)
            connection.commit()

    @abstractmethod
    def describe(self, settings: Any) -> str:
        """Return the name of the database, with nothing secret in it."""

    @abstractmethod
    def begin_reading(self, connection: "BackendConnection") -> None:
        """Begin a transaction that sees one state of the database and cannot write."""

    @abstractmethod
    def begin_writing(self, connection: "BackendConnection") -> None:
        """Begin a transaction that keeps every other writer out."""

    @abstractmethod
    def unreachable(self, error: Exception) -> str:
        """Explain why no connection could be opened."""

    def is_lock(self, error: Exception) -> bool:
        """Tell whether another process holds what this one waited for."""
        return "database is locked" in str(error)

    def is_constraint(self, error: Exception) -> bool:
        """Tell whether the database refused rows because of a constraint."""
        return "constraint failed" in str(error)

    def explain(self, error: Exception) -> Exception:
        """Return what to raise instead of a driver's error."""
        if self.is_constraint(error):
            return ConstraintError(str(error))
        if self.is_lock(error):
            return StoreError(locked(self.name))
        return StoreError(first_line(error))

    def _open(self, stack: ExitStack) -> "BackendConnection":
        # Each driver has errors of its own, libSQL's are ValueError, the host's RuntimeError.
        try:
            from stigmem_node.storage import make_backend  # noqa: PLC0415  the host's

            backend = make_backend(_settings=self._settings)
            return BackendConnection(stack.enter_context(backend.connection()), self)
        except CursorError:
            raise
        except ImportError as error:
            raise StoreError(
                f"the stigmem-node installed here has no storage backend {self.extra!r} "
                f"({first_line(error)}); install a newer 'stigmem-node[{self.extra}]'"
            ) from error
        except RuntimeError as error:
            raise StoreError(first_line(error)) from error
        except Exception as error:
            raise StoreError(self.unreachable(error)) from error

    @contextmanager
    def _naming_itself(self) -> Iterator[None]:
        try:
            yield
        except ConstraintError as error:
            raise StoreError(f"{self.name}: {first_line(error)}; nothing was changed") from error
        except StoreError as error:
            raise naming(self.name, error) from error
        except Exception as error:
            # The host rolls back after an error, which fails where the connection is gone.
            if isinstance(error.__context__, StoreError):
                raise naming(self.name, error.__context__) from error
            raise


class BackendConnection:
    """A connection of the host's whose driver's errors are explained."""

    def __init__(self, connection: Any, store: BackendStore) -> None:
        """Take an open connection, and the store that knows its errors."""
        self._connection = connection
        self._store = store

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Iterator[Any]:
        """Run one statement now; its rows are fetched when the result is iterated over."""
        with self._explained():
            result = self._connection.execute(sql, parameters)
        return self._fetched(result)

    def commit(self) -> None:
        """Make what was written last."""
        with self._explained():
            self._connection.commit()

    def _fetched(self, result: Any) -> Iterator[Any]:
        # libSQL's result cannot be iterated over, and fails where there is nothing to fetch.
        with self._explained():
            rows = result.fetchall()
        yield from rows

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise self._store.explain(error) from error


def first_line(error: Exception) -> str:
    """Return the first line of what a driver says."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
