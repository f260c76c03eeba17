"""What the output of a command asks an operator to do: by its status and its words alone."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

Command = Sequence[str]
"""The words after ``stigmem federation``."""

_NAMED = re.compile(r"`stigmem federation (cursor-[^`]*)`")
_PLACEHOLDERS = {"FILE", "DIR"}
_WAY_OUT = "accept the loss: "
_NOT_FOUND = re.compile(r"^warning: peer (\S+) \(\w+\): not found in the peers table", re.MULTILINE)
_NOT_CAUGHT_UP = re.compile(r"^warning: peer (\S+): not caught up: (.*)$", re.MULTILINE)
_UNREACHABLE = re.compile(r"relayed origin '([^']*)'")
_NO_DATABASE = (
    "no database at",
    "is empty: not the database",
    "not a database",
    "malformed",
    "not the database of a stigmem node",
    "disk I/O error",
)
_WENT_THROUGH = re.compile(r"([\d,]+) fact\(s\) fetched, ([\d,]+) already held")


def commands(said: str) -> list[Command]:
    """Return the commands that the messages name, in their order, without those of the way out."""
    return _named("\n".join(line.partition(_WAY_OUT)[0] for line in said.splitlines()))


def way_out(said: str) -> list[Command]:
    """Return the command that accepts a loss that no fetching ends, where one is named."""
    return _named("\n".join(line.partition(_WAY_OUT)[2] for line in said.splitlines()))


def _named(text: str) -> list[Command]:
    found = [tuple(shlex.split(command)) for command in _NAMED.findall(text)]
    # A command with a placeholder is for a person to fill in.
    return [command for command in dict.fromkeys(found) if not _PLACEHOLDERS & {*command}]


def peers_not_found(said: str) -> list[str]:
    """Return the node ids of the peers that an import asks to register again."""
    return _NOT_FOUND.findall(said)


def database_is_lost(said: str) -> bool:
    """Tell whether a check found no database that it could read."""
    return any(words in said for words in _NO_DATABASE)


def no_checkpoint(said: str) -> bool:
    """Tell whether an import found no checkpoint in the directory."""
    return "no checkpoint of this node in directory" in said


class Wanted(Enum):
    """What a peer that is not caught up needs."""

    PEER = "the peer has to answer"
    PEER_OR_REVOKE = "the peer has to answer, or to be revoked if it is gone for good"
    ORIGIN = "the node that a relayed fact is from has to answer"
    SKIP = "a fact has to be skipped"


@dataclass(frozen=True)
class NotCaughtUp:
    """A peer that catch-up did not finish with; ``node`` is the id of the one to wait for."""

    wanted: Wanted
    node: str


def not_caught_up(said: str) -> list[NotCaughtUp]:
    """Return the peers that a catch-up did not finish with, and what each of them needs."""
    return [_reason(*found) for found in _NOT_CAUGHT_UP.findall(said)]


def _reason(peer: str, said: str) -> NotCaughtUp:
    origin = _UNREACHABLE.search(said)
    if origin:
        return NotCaughtUp(Wanted.ORIGIN, origin[1])
    if "--skip-refused" in said:
        return NotCaughtUp(Wanted.SKIP, peer)
    if "if it is gone for good, set its status to revoked" in said:
        return NotCaughtUp(Wanted.PEER_OR_REVOKE, peer)
    return NotCaughtUp(Wanted.PEER, peer)


def went_through(said: str) -> int:
    """Return how many facts a catch-up went through: fetched, and held already."""
    last = _WENT_THROUGH.findall(said)[-1:]
    return sum(int(number.replace(",", "")) for found in last for number in found)
