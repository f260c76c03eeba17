"""The names of checkpoints in a directory, and their order."""

from datetime import UTC, datetime, timedelta

import pytest

from stigmem_cursor_plugin.core import rotation

NOW = datetime(2026, 5, 2, 18, 30, tzinfo=UTC)


def test_name_says_its_time() -> None:
    """The time in a name is the time that it was made for, to the second."""
    name = rotation.name_at(NOW)
    assert name == "cursors-20260502T183000Z.json"
    assert rotation.time_in(f"/backup/{name}") == NOW
    assert rotation.time_in("cursors-20260502T183000Z_001.json") == NOW


@pytest.mark.parametrize(
    "name",
    [
        "latest.json",
        "cursors-20260502T183000Z.json.bak",
        "xcursors-20260502T183000Z.json",
        "cursors-20261302T183000Z.json",
        "cursors-20260502T183000Z_1.json",
    ],
)
def test_other_names(name: str) -> None:
    """A name that export does not give has no time."""
    assert rotation.time_in(name) is None
    assert rotation.newest_first([name], NOW) == []
    assert not rotation.is_from_the_future(name, NOW)


def test_undo_names() -> None:
    """An undo checkpoint is named after the file that was imported, and known by its name."""
    name = rotation.undo_name_at("old", NOW)
    assert name == "old.undo-20260502T183000Z.json"
    for one in (name, f"/backup/{name}", "old.undo-20260502T183000Z_001.json", f"a\n{name}"):
        assert rotation.is_undo(one)
    for other in ("old.undo-2026.json", f"{name}.bak", rotation.name_at(NOW), "undo.json"):
        assert not rotation.is_undo(other)


@pytest.mark.parametrize(
    ("names", "number"),
    [
        ([], 0),
        (["b.json", "a.json.bak", "xa.json", "a_1.json"], 0),
        (["a.json"], 1),
        (["a_004.json"], 5),
        (["a_003.json"], 4),
        (["a.json", "a_002.json", "a_001.json"], 3),
    ],
)
def test_further_files_of_one_second(names: list[str], number: int) -> None:
    """The next number is after all that are there, whichever are gone."""
    assert rotation.first_free("a", names) == number
    assert rotation.numbered("a", number) == (f"a_00{number}.json" if number else "a.json")


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("kept/cursors-20260502T183000Z_001.json", "kept"),
        ("cursors-20260502T183000Z.json", "."),
        ("kept/latest.json", "kept/latest.json"),
    ],
)
def test_a_file_of_exports_stands_for_its_directory(name: str, source: str) -> None:
    """What export named by the time counts together with the others there."""
    assert rotation.source_of(name) == source
    assert rotation.is_named_by_export(name) is (name != source)


def test_order() -> None:
    """Newest first, the later of one second before the earlier, the future last."""
    earlier = rotation.name_at(NOW - timedelta(hours=1))
    first, second = rotation.name_at(NOW), "cursors-20260502T183000Z_001.json"
    future = rotation.name_at(NOW + timedelta(seconds=61))
    assert rotation.is_from_the_future(future, NOW)
    assert not rotation.is_from_the_future(rotation.name_at(NOW + timedelta(seconds=60)), NOW)
    assert rotation.newest_first([first, future, earlier, second, "notes.json"], NOW) == [
        second,
        first,
        earlier,
        future,
    ]


@pytest.mark.parametrize("force", [False, True])
def test_surplus(force: bool) -> None:
    """All go but the newest, those that are needed and, without force, those of the future."""
    names = [rotation.name_at(NOW - timedelta(hours=hours)) for hours in range(4)]
    future = rotation.name_at(NOW + timedelta(hours=1))
    gone = rotation.surplus([*names, future], 2, {names[2]}, NOW, force=force)
    assert gone == ([names[3], future] if force else [names[3]])
