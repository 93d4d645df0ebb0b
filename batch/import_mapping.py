"""How a shop's own file is read: the mapping of `stockstream import`, checked field by field."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from infra.contracts.message import Identifier, Location
from infra.errors import StockstreamError


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("an IANA time zone such as Europe/London is expected") from None
    return name


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"a regular expression is expected: {error}") from None
    return text


TimeZone = Annotated[str, AfterValidator(_known_zone)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Column = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(_Part):
    """Names of the file's columns that every kind needs; `location` only where it is not constant."""

    sku: Column
    location: Column | None = None


class SalesColumns(Columns):
    """`quantity` in base units, `unit_price` in the mapping's currency."""

    time: Column
    quantity: Column
    unit_price: Column
    session_id: Column | None = None


class StockColumns(Columns):
    """`on_hand` is the level from `time` on; `backordered` and `reserved` only where the file has them."""

    time: Column
    on_hand: Column
    backordered: Column | None = None
    reserved: Column | None = None


class OrderColumns(Columns):
    """`supplier` only where it is not constant."""

    order_id: Column
    supplier: Column | None = None


class ReturnRule(_Part):
    """A line is a return where the text of `column` begins with `prefix`."""

    column: Column
    prefix: Annotated[str, Field(min_length=1)]


class Exclusions(_Part):
    """Lines that are no demand; each rule is counted, in this order."""

    sku_not_matching: Annotated[str, AfterValidator(_pattern)] | None = None
    negative_quantity: bool = False
    price_not_positive: bool = False


class OrderEvent(_Part):
    """Columns of one state change of an order; a blank `time` means it has not happened."""

    time: Column
    quantity: Column


class _Mapping(_Part):
    file: Path
    format: Literal["csv", "parquet"]
    time_zone: TimeZone
    time_format: str | None = Field(None, description="strptime format; ISO 8601 when absent")
    location: Location | None = None
    until: date | None = Field(None, description="first local day that is not imported")
    calendars: list[Path] = Field([], description="YAML files, one location's calendar each")
    columns: Columns

    @model_validator(mode="after")
    def _one_location(self) -> Self:
        if (self.location is None) == (self.columns.location is None):
            raise ValueError("give either location (a constant) or columns.location (a column name)")
        return self


class SalesMapping(_Mapping):
    """Invoice lines: purchases and returns."""

    kind: Literal["sales"]
    currency: Currency
    columns: SalesColumns
    returns: ReturnRule | Literal["negative_quantity"] | None = None
    exclude: Exclusions = Exclusions()


class StockMapping(_Mapping):
    """Stock levels."""

    kind: Literal["stock"]
    columns: StockColumns


class OrdersMapping(_Mapping):
    """Purchase orders, one line per order and SKU with a time for each state it has reached."""

    kind: Literal["orders"]
    columns: OrderColumns
    supplier: Identifier | None = None
    events: Annotated[
        dict[Literal["placed", "acknowledged", "received", "cancelled"], OrderEvent], Field(min_length=1)
    ]

    @model_validator(mode="after")
    def _one_supplier(self) -> Self:
        if (self.supplier is None) == (self.columns.supplier is None):
            raise ValueError("give either supplier (a constant) or columns.supplier (a column name)")
        return self


Mapping = SalesMapping | StockMapping | OrdersMapping
_MAPPING: TypeAdapter[Mapping] = TypeAdapter(Annotated[Mapping, Field(discriminator="kind")])


def load_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file, with `file` and `calendars` resolved against the file's folder.

    Raises:
        StockstreamError: unreadable, or a field is unusable; names it, its value and what is accepted.
    """
    content = read_yaml(path)
    try:
        mapping = _MAPPING.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        kinds = {"sales", "stock", "orders"}
        field = ".".join(str(part) for part in first["loc"] if part not in kinds) or "mapping"
        raise StockstreamError(f"{path}: {field} has value {first['input']!r:.80}: {first['msg']}") from None
    calendars = [path.parent / calendar for calendar in mapping.calendars]
    return mapping.model_copy(update={"file": path.parent / mapping.file, "calendars": calendars})


def read_yaml(path: Path) -> object:
    """Content of a YAML file.

    Raises:
        StockstreamError: missing, unreadable or not YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StockstreamError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StockstreamError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
