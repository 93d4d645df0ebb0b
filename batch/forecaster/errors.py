"""Why a model or its forecast is not used.

StockstreamError
├── ModelRejected      an artifact is missing, damaged, of another feature schema, or fails its gate
└── ForecastRejected   quantiles are not finite, negative or crossing
"""

from infra.errors import StockstreamError


class ModelRejected(StockstreamError):
    """An artifact that must not serve."""


class ForecastRejected(StockstreamError):
    """A forecast that must not be published; the fallback takes its place."""
