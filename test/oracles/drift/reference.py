"""Writes reference.json: scipy's figures for the two-sample tests and the laws behind them.

python3 -m venv ENV && ENV/bin/pip install scipy==1.14.1 'numpy<2.3'
ENV/bin/python test/oracles/drift/reference.py
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy import stats
from scipy.spatial.distance import jensenshannon

sys.path.append(str(Path(__file__).parent.parent))
from mulberry32 import mulberry32  # noqa: E402

rng = np.random.default_rng(20261205)


def golden():
    """500 standard normal values, then 400 with mean .25 and sd 1.1."""
    uniform = mulberry32(42)

    def one():
        u, v = 1 - next(uniform), next(uniform)
        return math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v)

    return [one() for _ in range(500)], [0.25 + 1.1 * one() for _ in range(400)]


def p_of(result):
    """scipy has no figure where all values are equal, or one is compared with one: nothing can be told, p is 1."""
    return 1.0 if math.isnan(result.pvalue) else float(result.pvalue)


def samples(name, reference, window, keep=True):
    reference, window = [float(x) for x in reference], [float(x) for x in window]
    ks = {method: stats.ks_2samp(reference, window, method=method) for method in ("exact", "asymp", "auto")}
    mw = stats.mannwhitneyu(reference, window)
    return {
        "name": name,
        **({"reference": reference, "window": window} if keep else {}),
        "distance": float(ks["auto"].statistic),
        "ks": {method: p_of(result) for method, result in ks.items()},
        "u": float(mw.statistic),
        "mannWhitney": p_of(mw),
        "wasserstein": float(stats.wasserstein_distance(reference, window)),
    }


first, second = golden()
cases = [
    samples("golden, 500 and 400", first, second, keep=False),
    samples("golden, first 20 and 15", first[:20], second[:15], keep=False),
    samples("golden, first 8 and 8", first[:8], second[:8], keep=False),
    samples("one and one", [1], [2]),
    samples("two and one, tied", [1, 1], [1]),
    samples("all equal", [3] * 12, [3] * 9),
    samples("apart", range(40), range(100, 140)),
    samples("apart, 3 and 50", range(3), range(100, 150)),
    samples("binary", rng.binomial(1, 0.3, 60), rng.binomial(1, 0.6, 45)),
    samples("8 and 60", rng.normal(0, 1, 8).round(6), rng.normal(1, 1, 60).round(6)),
    samples("60 and 8", rng.normal(0, 1, 60).round(6), rng.normal(0.5, 1, 8).round(6)),
    samples("60 and 9", rng.normal(0, 1, 60).round(6), rng.normal(0.5, 1, 9).round(6)),
]
for _ in range(30):
    n, m = (int(x) for x in rng.integers(2, 70, 2))
    decimals = int(rng.integers(0, 4))
    shift = float(rng.choice([0, 0.2, 1, 3]))
    cases.append(
        samples(
            f"random, {n} and {m}, {decimals} decimals",
            rng.normal(0, 1, n).round(decimals),
            rng.normal(shift, 1, m).round(decimals),
        )
    )


def binned(name, reference, window):
    """As samples whose values are the numbers of the bins."""
    bins = np.arange(len(reference))
    a, b = np.repeat(bins, reference), np.repeat(bins, window)
    case = samples(name, a, b, keep=False)
    return {**case, "reference": [int(x) for x in reference], "window": [int(x) for x in window]}


bins = [binned("far tail", [300, 300, 300, 100], [0, 100, 100, 200])]
for _ in range(15):
    size = int(rng.integers(2, 21))
    shares = rng.dirichlet(np.ones(size) * 3)
    other = rng.dirichlet(np.ones(size) * 3) if rng.random() < 0.5 else shares
    n, m = (int(x) for x in rng.integers(50, 3000, 2))
    bins.append(binned(f"{size} bins, {n} and {m}", rng.multinomial(n, shares), rng.multinomial(m, other)))


def table(reference, window):
    both = [(r, w) for r, w in zip(reference, window) if r + w > 0]
    observed = np.array(both, float).T
    result = {}
    for key, settings in {
        "plain": {"correction": False},
        "yates": {"correction": True},
        "ratio": {"correction": False, "lambda_": "log-likelihood"},
    }.items():
        found = stats.chi2_contingency(observed, **settings)
        result[key] = [float(found.statistic), int(found.dof), float(found.pvalue)]
    p, q = observed[0] / observed[0].sum(), observed[1] / observed[1].sum()
    whole = bool((observed > 0).all())
    return {
        "reference": [int(x) for x in reference],
        "window": [int(x) for x in window],
        **result,
        "leastExpected": float(found.expected_freq.min()),
        "distance2": float(jensenshannon(p, q, base=2)),
        "distanceE": float(jensenshannon(p, q)),
        "largest": float(np.abs(p - q).max()),
        "variation": float(np.abs(p - q).sum() / 2),
        "psi": float(((p - q) * np.log(p / q)).sum()) if whole else None,
    }


edges = np.quantile(first, np.linspace(0, 1, 11))
deciles = [np.histogram(np.clip(side, edges[0], edges[-1]), edges)[0] for side in (first, second)]
tables = [
    table([120, 80, 40, 10], [100, 95, 60, 20]),
    table([120, 80], [95, 100]),
    table([50, 50], [50, 50]),
    table([51, 50], [50, 50]),
    table([100, 0, 40], [90, 30, 50]),
    table([300, 100, 100], [60, 200, 240]),
    table(*deciles),
]
for _ in range(20):
    size = int(rng.integers(2, 12))
    shares = rng.dirichlet(np.ones(size))
    tables.append(table(rng.multinomial(400, shares), rng.multinomial(int(rng.integers(60, 2000)), shares)))

tails = [0.9, 0.5, 0.05, 0.01, 1e-4, 1e-9, 1e-20, 1e-40]
freedoms = [1, 2, 3, 4, 9, 19, 99, 400]
laws = {
    "chiSquareSurvival": [
        [float(x), f, float(stats.chi2.sf(x, f))]
        for f in freedoms
        for x in [0.01 * f, 0.5 * f, f, f + 1.5, 2 * f + 3, 200, f + 190]
    ],
    "chiSquareUpperQuantile": [[t, f, float(stats.chi2.isf(t, f))] for f in freedoms for t in tails],
    "kolmogorovSurvival": [
        [n, d, float(stats.kstwo.sf(d, n))]
        for n in [1, 2, 3, 7, 20, 100, 139, 140, 141, 250, 454, 1000, 5000, 20000]
        for d in [float(math.sqrt(s / n)) for s in [0.05, 0.2, 0.6, 0.76, 1.2, 2.1, 2.3, 3.9, 4.1, 9, 20, 46, 90]]
        if d <= 1
    ],
    "smirnovSurvival": [
        [n, d, float(scipy.special.smirnov(n, d))]
        for n in [1, 5, 60, 1000]
        for d in [0.01, 0.1, 0.3, 0.5, 0.9, 0.999]
        if scipy.special.smirnov(n, d) > 1e-290
    ],
    "normalSurvival": [[x, float(stats.norm.sf(x))] for x in [-2, 0, 1.234, 3, 6, 13, 30]],
    "studentUpperQuantile": [
        [t, f, float(stats.t.isf(t, f))] for f in [2, 5, 9, 30, 1000] for t in [0.25, 0.05, 0.00135, 1e-6, 1e-12]
    ],
}
intervals = []
for k in [3, 6, 10, 40]:
    values = [float(x) for x in rng.normal(3, 0.5, k).round(4)]
    sd = float(np.std(values, ddof=1) * math.sqrt(1 + 1 / k))
    outside = float(2 * stats.norm.sf(3))
    reach = float(stats.t.isf(outside / 2, k - 1)) * sd
    intervals.append(
        {
            "values": values,
            "low": float(np.mean(values)) - reach,
            "high": float(np.mean(values)) + reach,
            "next": 4.5,
            "p": float(2 * stats.t.sf(abs(4.5 - np.mean(values)) / sd, k - 1)),
        }
    )
corrections = []
for ps in ([0.01], [0.04, 0.01, 0.03, 0.5], list(rng.random(20) ** 3), [0.0, 1.0, 0.2, 0.2, 0.2, 1e-40]):
    ps = [float(p) for p in ps]
    corrections.append([ps, [float(p) for p in stats.false_discovery_control(ps)]])

result = {
    "made": {"scipy": scipy.__version__, "numpy": np.__version__},
    "samples": cases,
    "bins": bins,
    "tables": tables,
    "deciles": [[float(x) for x in edges], *[[int(x) for x in side] for side in deciles]],
    "laws": laws,
    "intervals": intervals,
    "corrections": corrections,
}
Path(__file__).with_name("reference.json").write_text(json.dumps(result) + "\n")
print(json.dumps(cases[:3], indent=1), tables[6]["psi"], laws["normalSurvival"][4])
