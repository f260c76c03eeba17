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
class Figures:
    """What the runs of one program come to: medians, to the microsecond and the MiB's tenth.

    ``spread`` is half of the distance between the quartiles, as a part of the median.
    """

    seconds: float
    spread: float
    mebibytes: float


def figures(runs: Sequence[Sample]) -> Figures:
    """Sum up the runs of one program, of which there are two or more."""
    seconds = [run.seconds for run in runs]
    low, middle, high = quantiles(seconds, n=4)
    return Figures(
        seconds=round(median(seconds), 6),
        spread=round((high - low) / 2 / middle, 4),
        mebibytes=round(median(run.mebibytes for run in runs), 1),
    )


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


def in_turn(programs: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, Figures]:
    """Run the programs A B C A B C …; a first round that warms the caches is thrown away."""
    runs: dict[str, list[Sample]] = {name: [] for name in programs}
    for number in range(rounds + 1):
        for name, program in programs.items():
            sample = program()
            if number:
                runs[name].append(sample)
    return {name: figures(samples) for name, samples in runs.items()}
