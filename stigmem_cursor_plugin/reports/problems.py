"""What is wrong with a file or a database, in words."""

from collections.abc import Callable, Mapping

from stigmem_cursor_plugin.core import rotation
from stigmem_cursor_plugin.core.problem import Problem, Trouble
from stigmem_cursor_plugin.reports.formatting import duration
from stigmem_cursor_plugin.reports.program import Program
from stigmem_cursor_plugin.terminal import STANDARD_STREAM, title_of


def sentence(problem: Problem, program: Program) -> str:
    """Return what is wrong and, where there is one, what to do."""
    subject = title_of(problem.subject)
    match problem.trouble:
        case Trouble.UNREADABLE | Trouble.INVALID:
            return problem.detail
        case Trouble.OTHER_NODE:
            return (
                f"{subject} is the checkpoint of node {problem.detail}, and this database is that "
                f"of {problem.expected}"
            )
        case Trouble.SEVERAL_NODES:
            return (
                f"{subject} holds the checkpoints of several nodes ({problem.detail}), and this "
                "database does not say which node it is of; name the file instead"
            )
        case Trouble.NO_CHECKPOINT:
            return f"no checkpoint of this node in directory {subject}"
        case Trouble.STALE:
            age = duration(problem.age.total_seconds())
            limit = duration(problem.limit.total_seconds())
            return f"{subject}: {age} old, more than {limit}; is cursor-export still scheduled?"
        case Trouble.FROM_THE_FUTURE:
            return f"{subject}: dated in the future ({problem.detail}); check the clocks"
        case Trouble.TABLE_MISSING:
            return f"{subject}: the table replication_cursors is missing; {program.recovery()}"
        case _:
            said = _OF_PEER[problem.trouble](problem, program)
            return f"peer {problem.peer} ({problem.direction}): {said}"


def refused(problem: Problem, program: Program) -> str:
    """Return why an import does not take a file that was named."""
    said = sentence(problem, program)
    if problem.trouble is Trouble.OTHER_NODE:
        return f"{said}; --accept-loss imports it anyway"
    return said


def passed_over(problem: Problem, program: Program) -> str:
    """Return which file of a directory does not count, and why."""
    said = sentence(problem, program)
    if problem.trouble is Trouble.FROM_THE_FUTURE:
        return f"{said}; it counts as the oldest"
    return f"passed over: {said}"


def _position_lost(problem: Problem, program: Program) -> str:
    return f"{problem.facts:,} fact(s) received, but no position; {program.recovery()}"


def _facts_gone(problem: Problem, program: Program) -> str:
    source = _source(problem.detail)
    missing = f"{problem.facts:,} fact(s) up to it are missing"
    doubt = "nothing shows that the facts up to it are there"
    return (
        f"the position is set, but {missing if problem.facts else doubt}; stop the node and run "
        f"{program.command('import', '--force', file=source)}, then "
        f"{_catch_up(problem, program)}; {program.acceptance(source)}"
    )


def _peer_not_found(problem: Problem, _: Program) -> str:
    return (
        f"it is in {title_of(problem.detail)}, but not in the peers table; have it register with "
        "this node again"
    )


def _on_trust(problem: Problem, program: Program) -> str:
    return (
        f"nothing shows that its facts are there: {title_of(problem.detail)} does not count them, "
        f"and the database holds none; {_catch_up(problem, program)} fetches them"
    )


def _withheld(problem: Problem, program: Program) -> str:
    missing = f"{problem.facts:,} fact(s) are missing" if problem.facts else "facts may be missing"
    return f"import would withhold it, {missing}; {_catch_up(problem, program)} fetches them"


_OF_PEER: Mapping[Trouble, Callable[[Problem, Program], str]] = {
    Trouble.POSITION_LOST: _position_lost,
    Trouble.FACTS_GONE: _facts_gone,
    Trouble.PEER_NOT_FOUND: _peer_not_found,
    Trouble.ON_TRUST: _on_trust,
    Trouble.WITHHELD: _withheld,
}


def _source(name: str) -> str:
    return "FILE" if name == STANDARD_STREAM else rotation.source_of(name)


def _catch_up(problem: Problem, program: Program) -> str:
    approved = "approve the peer, then " if problem.awaits_approval else ""
    return approved + program.command("catchup")
