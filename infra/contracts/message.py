"""The shape every message shares: strict, frozen, finite, versioned."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

EventTimeMs = Annotated[int, Field(ge=0, lt=4_102_444_800_000, description="ms since 1970 UTC, before 2100")]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
Sku = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Location = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Segment = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$",
        description="what is planned alike, such as A/X/smooth",
    ),
]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the canonical JSON")]
Probability = Annotated[float, Field(gt=0, lt=1)]
Units = Annotated[int, Field(ge=0, le=10_000_000, description="base units")]
DemandUnits = Annotated[float, Field(ge=0, le=1e7, description="base units; fractional where sold by weight")]


Delivery = Literal["independent", "fifo"]
"""Whether a supplier's orders arrive independently of each other or never overtake an earlier one."""


UnmetDemand = Literal["lost", "backordered"]
"""What becomes of demand that the shelf cannot serve."""


def _integer(value: object) -> object:
    """`true` and `1.0` equal 1 in Python, but they are not the version 1."""
    if type(value) is not int:
        raise ValueError("an integer is expected")
    return value


def left_out_if_none(value: object) -> bool:
    """Left out of the bytes, so that messages written before the field existed keep their digests."""
    return value is None


Volume = Annotated[
    str, Field(pattern=r"^\d{1,9}(\.\d{1,6})?$", description="a decimal in the shop's unit of volume")
]


def left_out_if_independent(value: object) -> bool:
    """Left out of the bytes, so that messages written before the field existed keep their digests."""
    return value == "independent"


def left_out_if_lost(value: object) -> bool:
    """Left out of the bytes, so that messages written before the field existed keep their digests."""
    return value == "lost"


def left_out_if_zero(value: object) -> bool:
    """Left out of the bytes, so that messages written before the field existed keep their digests."""
    return value == 0


def left_out_if_empty(value: object) -> bool:
    """Left out of the bytes where nothing is said, for the same reason."""
    return value == []


class Record(BaseModel):
    """A value that is part of a message."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False, extra="ignore")


class Message(Record):
    """A message of version 1; unknown fields are ignored, an unknown version is refused."""

    version: Annotated[Literal[1], BeforeValidator(_integer)] = 1


class Heartbeat(Message):
    """Event time has reached `event_time_ms` on this partition; carries nothing else."""

    event_type: Literal["heartbeat"] = "heartbeat"
    event_time_ms: EventTimeMs


class Money(Record):
    """An exact amount: a decimal string with its ISO 4217 currency."""

    amount: Annotated[str, Field(pattern=r"^\d{1,12}(\.\d{1,4})?$")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
