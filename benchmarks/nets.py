"""A net of Winnow's default sizes that was never trained but computes like one, and its twin on dense rows.

What an attribution costs depends on the sizes alone, so no net is trained for it. No code is zero: the worst case.
"""

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.peers.net import DenseNet
from jobs.net.linear import LinearModel
from jobs.net.resnet import Body, BodyShape
from jobs.net.training import Epoch, Net

_SCALE = 0.1  # of codes and linear weights: some hundred non-zeros make a code of about one


def awake_net(n_codes: int, seed: int) -> Net:
    """Return a net whose codes, linear part and body are all random."""
    random, shape = np.random.default_rng(seed), BodyShape()
    W = random.normal(scale=_SCALE, size=(n_codes, shape.d_block)).astype(np.float32)
    linear = LinearModel(random.normal(scale=_SCALE, size=n_codes).astype(np.float32), -1.0)
    body = Body(shape, seed)
    awaken(body, seed)
    return Net(linear, W, body, (Epoch(0, 0.0, 0.0),))


@torch.no_grad()
def awaken(body: Body, seed: int) -> None:
    """Give the normalisations random weights and running statistics and the head random weights, as if trained."""
    random = torch.Generator().manual_seed(seed)
    for norm in (*(block.norm for block in body.layers), body.norm):
        mean, variance = norm.moments
        norm.weight.uniform_(0.5, 1.5, generator=random)
        norm.bias.normal_(std=0.3, generator=random)
        mean.normal_(std=0.3, generator=random)
        variance.uniform_(0.3, 1.3, generator=random)
    body.last.weight.normal_(std=0.3, generator=random)


class DenseTwin(nn.Module):
    """The same net on dense rows: (n, n_codes) -> logits (n, 1).

    Args:
        net: with a body of default sizes.
    """

    def __init__(self, net: Net) -> None:
        super().__init__()
        n_codes, shape = len(net.W), BodyShape()
        self.deep = DenseNet(n_codes, shape, seed=0)
        self.skip = nn.Linear(n_codes, 1)
        pairs = [(self.deep.head[0], net.body.norm), (self.deep.head[2], net.body.last)]
        for dense, block in zip(self.deep.blocks, net.body.layers, strict=True):
            pairs += zip((dense.branch[0], dense.branch[1], dense.branch[4]), block.children(), strict=True)
        for mine, theirs in pairs:
            mine.load_state_dict(theirs.state_dict())
        with torch.no_grad():
            self.deep.first.weight.copy_(torch.from_numpy(net.W.T))
            self.deep.first.bias.zero_()
            self.skip.weight.copy_(torch.from_numpy(net.linear.w)[None])
            self.skip.bias.fill_(net.linear.b)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        return self.deep(x) + self.skip(x)
