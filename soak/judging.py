"""What must be at the end of a soak, and what is not."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from soak.backups import read_only
from soak.facts import facts_of, missing, twice
from soak.journal import Journal
from soak.site import Site
from stigmem_cursor_plugin.core import rotation
from tools.hosts import ROOT

SCHEMA = ROOT / "schema" / "cursor-checkpoint.schema.json"
_FILE_OR_UNDO = re.compile(r"latest\.json|(latest|cursors.*)\.undo-[^.]*\.json")


@dataclass(frozen=True)
class Judgement:
    """What is left: facts that each node holds and lacks, and what else is wrong.

    ``unverifiable`` facts are of a node that is gone, whose key the node that lacks them has lost.
    """

    held: dict[str, int]
    missing: int
    unverifiable: int
    twice: int
    problems: Sequence[str]


def judge(sites: Sequence[Site], journal: Journal) -> Judgement:
    """Judge the sites, which run and are quiet; stops what is scheduled there."""
    here = [site for site in sites if not site.gone]
    lost, unverifiable = _missing(sites)
    for site in here:
        site.end_duties()
        if site.plugin:
            for problem in _wrong_with(site):
                journal.problem(site.name, problem)
    if here[0].plugin:
        for one in journal.recoveries:
            if one.loss and not one.alarmed:
                journal.problem(one.node, f"no alarm at {one.began:.0f} s: {one.faults}")
    return Judgement(
        {site.name: len(facts_of(site.node) or ()) for site in here},
        len(lost),
        len(unverifiable),
        sum(twice(site.node) for site in here),
        journal.problems,
    )


def _missing(sites: Sequence[Site]) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return the facts that nodes lack, and those that they cannot verify."""
    lacks = {
        (name, fact)
        for name, by_peer in missing(sites).items()
        for facts in by_peer.values()
        for fact in facts
    }
    unverifiable = {
        (site.name, fact)
        for site in sites
        for gone in sites
        if gone.gone and not site.gone and not _knows_key(site, gone)
        for fact in _about(sites, gone)
    }
    return lacks - unverifiable, lacks & unverifiable


def _knows_key(site: Site, gone: Site) -> bool:
    with closing(read_only(site.node.database)) as connection:
        query = "SELECT 1 FROM federation_manifests WHERE entity_uri = ?"
        return connection.execute(query, [gone.node.url]).fetchone() is not None


def _about(sites: Sequence[Site], gone: Site) -> set[str]:
    return {
        fact
        for site in sites
        for fact, (entity, _) in (facts_of(site.node) or {}).items()
        if entity.startswith(f"demo:{gone.name}-")
    }


def _wrong_with(site: Site) -> Iterator[str]:
    for target in site.targets:
        if site.export(target).status:
            yield f"the export to {target.name} still fails: {site.alarms[target.name].said}"
    for file in sorted((*site.disk.glob("[!c]*"), *site.checkpoints.iterdir())):
        if file.name not in site.torn and (wrong := _wrong_with_file(file)):
            yield f"{file.name}: {wrong}"
    with closing(read_only(site.node.database)) as connection:
        (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
        if answer != "ok":
            yield f"the database: {answer}"
    for arguments in ((), ("--db", str(site.node.database), f"{site.checkpoints}/")):
        run = site.run("cursor-check", *arguments)
        if run.status:
            yield f"cursor-check {' '.join(arguments)}: {run.said}"


def _wrong_with_file(file: Path) -> str | None:
    if not (rotation.time_in(file.name) or _FILE_OR_UNDO.fullmatch(file.name)):
        return "a stray file"
    try:
        _validator().validate(json.loads(file.read_bytes()))
    except (ValueError, jsonschema.ValidationError) as error:
        return f"torn: {error}"
    return None


@cache
def _validator() -> Any:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_bytes()))
