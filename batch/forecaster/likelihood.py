"""Likelihoods of the mixture heads, for whole units and for fractional demand, with stock-outs as bounds.

Mixtures are given by raw parameters (..., 3 * components [+ 1]): logits, log means and log dispersions of
counts; or logits, log scales and log shapes of Weibull distributions, then the logit of no demand, of
fractional demand. A Weibull's light tail is what a stock-out's bound needs: log-normals in its place made the
mean of cut sales 13 to 30 % too high (FreshRetailNet, series for development).
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import betainc
from torch import Tensor

from batch.forecaster.mixture_quantiles import MAX_EXPONENT

LEAST_PROBABILITY = 1e-12
DIFFERENCE = 1e-3


def count_log_likelihood(raw: Tensor, units: Tensor, uncensored: Tensor) -> Tensor:
    """Log probability of `units`, or of at least `units` where censored, under negative binomials."""
    logits, log_mean, log_k = torch.chunk(raw, 3, dim=-1)
    y = units[..., None]
    exact = negative_binomial_log_prob(y, log_mean, log_k)
    bound = (uncensored < 0.5) & (units > 0)
    # At least nothing is certain; the costly tail is needed only where something was sold.
    terms = torch.where(uncensored[..., None] > 0.5, exact, torch.zeros_like(exact))
    if bound.any():
        tail = _LogTail.apply(  # type: ignore[no-untyped-call]
            log_mean[bound], log_k[bound], y[bound].expand_as(log_mean[bound])
        )
        terms = terms.masked_scatter(bound[..., None].expand_as(terms), tail)
    return torch.logsumexp(torch.log_softmax(logits, dim=-1) + terms, dim=-1)


def negative_binomial_log_prob(y: Tensor, log_mean: Tensor, log_k: Tensor) -> Tensor:
    """Log probability with mean m and dispersion k, variance m + m ** 2 / k."""
    k = torch.exp(log_k)
    log_total = torch.logaddexp(log_mean, log_k)
    counts = torch.lgamma(y + k) - torch.lgamma(k) - torch.lgamma(y + 1)
    return counts + k * (log_k - log_total) + y * (log_mean - log_total)


class _LogTail(torch.autograd.Function):
    """log P(Y >= y), y > 0, of a negative binomial; slopes are differences: torch has no incomplete beta."""

    @staticmethod
    def forward(ctx: Any, log_mean: Tensor, log_k: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(log_mean, log_k, y)
        return _log_tail(log_mean, log_k, y, 0.0, 0.0)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, None]:
        log_mean, log_k, y = ctx.saved_tensors
        d = DIFFERENCE
        by_mean = _log_tail(log_mean, log_k, y, d, 0.0) - _log_tail(log_mean, log_k, y, -d, 0.0)
        by_k = _log_tail(log_mean, log_k, y, 0.0, d) - _log_tail(log_mean, log_k, y, 0.0, -d)
        return slope * by_mean / (2 * d), slope * by_k / (2 * d), None


def _log_tail(log_mean: Tensor, log_k: Tensor, y: Tensor, more_mean: float, more_k: float) -> Tensor:
    mean, k = np.exp(_double(log_mean) + more_mean), np.exp(_double(log_k) + more_k)
    probability = np.maximum(betainc(_double(y), k, mean / (mean + k)), LEAST_PROBABILITY)
    return torch.from_numpy(np.log(probability)).to(log_mean)


def _double(values: Tensor) -> NDArray[np.float64]:
    return values.detach().cpu().numpy().astype(np.float64)


def fractional_log_likelihood(raw: Tensor, units: Tensor, uncensored: Tensor) -> Tensor:
    """Log density of `units` (mass at 0), or log probability of at least as much where censored."""
    logits, log_scale, log_shape = torch.chunk(raw[..., :-1], 3, dim=-1)
    nothing = raw[..., -1]
    log_y = torch.log(units.clamp(min=1e-4))[..., None]
    z = (torch.exp(log_shape) * (log_y - log_scale)).clamp(max=MAX_EXPONENT)
    log_survival = -torch.exp(z)
    density = log_shape - log_y + z + log_survival
    weights = torch.log_softmax(logits, dim=-1)
    some = _log_sigmoid(-nothing)
    exact = torch.where(units > 0, some + torch.logsumexp(weights + density, dim=-1), _log_sigmoid(nothing))
    tail = torch.logsumexp(weights + log_survival, dim=-1)
    bound = torch.where(units > 0, some + tail, torch.zeros_like(some))
    return torch.where(uncensored > 0.5, exact, bound)


def _log_sigmoid(values: Tensor) -> Tensor:
    return torch.nn.functional.logsigmoid(values)
