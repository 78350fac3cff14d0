"""Writes reference.json: intervals of shifts by scipy's mannwhitneyu, found by trying every shift at which ranks can change.

python3 -m venv ENV && ENV/bin/pip install scipy==1.17.1 numpy==2.4.6
ENV/bin/python test/oracles/kayenta/reference.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(20261125)
CONFIDENCE = 0.98


def z(canary, baseline, shift):
    """Signed, with ties and continuity correction, from the two-sided p-value."""
    u, p = stats.mannwhitneyu(
        canary - shift, baseline, alternative="two-sided", method="asymptotic", use_continuity=True
    )
    return float(np.sign(u - len(canary) * len(baseline) / 2) * stats.norm.isf(p / 2))


def interval(canary, baseline):
    """Ranks change only at differences of a pair; between two of them z is one number."""
    differences = (canary[:, None] - baseline[None, :]).ravel()
    edges = np.unique(differences)
    levels = np.array([z(canary, baseline, (a + b) / 2) for a, b in zip(edges[:-1], edges[1:])])
    bound = stats.norm.isf((1 - CONFIDENCE) / 2)

    def falls(level):
        at_ends = z(canary, baseline, edges[0]), z(canary, baseline, edges[-1])
        if at_ends[0] <= level:
            return float(edges[0])
        if at_ends[1] >= level:
            return float(edges[-1])
        return float(edges[int(np.sum(levels > level))])

    return {"low": falls(bound), "high": falls(-bound), "estimate": float(np.median(differences))}


def case(name, canary, baseline):
    canary, baseline = np.asarray(canary, float), np.asarray(baseline, float)
    return {
        "name": name,
        "canary": canary.tolist(),
        "baseline": baseline.tolist(),
        "z": z(canary, baseline, 0.0),
        **interval(canary, baseline),
    }


cases = [
    case("normal, 10 and 10", rng.normal(1, 1, 10), rng.normal(0, 1, 10)),
    case("normal, 25 and 40", rng.normal(0, 2, 25), rng.normal(0, 1, 40)),
    case("lognormal, 60 and 60", rng.lognormal(0.3, 1, 60), rng.lognormal(0, 1, 60)),
    case("counts with many ties, 30 and 30", rng.poisson(2, 30), rng.poisson(1, 30)),
    case("shares with ties, 60 and 60", rng.binomial(50, 0.03, 60) / 50, rng.binomial(450, 0.01, 60) / 450),
    case("three and three, apart", [1.1, 1.2, 1.3], [1.0, 1.01, 1.02]),
    case("seven of ten a hundred times worse", [1, 1.1, 0.9, *[100 + i for i in range(7)]], [0.9 + i / 50 for i in range(10)]),
    case("a few ones and a two against zeros", [0, 1, 2, 1, 0, 0], [0, 0, 0, 0, 0, 0]),
]
versions = {"scipy": scipy.__version__, "numpy": np.__version__}
target = Path(__file__).with_name("reference.json")
target.write_text(json.dumps({"versions": versions, "confidence": CONFIDENCE, "cases": cases}, indent=1) + "\n")
