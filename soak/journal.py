"""What happened in a soak, kept as it happens; every thread writes to it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

EXPECTED = {
    "cursor-export": (0, 1),
    "cursor-check": (0, 1),
    "cursor-import": (0, 1, 3),
    "cursor-catchup": (0, 1, 3),
}
"""The exit statuses that each command documents."""


@dataclass(frozen=True)
class Run:
    """A command that was run: when it began and how long it took, in seconds, and what it said."""

    at: float
    node: str
    command: Sequence[str]
    status: int
    seconds: float
    said: str
    killed: bool = False
    """It was killed on purpose."""

    @property
    def name(self) -> str:
        """The command's name."""
        return self.command[0]


@dataclass(frozen=True)
class Recovery:
    """A node brought back: from the blow to the node's answer, in seconds since the beginning."""

    node: str
    faults: Sequence[str]
    began: float
    seconds: float
    steps: Sequence[str]
    loss: bool
    alarmed: bool
    """An export or a check said, before anything was done, that something was lost."""
    fetched: int = 0
    """Facts that catch-up went through: new ones and those that were there."""
    whole: int = 0
    """Facts that the peers offered: what a full re-pull would have gone through."""


@dataclass(frozen=True)
class Sample:
    """How many facts that others offer a node had not got; None where it has no database."""

    at: float
    node: str
    behind: int | None


@dataclass
class Journal:
    """Lists that only grow. Appending to a list is safe in every thread."""

    began: float = field(default_factory=time.monotonic)
    runs: list[Run] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    def problem(self, node: str, what: str) -> None:
        """Note what should never be."""
        self.problems.append(f"{self.now:.0f} s, {node}: {what}")

    def judge(self, run: Run) -> None:
        """Keep a run of one of these commands, and note what it must never do."""
        self.runs.append(run)
        line = f"{' '.join(run.command)} ended with {run.status}: {run.said.strip()[-300:]}"
        unexpected = run.status not in EXPECTED[run.name] and not run.killed
        if unexpected or "Traceback" in run.said or "error: unexpected" in run.said:
            self.problem(run.node, line)
