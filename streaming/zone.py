"""Whose record is it? One job per time zone; each record belongs to exactly one of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.settings import Settings


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Zone:
    """The locations of a job's time zone.

    Attributes:
        name: the time zone.
        locations: those in the zone.
        elsewhere: those in other zones.
        takes_unknown: whether records that name no known location are this job's.
    """

    name: str
    locations: Sequence[str]
    elsewhere: Sequence[str]
    takes_unknown: bool

    def owns(self, location: str) -> str:
        """SQL predicate: a record with this location, or none that can be read, is this job's."""
        if not self.takes_unknown:
            return f"{location} IN ({_list(self.locations)})"
        if not self.elsewhere:
            return "TRUE"
        return f"({location} IS NULL OR {location} NOT IN ({_list(self.elsewhere)}))"

    def is_unknown(self, location: str) -> str:
        """SQL predicate: a location is in no zone of the settings."""
        return f"{location} NOT IN ({_list([*self.locations, *self.elsewhere])})"


def zone_of(settings: Settings, name: str) -> Zone:
    """A zone of the settings; the first takes what names no known location."""
    elsewhere = [each for zone, own in settings.zones.items() if zone != name for each in own]
    return Zone(name, settings.zones[name], elsewhere, name == settings.time_zone)


def _list(locations: Sequence[str]) -> str:
    return ", ".join(map(literal, locations))
