"""One pricing pass: the cheapest column of every workload, over every legal placement.

An evaluation is one legal (workload, pool, gang, start), without a claim or with one from an open programme; one with a
claim that cannot win is cut off after its first sum, and counts. Without a claim it reads 6 prefix sums and writes a
price (7 x 8 = 56 bytes) with 14 additions and multiplications. A pool's row of sums (8 * (T + 1) bytes) stays in the
first cache. ``extra_info`` compares with what numpy reaches here: the peak of a product of matrices divided by 14, a
limit, and the bandwidth of a copy divided by 56, which a pass exceeds as long as its data stays in cache.
"""

from __future__ import annotations

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from benches.cases import ascended, instance_of, size_of
from benches.machine import memory_bytes_per_second, peak_flops_per_second
from tehai.engine import EngineInstance
from tehai.engine.market_arrays import FloatArray

FLOPS_PER_EVALUATION = 14
BYTES_PER_EVALUATION = 56
# Thresholds beyond every price and every number of columns: all legal columns come back.
EVERY_PRICE_YEN = 1e18
EVERY_COLUMN = 100_000_000


def evaluations_with_claims(instance: EngineInstance, prices: FloatArray) -> int:
    """Count legal placements, each once without a claim and once for each programme open to it."""
    columns = instance.native.cheap_columns(prices, EVERY_PRICE_YEN, EVERY_COLUMN)
    return int(np.count_nonzero(columns["mode"] >= 0))


def test_pricing(benchmark: BenchmarkFixture, case_name: str) -> None:
    """Times one pass at the prices after the ascent, and it reproduces their bound."""
    instance, state = instance_of(case_name), ascended(case_name)
    evaluations = evaluations_with_claims(instance, state.prices)
    bound, _, _, _ = benchmark(instance.native.evaluate, state.prices)
    flops, memory = peak_flops_per_second(), memory_bytes_per_second()
    benchmark.extra_info |= {
        "size": size_of(case_name),
        "evaluations": evaluations,
        "evaluations_without_claims": instance.native.start_count(),
        "limit_by_arithmetic_per_second": round(flops / FLOPS_PER_EVALUATION),
        "from_memory_per_second": round(memory / BYTES_PER_EVALUATION),
    }
    if benchmark.stats is not None:  # None where timing is switched off
        median = benchmark.stats.stats.median
        benchmark.extra_info["evaluations_per_second"] = round(evaluations / median)
        benchmark.extra_info["without_claims_per_second"] = round(instance.native.start_count() / median)
    assert np.isclose(bound, state.bound, rtol=1e-12)
    assert evaluations >= instance.native.start_count()
