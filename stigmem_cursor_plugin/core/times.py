"""Times as text: RFC 3339 in checkpoints, ISO 8601 in the host's tables."""

from datetime import UTC, datetime


def rfc3339_of(text: str) -> str | None:
    """Return a time of the database as RFC 3339 with ``Z``, None where it is no such time."""
    try:
        moment = datetime.fromisoformat(text)
        return rfc3339(moment.astimezone(UTC)) if moment.tzinfo and moment.year > 1000 else None
    except (ValueError, OverflowError):
        return None


def parse_time(text: str) -> datetime:
    """Return an RFC 3339 time as an aware datetime; a leap second becomes the second before."""
    return datetime.fromisoformat(text.upper().replace(":60", ":59"))


def rfc3339(moment: datetime) -> str:
    """Return an aware UTC datetime as RFC 3339 with ``Z``, as precise as it is."""
    return moment.isoformat().replace("+00:00", "Z")
