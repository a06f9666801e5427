"""The steps of the body's weights are those of torch's optimizers."""

import numpy as np
import pytest
import torch

from jobs.net.optimizers import optimizer_of

THEIRS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", list(THEIRS))
def test_steps_equal_those_of_torch(name: str, decay: float) -> None:
    random = np.random.default_rng(1)
    start = random.normal(size=40).astype(np.float32)
    gradients = (random.normal(size=(15, 40)) * 10.0 ** random.integers(-5, 3, 40)).astype(np.float32)
    gradients[:, 7] = 0
    ours = start.copy()
    optimizer = optimizer_of(name, ours, 0.01, decay)
    parameter = torch.nn.Parameter(torch.from_numpy(start.astype(np.float64)))
    reference = THEIRS[name]([parameter], lr=0.01, weight_decay=decay)
    for gradient in gradients:
        optimizer.step(gradient)
        parameter.grad = torch.from_numpy(gradient.astype(np.float64))
        reference.step()
    np.testing.assert_allclose(ours, parameter.detach().numpy(), rtol=2e-5, atol=2e-6)
    assert np.abs(ours - start).max() > 0.01
