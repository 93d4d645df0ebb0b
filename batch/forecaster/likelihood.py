"""Likelihoods of the mixture heads, for whole units and for fractional demand.

Mixtures are given by raw parameters (..., 3 * components [+ 1]): logits, log means and log dispersions of
counts; or logits, log scales and log shapes of Weibull distributions, then the logit of no demand, of
fractional demand.
"""

import torch
from torch import Tensor

from batch.forecaster.mixture_quantiles import MAX_EXPONENT


def count_log_likelihood(raw: Tensor, units: Tensor) -> Tensor:
    """Log probability of `units` under negative binomials."""
    logits, log_mean, log_k = torch.chunk(raw, 3, dim=-1)
    terms = negative_binomial_log_prob(units[..., None], log_mean, log_k)
    return torch.logsumexp(torch.log_softmax(logits, dim=-1) + terms, dim=-1)


def negative_binomial_log_prob(y: Tensor, log_mean: Tensor, log_k: Tensor) -> Tensor:
    """Log probability with mean m and dispersion k, variance m + m ** 2 / k."""
    k = torch.exp(log_k)
    log_total = torch.logaddexp(log_mean, log_k)
    counts = torch.lgamma(y + k) - torch.lgamma(k) - torch.lgamma(y + 1)
    return counts + k * (log_k - log_total) + y * (log_mean - log_total)


def fractional_log_likelihood(raw: Tensor, units: Tensor) -> Tensor:
    """Log density of `units`, with a mass at 0, under Weibull distributions."""
    logits, log_scale, log_shape = torch.chunk(raw[..., :-1], 3, dim=-1)
    nothing = raw[..., -1]
    log_y = torch.log(units.clamp(min=1e-4))[..., None]
    z = (torch.exp(log_shape) * (log_y - log_scale)).clamp(max=MAX_EXPONENT)
    density = log_shape - log_y + z - torch.exp(z)
    some = _log_sigmoid(-nothing) + torch.logsumexp(torch.log_softmax(logits, dim=-1) + density, dim=-1)
    return torch.where(units > 0, some, _log_sigmoid(nothing))


def _log_sigmoid(values: Tensor) -> Tensor:
    return torch.nn.functional.logsigmoid(values)
