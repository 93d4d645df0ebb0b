"""What a step of training minimises: likelihood of the mixture, pinball loss of the bent quantiles."""

from dataclasses import dataclass

import torch
from torch import Tensor

from batch.forecaster.config import ForecasterConfig
from batch.forecaster.likelihood import count_log_likelihood, fractional_log_likelihood


@dataclass(frozen=True)
class Targets:
    """(b, p, horizon) each: demand, 1 where it counts, and the level times index it has."""

    units: Tensor
    scored: Tensor
    scale: Tensor


def training_loss(
    mixture: Tensor, bent: Tensor, targets: Targets, config: ForecasterConfig, bent_loss: float
) -> Tensor:
    """Mean negative log-likelihood of the mixture plus the pinball loss of the bent quantiles."""
    likelihood = count_log_likelihood if config.counts else fractional_log_likelihood
    raw = shifted(mixture, torch.log(targets.scale), config.components)
    scored = targets.scored.sum().clamp(min=1.0)
    nll = -(likelihood(raw, targets.units) * targets.scored).sum() / scored
    levels = torch.tensor(config.quantile_levels, device=bent.device)
    loss: Tensor = nll + bent_loss * pinball_loss(bent, targets, levels)
    return loss


def shifted(mixture: Tensor, log_scale: Tensor, components: int) -> Tensor:
    """Mixture parameters in units: the log means or medians moved by the log of the scale."""
    parts = [components, components, mixture.shape[-1] - 2 * components]
    logits, location, rest = torch.split(mixture, parts, dim=-1)
    return torch.cat([logits, location + log_scale[..., None], rest], dim=-1)


def pinball_loss(quantiles: Tensor, targets: Targets, levels: Tensor) -> Tensor:
    """Mean pinball loss in units, each day divided by the square root of its scale."""
    error = targets.units[..., None] - quantiles * targets.scale[..., None]
    loss = (levels * torch.relu(error) + (1 - levels) * torch.relu(-error)).mean(dim=3)
    return (loss * targets.scored / targets.scale.sqrt()).mean()
