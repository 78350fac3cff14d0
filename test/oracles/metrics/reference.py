"""Writes reference.json: the metrics of scikit-learn, DeLong's variance by its O(n^2) definition, distributions of scipy.

python3 -m venv ENV && ENV/bin/pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
ENV/bin/python test/oracles/metrics/reference.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv, erfc
from sklearn import metrics
from sklearn.calibration import calibration_curve

rng = np.random.default_rng(20261124)


def ece(labels, scores):
    """Gaps of sklearn's calibration_curve, weighted by the rows of its bins."""
    true, predicted = calibration_curve(labels, scores, n_bins=10, strategy="uniform")
    edges = np.linspace(0, 1, 11)
    counts = np.bincount(np.searchsorted(edges[1:-1], scores), minlength=10)
    return float(np.sum(np.abs(true - predicted) * counts[counts > 0]) / len(labels))


def delong(labels, first, second):
    """Covariances of the two AUCs from the full matrix of comparisons."""
    positive, negative = labels == 1, labels == 0
    by_row, by_column, aucs = [], [], []
    for scores in (first, second):
        x, y = scores[positive][:, None], scores[negative][None, :]
        psi = (x > y) + 0.5 * (x == y)
        by_row.append(psi.mean(axis=1))
        by_column.append(psi.mean(axis=0))
        aucs.append(psi.mean())
    s = np.cov(by_row) / positive.sum() + np.cov(by_column) / negative.sum()
    return {
        "first": aucs[0],
        "second": aucs[1],
        "firstVariance": s[0, 0],
        "secondVariance": s[1, 1],
        "covariance": s[0, 1],
        "differenceVariance": s[0, 0] + s[1, 1] - 2 * s[0, 1],
    }


def binary(name, labels, first, second, threshold=0.5):
    values = {}
    for key, scores in (("first", first), ("second", second)):
        values[key] = {
            "auc": metrics.roc_auc_score(labels, scores),
            "logLoss": metrics.log_loss(labels, scores),
            "brier": metrics.brier_score_loss(labels, scores),
            "accuracy": metrics.accuracy_score(labels, scores >= threshold),
            "ece": ece(labels, scores),
        }
    return {
        "name": name,
        "threshold": threshold,
        "labels": labels.tolist(),
        "first": first.tolist(),
        "second": second.tolist(),
        "values": values,
        "delong": delong(labels, first, second),
    }


def binary_cases():
    cases = []
    for name, n, digits, threshold in (
        ("continuous", 200, None, 0.5),
        ("ties on two digits", 300, 2, 0.4),
        ("ties on the bins' edges", 150, 1, 0.3),
        ("few positives", 250, None, 0.5),
    ):
        p = rng.beta(0.5, 6, n) if name == "few positives" else rng.beta(1.2, 1.5, n)
        labels = (rng.random(n) < p).astype(int)
        noisy = lambda s: np.clip(p + rng.normal(0, s, n), 0.001, 0.999)
        first, second = noisy(0.1), noisy(0.2)
        if digits is not None:
            first, second = np.round(first, digits), np.round(second, digits)
        cases.append(binary(name, labels, first, second, threshold))
    # Certain answers, some of them wrong: the clip of the logarithm.
    labels = rng.integers(0, 2, 60)
    first = np.where(rng.random(60) < 0.9, labels, 1 - labels).astype(float)
    cases.append(binary("zeros and ones", labels, first, np.full(60, 0.5)))
    return cases


def multiclass_cases():
    cases = []
    for name, n, k in (("three classes", 200, 3), ("seven classes", 300, 7)):
        p = rng.dirichlet(np.full(k, 0.8), n)
        labels = np.array([rng.choice(k, p=row) for row in p])
        scores = p + rng.exponential(0.2, (n, k))
        scores /= scores.sum(axis=1, keepdims=True)
        predicted = scores.argmax(axis=1)
        cases.append(
            {
                "name": name,
                "classes": k,
                "labels": labels.tolist(),
                "scores": scores.ravel().tolist(),
                "values": {
                    "accuracy": metrics.accuracy_score(labels, predicted),
                    "logLoss": metrics.log_loss(labels, scores, labels=range(k)),
                    "macroF1": metrics.f1_score(labels, predicted, average="macro"),
                    "ovrEce": float(np.mean([ece((labels == c).astype(int), scores[:, c]) for c in range(k)])),
                },
            }
        )
    # A class that is never predicted and one that is neither label nor prediction.
    labels, predicted = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 1, 0, 1])
    cases.append(
        {
            "name": "absent classes",
            "classes": 4,
            "labels": labels.tolist(),
            "scores": np.eye(4)[predicted].ravel().tolist(),
            "values": {"macroF1": metrics.f1_score(labels, predicted, average="macro", zero_division=0)},
        }
    )
    return cases


def regression_case():
    labels = rng.normal(10, 5, 200)
    scores = labels + rng.standard_t(3, 200)
    return {
        "labels": labels.tolist(),
        "scores": scores.tolist(),
        "values": {
            "mae": metrics.mean_absolute_error(labels, scores),
            "rmse": metrics.root_mean_squared_error(labels, scores),
        },
    }


def distributions():
    points = [-38, -20, -8, -6, -3.3, -1, -0.3, 0, 0.2, 0.66, 1.234, 2.5, 5.5, 6, 8]
    levels = [1e-300, 1e-12, 1e-6, 0.001, 0.05, 0.075, 0.3, 0.5, 0.8, 0.925, 0.95, 0.975, 0.9999]
    freedoms = [1, 2.5, 10, 29, 99, 5000, 2_000_000]
    return {
        "erfc": [[x, float(erfc(x))] for x in points if x > -10],
        "normalCdf": [[x, float(stats.norm.cdf(x))] for x in points],
        "normalQuantile": [[p, float(stats.norm.ppf(p))] for p in levels],
        "betaCdf": [
            [x, a, b, float(stats.beta.cdf(x, a, b))]
            for a, b in ((1, 30), (4, 27), (31, 1), (300, 20), (9000, 11001))
            for x in (0.002, 0.1, 0.45, 0.93)
            if stats.beta.cdf(x, a, b) > 1e-200
        ],
        "studentCdf": [[t, f, float(stats.t.cdf(t, f))] for t in (-9, -2, -0.4, 0, 1.7, 4) for f in freedoms],
        "studentQuantile": [[p, f, float(stats.t.ppf(p, f))] for p in (0.001, 0.05, 0.4, 0.95, 0.975) for f in freedoms],
    }


def intervals():
    """Melded limits of two proportions by nested adaptive integration of their definition (Fay, Proschan and Brittain 2015)."""
    counts = ((30, 100, 40, 120), (7, 15, 300, 500), (90, 100, 1800, 2000), (3, 45, 9000, 20000), (0, 30, 4, 40), (30, 30, 35, 40))
    pairs = ((1, 0, 44), (0, 0, 100), (12, 5, 300), (5, 12, 300), (40, 44, 2000), (0, 9, 60))
    return {
        "difference": [[*k, -difference_above(*k[2:], *k[:2]), difference_above(*k)] for k in counts],
        "ratio": [[*k, 1 / ratio_above(*k[2:], *k[:2]) if k[0] else 0, ratio_above(*k)] for k in counts],
        "pairs": [[b, c, n, -pairs_above(c, b, n), pairs_above(b, c, n)] for b, c, n in pairs],
    }


class Point:
    """All of a distribution in one point."""

    def __init__(self, value):
        self.value = value

    def cdf(self, x):
        return float(x >= self.value)

    def expect(self, f, kinks):
        return f(self.value)


class Beta:
    def __init__(self, a, b):
        self.a, self.b = a, b

    def cdf(self, x):
        return betainc(self.a, self.b, min(1, max(0, x)))

    def expect(self, f, kinks):
        """Over the level instead of the value, so that no density has to be found by the integrator."""
        ends = [0, *sorted(self.cdf(k) for k in kinks), 1]
        part = lambda low, high: quad(lambda u: f(betaincinv(self.a, self.b, u)), low, high, epsabs=1e-11, limit=500)[0]
        return sum(part(low, high) for low, high in zip(ends, ends[1:]) if high > low)


def beta(a, b):
    return Point(0) if a == 0 else Point(1) if b == 0 else Beta(a, b)


def from_above(k, n):
    return beta(k + 1, n - k)


def from_below(k, n):
    return beta(k, n - k + 1)


def difference_above(a, m, b, n):
    p, q = from_above(a, m), from_below(b, n)
    return brentq(lambda d: q.expect(lambda x: p.cdf(x + d), [-d, 1 - d]) - 0.95, a / m - b / n, 1, xtol=1e-12)


def ratio_above(a, m, b, n):
    p, q = from_above(a, m), from_below(b, n)
    return brentq(lambda r: q.expect(lambda x: p.cdf(x * r), [1 / r]) - 0.95, 1e-3, 1e3, xtol=1e-12)


def pairs_above(b, c, n):
    part, most, least = from_above(b, b + c), from_above(b + c, n), from_below(b + c, n)

    def level(d):
        if d >= 0:
            return most.expect(lambda x: part.cdf((1 + d / x) / 2), [d])
        return least.expect(lambda x: part.cdf((1 + d / x) / 2) if x > 0 else 0, [-d])

    return brentq(lambda d: level(d) - 0.95, (b - c) / n, 1, xtol=1e-12)


figures = {
    "made": {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__, "numpy": np.__version__},
    "binary": binary_cases(),
    "multiclass": multiclass_cases(),
    "regression": regression_case(),
    "distributions": distributions(),
    "intervals": intervals(),
}
Path(__file__).with_name("reference.json").write_text(json.dumps(figures) + "\n")
