"""What every body of a request has in common."""

from pydantic import BaseModel, ConfigDict


class Asked(BaseModel):
    """A body; fields it does not know are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
