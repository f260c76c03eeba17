"""Several questions at once, each of which may take for ever."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def at_once(
    function: Callable[[Item], Result], items: Iterable[Item], seconds: float
) -> Mapping[Item, Result]:
    """Call *function* with each of *items* at once; return what comes back within *seconds*.

    *function* must not raise. What takes longer is left to threads that do not keep the process
    from ending.
    """
    from threading import Thread  # noqa: PLC0415  mostly there is nothing to ask

    results: dict[Item, Result] = {}

    def call(item: Item) -> None:
        results[item] = function(item)

    threads = [Thread(target=call, args=(item,), daemon=True) for item in dict.fromkeys(items)]
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(results)
