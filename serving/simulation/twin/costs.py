"""What the twin charges, from a committed file that another one may override in part."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.errors import StockstreamError

DEFAULTS = Path(__file__).parent / "costs.yaml"


class Costs(BaseModel):
    """See `costs.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    holding_per_year: float = Field(ge=0)
    order_line: float = Field(ge=0)
    shortage_of_margin: float = Field(ge=0)
    shortage_floor: float = Field(ge=0)
    waste_of_cost: float = Field(ge=0)
    price: float = Field(gt=0)
    cost_of_price: float = Field(gt=0, le=1)


def read_costs(path: Path | None = None) -> Costs:
    """The committed costs, with those of another file in their place.

    Raises:
        StockstreamError: the file cannot be read; or names the field, its value and what is accepted.
    """
    values = _values(DEFAULTS) | ({} if path is None else _values(path))
    try:
        return Costs(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise StockstreamError(
            f"{path}: field '{field}' has value {first['input']!r}: {first['msg']}; there are: "
            f"{', '.join(Costs.model_fields)}"
        ) from None


def _values(path: Path) -> dict[str, float]:
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StockstreamError(f"{path} cannot be read as YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(values, dict):
        raise StockstreamError(f"{path}: a YAML mapping of costs is expected")
    return values
