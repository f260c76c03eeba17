"""Whole processes, timed in turn, so that the noise of a machine falls on all of them alike."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles


@dataclass(frozen=True)
class Sample:
    """One run of a program: wall-clock seconds and peak resident memory."""

    seconds: float
    mebibytes: float


@dataclass(frozen=True)
class Samples:
    """The runs of one program."""

    runs: Sequence[Sample]

    @property
    def seconds(self) -> float:
        """The median time."""
        return median(run.seconds for run in self.runs)

    @property
    def spread(self) -> float:
        """Half of the distance between the quartiles, as a part of the median."""
        if len(self.runs) < 2:
            return 0.0
        low, _, high = quantiles([run.seconds for run in self.runs], n=4)
        return (high - low) / 2 / self.seconds

    @property
    def mebibytes(self) -> float:
        """The median of the peak memory."""
        return median(run.mebibytes for run in self.runs)


def once(
    command: Sequence[str | Path], directory: Path, *, echo: bool = False, **variables: str
) -> Sample:
    """Run a program to its end, with *variables* in its environment.

    With *echo* what it says is shown. Raises RuntimeError with what it said if it failed.
    """
    environment = {k: v for k, v in os.environ.items() if not k.upper().startswith("STIGMEM_")}
    # A port on which no node listens: import asks whether one is running.
    environment |= {"STIGMEM_PORT": "1", **variables}
    begun = time.perf_counter()
    with subprocess.Popen(
        [str(word) for word in command],
        cwd=directory,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if echo:
                print(f"        {line.rstrip()}", file=sys.stderr, flush=True)
        _, status, usage = os.wait4(process.pid, 0)
        ended = time.perf_counter()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command}: exit status {process.returncode}: {''.join(said)}")
    return Sample(ended - begun, usage.ru_maxrss / 1024)


def in_turn(programs: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, Samples]:
    """Run the programs A B C A B C …; a first round that warms the caches is thrown away."""
    runs: dict[str, list[Sample]] = {name: [] for name in programs}
    for number in range(rounds + 1):
        for name, program in programs.items():
            sample = program()
            if number:
                runs[name].append(sample)
    return {name: Samples(samples) for name, samples in runs.items()}
