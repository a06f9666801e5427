"""What this machine could do at best: the least time in which the arithmetic of a stage can be done at all.

    python -m benchmarks.limits DROP --row-steps 2500000 --points 1280000

    read        pyarrow alone decodes every column of the drop and throws it away
    train       the float32 matrix products of forward and backward of the body, for all rows that the nets stepped over
    correlate   the multiply-adds of X'X over non-zeros, at the rate of a loop that adds scaled rows into L1
    explain     the matrix products of forward and input gradient, for as many points of the path

Each is printed as a stage; the seconds of the last three are measured on a part and divided by it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import numba
import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from benchmarks.peers.sides import POLICY, arguments, parts_of
from benchmarks.peers.trees import read_csr
from benchmarks.stages import stage
from jobs.net.resnet import BodyShape
from jobs.net.threads import compute_on

_THREADS = 2
_BATCH = 1024
_MEASURED_BATCHES = 400  # of each thread
_ADDED_NUMBERS = 40  # in a row that is added: a usual number of non-zeros
_GRAM_WIDTH = 2048
_ROUNDS = 4_000_000


def main() -> None:
    """Measure all four."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--row-steps", type=int, required=True, help="rows x passes, summed over the nets")
    parser.add_argument("--points", type=int, required=True, help="explained rows x background rows x nodes")
    options = parser.parse_args()
    with stage("read") as facts:
        found = {"threads of pyarrow": _decode_in_turn(options.drop), "parts side by side": _decode_parts(options.drop)}
        best = min(found, key=found.__getitem__)
        facts |= {"limit_seconds": round(found[best], 3), "how": best}
    for name, products, rows in (("train", 3, options.row_steps), ("explain", 2, options.points)):
        with stage(name) as facts:
            rate = _side_by_side(lambda products=products: _product_rate(products))
            facts |= {"limit_seconds": round(rows / rate, 3), "how": f"{rows:,} rows at {rate:,.0f} a second"}
    with stage("correlate") as facts:
        work = _multiply_adds(options.drop)
        rate = _side_by_side(_add_rate)
        facts |= {"limit_seconds": round(work / rate, 3), "how": f"{work:,.0f} multiply-adds at {rate:,.0f} a second"}


def _decode_in_turn(drop: Path) -> float:
    begun = perf_counter()
    for part in parts_of(drop):
        file = pq.ParquetFile(part)
        for group in range(file.num_row_groups):
            file.read_row_group(group, use_threads=True)
    return perf_counter() - begun


def _decode_parts(drop: Path) -> float:
    def decode(part: Path) -> None:
        file = pq.ParquetFile(part)
        for group in range(file.num_row_groups):
            file.read_row_group(group, use_threads=False)

    begun = perf_counter()
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(decode, parts_of(drop)))
    return perf_counter() - begun


def _side_by_side(rate: Callable[[], float]) -> float:
    """The sum of the rates of two threads that work at the same time."""
    with ThreadPoolExecutor(_THREADS, initializer=compute_on, initargs=(1,)) as pool:
        return sum(measured.result() for measured in [pool.submit(rate) for _ in range(_THREADS)])


@torch.inference_mode()
def _product_rate(products: int) -> float:
    """Rows a second through the matrix products of the body on one thread.

    Args:
        products: for each Linear: 3 to train (output, gradient of input, gradient of weight), 2 without the last.
    """
    shape = BodyShape()
    d, wide = shape.d_block, shape.d_block * shape.d_hidden_factor
    narrow, broad = torch.randn(_BATCH, d), torch.randn(_BATCH, wide)
    weight, gradient = torch.randn(wide, d), torch.empty(wide, d)
    to_broad, to_narrow = torch.empty(_BATCH, wide), torch.empty(_BATCH, d)

    def one_batch() -> None:
        for _ in range(2 * shape.n_blocks):  # each Linear has the other's shape, so its products have the same cost
            torch.mm(narrow, weight.T, out=to_broad)
            torch.mm(broad, weight, out=to_narrow)
            if products > 2:
                torch.mm(broad.T, narrow, out=gradient)

    one_batch()
    begun = perf_counter()
    for _ in range(_MEASURED_BATCHES):
        one_batch()
    return _MEASURED_BATCHES * _BATCH / (perf_counter() - begun)


def _multiply_adds(drop: Path) -> float:
    """Of X'X: half the squared non-zeros of each training row, summed."""
    Z, _ = read_csr(drop)
    counts = np.diff(Z.indptr).astype(np.float64)
    return float((counts * (counts + 1) / 2).sum() * (1 - POLICY.test - POLICY.valid))


def _add_rate() -> float:
    """Multiply-adds a second of one thread that adds scaled sparse rows to a dense row in L1."""
    random = np.random.default_rng(0)
    places = np.sort(random.choice(_GRAM_WIDTH, _ADDED_NUMBERS, replace=False)).astype(np.int32)
    values, total = random.random(_ADDED_NUMBERS, np.float32), np.zeros(_GRAM_WIDTH, np.float32)
    _add_rows(places, values, total, 1)
    begun = perf_counter()
    _add_rows(places, values, total, _ROUNDS)
    return _ROUNDS * _ADDED_NUMBERS / (perf_counter() - begun)


@numba.njit(nogil=True)  # type: ignore[misc]
def _add_rows(places: NDArray[np.int32], values: NDArray[np.float32], total: NDArray[np.float32], rounds: int) -> None:
    for at in range(rounds):
        scale = np.float32(at & 7)
        for k in range(len(places)):
            total[places[k]] += scale * values[k]


if __name__ == "__main__":
    main()
