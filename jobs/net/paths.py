# pyright: reportUnknownMemberType=false
# torch leaves from_numpy untyped.
"""The gradient of the body, integrated along straight lines between codes: all that an attribution asks of a net.

The first Linear of the body is linear in the point of a line, so it is applied to both ends and interpolated; its
transpose comes last on the way back, so it is applied once, to the sum over the points. With two blocks and four nodes
6 1/4 products remain of 8, and each ReLU is one pass (kernels.py).
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jobs.net import kernels
from jobs.net.codes import Matrix
from jobs.net.factors import term_gradient
from jobs.net.resnet import Block, Body

_POINTS = 1024  # of lines that pass the body at once


@dataclass(frozen=True, slots=True)
class _Folded:
    """A block in evaluation with its normalisation folded into the Linear behind it.

    Attributes:
        widen: (d_hidden, d_block), on codes that are not normalised.
        widen_bias: (d_hidden,).
        narrow: (d_block, d_hidden).
        narrow_bias: (d_block,).
    """

    widen: Tensor
    widen_bias: Tensor
    narrow: Tensor
    narrow_bias: Tensor


def path_gradients(body: Body, h: Matrix, references: Matrix, nodes: int) -> Matrix:
    """Integrate the gradient of the body from every reference code to every code.

    Args:
        body: whose logit is meant.
        h: (n, d_code) summed codes of the rows.
        references: (n_references, d_code) summed codes to start from.
        nodes: of the Gauss-Legendre rule.

    Returns:
        (n, n_references, d_code) float32. Cost: n x n_references x nodes passes of the body, forward and backward.
    """
    d, n_factored = body.shape.d_block, body.shape.n_factored
    if not n_factored:
        return _deep_gradients(body, h, references, nodes)
    deep = _deep_gradients(body, h[:, :d].copy(), references[:, :d].copy(), nodes)
    at_end, at_start = (term_gradient(sums, n_factored) for sums in (h[:, d:], references[:, d:]))
    return np.concatenate([deep, (at_end[:, None] + at_start) / np.float32(2)], axis=2)


@torch.inference_mode()
def _deep_gradients(body: Body, h: Matrix, references: Matrix, nodes: int) -> Matrix:
    """The same of the blocks and the head, (n, n_references, d_block)."""
    at, weight = np.polynomial.legendre.leggauss(nodes)
    alpha, share = ((at + 1) / 2).astype(np.float32), (weight / 2).astype(np.float32)
    blocks, (scale, shift) = [_fold(block) for block in body.layers], body.norm.scale_and_shift()
    head = scale * body.last.weight[0]  # (d_block,) gradient of the logit where the last ReLU is open
    ends, starts = _ends(blocks[0], h), _ends(blocks[0], references)
    out = np.empty((len(h), *references.shape), np.float32)
    n_chunk = max(1, _POINTS // (nodes * len(references)))
    for first in range(0, len(h), n_chunk):
        chunk = slice(first, first + n_chunk)
        line = [_interpolated(start, end[chunk], alpha) for start, end in zip(starts, ends, strict=True)]
        hidden, code = line[0].relu_(), line[1]  # (n_points, d_hidden), (n_points, d_block)
        opened = [hidden]
        code = torch.addmm(code, hidden, blocks[0].narrow.T)
        for block in blocks[1:]:
            opened.append(torch.addmm(block.widen_bias, code, block.widen.T).relu_())
            code = torch.addmm(code.add_(block.narrow_bias), opened[-1], block.narrow.T)
        gradient = torch.empty_like(code)
        kernels.open_relu(code.numpy(), scale.numpy(), shift.numpy(), head.numpy(), gradient.numpy())
        for block, z in zip(reversed(blocks[1:]), reversed(opened[1:]), strict=True):
            gradient.addmm_(_through_relu(gradient @ block.narrow, z), block.widen)
        inner = _through_relu(gradient @ blocks[0].narrow, hidden)
        total = torch.addmm(_summed(gradient, share), _summed(inner, share), blocks[0].widen)  # (chunk x refs, d_block)
        out[chunk] = total.view(-1, *references.shape).numpy()
    return out


def _fold(block: Block) -> _Folded:
    scale, shift = block.norm.scale_and_shift()
    widen = block.widen.weight
    return _Folded(widen * scale, block.widen.bias + widen @ shift, block.narrow.weight, block.narrow.bias)


def _ends(block: _Folded, codes: Matrix) -> tuple[Matrix, Matrix]:
    """What of a block is linear in the code: (n, d_hidden) before its ReLU, and (n, d_block) beside it."""
    h = torch.from_numpy(codes)
    return torch.addmm(block.widen_bias, h, block.widen.T).numpy(), (h + block.narrow_bias).numpy()


def _interpolated(starts: Matrix, ends: Matrix, alpha: NDArray[np.float32]) -> Tensor:
    """(len(ends) x len(starts) x len(alpha), d) points of the line from every start to every end, in this order."""
    out = torch.empty(len(ends) * len(starts) * len(alpha), starts.shape[1])
    kernels.interpolate(starts, ends, alpha, out.numpy())
    return out


def _through_relu(gradient: Tensor, z: Tensor) -> Tensor:
    out = torch.empty_like(gradient)
    kernels.relu_dropout_gradient(gradient.numpy(), z.numpy(), np.float32(1), out.numpy())
    return out


def _summed(points: Tensor, share: NDArray[np.float32]) -> Tensor:
    """(n_lines, d): the points of each line, summed with the weights of the rule."""
    out = torch.empty(len(points) // len(share), points.shape[1])
    kernels.weigh_points(points.numpy(), share, out.numpy())
    return out
