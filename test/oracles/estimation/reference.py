"""Writes reference.json, car-loan.bin.gz and multiclass.bin.gz: what NannyML estimates, and what scikit-learn's isotonic regression
and numpy's permutations give.

The two data sets are NannyML's synthetic ones, from its wheel (Apache License 2.0, github.com/NannyML/nannyml): of the car loans
all rows, of the three credit cards every fourth; scores, labels and predictions alone, which are hundredths and small numbers.

python3 -m venv ENV && ENV/bin/pip install nannyml==0.13.1 'pandas<3' 'numpy<2.3' 'scipy<1.16' scikit-learn==1.9.1 statsmodels==0.15.0
ENV/bin/python test/oracles/estimation/reference.py
"""

import gzip
import json
import logging
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

import nannyml
import nannyml.calibration as calibration
import numpy as np
import pandas
import scipy
import sklearn
from nannyml.calibration import IsotonicCalibrator, needs_calibration
from nannyml.sampling_error import binary_classification as errors
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import StratifiedShuffleSplit

here = Path(__file__).parent


def stored(name, *planes):
    """Bytes, plane after plane. No time in the file: the same rows give the same bytes."""
    data = b"".join(np.asarray(plane).astype(np.uint8).tobytes() for plane in planes)
    (here / name).write_bytes(gzip.compress(data, 9, mtime=0))


def chunks(result, period, metrics):
    data = result.filter(period=period).to_df()
    columns = {
        "estimate": "value",
        "realised": "realized",
        "samplingError": "sampling_error",
        "lowest": "lower_confidence_boundary",
        "highest": "upper_confidence_boundary",
    }
    return {
        ours: {key: data[(theirs, column)].tolist() for key, column in columns.items()}
        | {
            "lower": float(data[(theirs, "lower_threshold")].iloc[0]),
            "upper": float(data[(theirs, "upper_threshold")].iloc[0]),
            "alerts": "".join("1" if alert else "0" for alert in data[(theirs, "alert")]),
        }
        for ours, theirs in metrics.items()
    }


def both(result, metrics):
    return {period: chunks(result, period, metrics) for period in ("reference", "analysis")}


def car_loan():
    reference, analysis, targets = nannyml.load_synthetic_car_loan_dataset()
    analysis = analysis.merge(targets, on="id")
    rows = np.concatenate([d[["y_pred_proba", "repaid", "y_pred"]].to_numpy(float) for d in (reference, analysis)])
    scores = np.round(rows[:, 0] * 100)
    assert (scores / 100 == rows[:, 0]).all()
    stored("car-loan.bin.gz", scores, rows[:, 1] + 2 * rows[:, 2])
    estimator = nannyml.CBPE(
        y_pred_proba="y_pred_proba",
        y_pred="y_pred",
        y_true="repaid",
        problem_type="classification_binary",
        metrics=["roc_auc", "accuracy", "f1"],
        chunk_size=5000,
    ).fit(reference)
    result = estimator.estimate(analysis)
    regressor = estimator.calibrator._regressor
    return {
        "rows": len(reference),
        "chunkRows": 5000,
        "needsCalibration": bool(estimator.needs_calibration),
        "errorByTies": error_by_ties(rows[: len(reference), 1].astype(int), rows[: len(reference), 0], 5000),
        "calibrator": [regressor.X_thresholds_.tolist(), regressor.y_thresholds_.tolist()],
        **both(result, {"auc": "roc_auc", "accuracy": "accuracy", "f1": "f1"}),
    }


def multiclass():
    reference, analysis, targets = nannyml.load_synthetic_multiclass_classification_dataset()
    analysis = analysis.merge(targets, on="id")
    reference, analysis = (d.iloc[::4].reset_index(drop=True) for d in (reference, analysis))
    classes = sorted(["prepaid_card", "highstreet_card", "upmarket_card"])
    columns = {name: f"y_pred_proba_{name}" for name in classes}
    everything = [np.concatenate([d[column] for d in (reference, analysis)]) for column in columns.values()]
    scores = [np.round(column * 100) for column in everything]
    assert all((a / 100 == b).all() for a, b in zip(scores, everything))
    place = {name: index for index, name in enumerate(classes)}
    labels = np.concatenate([d["y_true"].map(place) for d in (reference, analysis)])
    predicted = np.concatenate([d["y_pred"].map(place) for d in (reference, analysis)])
    stored("multiclass.bin.gz", *scores, labels + 4 * predicted)
    estimator = nannyml.CBPE(
        y_pred_proba=columns,
        y_pred="y_pred",
        y_true="y_true",
        problem_type="classification_multiclass",
        metrics=["accuracy", "f1"],
        chunk_size=1500,
    ).fit(reference)
    result = estimator.estimate(analysis)
    return {
        "rows": len(reference),
        "chunkRows": 1500,
        "classes": len(classes),
        "needsCalibration": [
            isinstance(estimator._calibrators[name], IsotonicCalibrator) for name in classes
        ],
        **both(result, {"accuracy": "accuracy", "macroF1": "f1"}),
    }


def isotonic(random):
    """Made to have ties in x, unequal weights, weights of 0 and points outside."""
    cases = []
    for rows, distinct, kind in [(1, 1, "value"), (2, 1, "value"), (8, 3, "value"), (60, 20, "value"), (300, 300, "label"), (500, 40, "label")]:
        x = random.integers(0, distinct, rows) / distinct
        if distinct == rows:
            x = random.random(rows)
        y = (random.random(rows) < 0.1 + 0.8 * x).astype(float) if kind == "label" else np.round(x + random.normal(0, 0.5, rows), 3)
        for weights in (None, np.where(random.random(rows) < 0.1, 0.0, np.round(random.random(rows) * 3 + 0.1, 2))):
            if weights is not None and weights.sum() == 0:
                weights[:] = 2
            at = np.concatenate([[-1, 0, 0.5, 1, 2], random.random(20)])
            fitted = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=weights)
            cases.append(
                {
                    "x": x.tolist(),
                    "y": y.tolist(),
                    "weights": None if weights is None else weights.tolist(),
                    "knots": [fitted.X_thresholds_.tolist(), fitted.y_thresholds_.tolist()],
                    "at": at.tolist(),
                    "values": fitted.predict(at).tolist(),
                }
            )
    return cases


def shuffled_decisions(random, labels, scores):
    """How many of 15 times NannyML says yes when the rows come to its unstable sort in another order: in other words, whether rows
    of one score decide."""
    error = calibration._calculate_expected_calibration_error

    def shuffled(y_true, y_pred_proba, edges):
        order = random.permutation(len(y_true))
        return error(np.asarray(y_true)[order], np.asarray(y_pred_proba)[order], edges)

    calibration._calculate_expected_calibration_error = shuffled
    try:
        return sum(bool(needs_calibration(labels, scores, IsotonicCalibrator())) for _ in range(15))
    finally:
        calibration._calculate_expected_calibration_error = error


def error_by_ties(labels, scores, rows):
    """NannyML's sampling error of AUC with the positives first, or last, among rows of one score."""
    found = []
    for order in (np.lexsort((1 - labels, scores)), np.lexsort((labels, scores))):
        ranks = np.flatnonzero(labels[order] == 1)
        below = (ranks - np.arange(len(ranks))) / (len(labels) - len(ranks))
        found.append(float(np.std(below) / np.sqrt(rows * len(ranks) / len(labels))))
    return sorted(found)


def decisions(random):
    """Scores that are calibrated, too sure of themselves, not sure enough, or useless; with and without ties."""
    cases = []
    for rows in (11, 40, 215, 1003):
        for power in (1, 0.5, 2, 0):
            for digits in (2, 12):
                truth = random.random(rows)
                labels = (random.random(rows) < truth).astype(int)
                labels[:2], labels[2:4] = 0, 1
                odds = (truth / (1 - truth)) ** power
                scores = np.round(odds / (1 + odds), digits)
                cases.append(
                    {
                        "scores": scores.tolist(),
                        "labels": "".join(map(str, labels)),
                        "needed": bool(needs_calibration(labels, scores, IsotonicCalibrator())),
                        "shuffled": shuffled_decisions(random, labels, scores),
                    }
                )
    return cases


def sampling_errors(random):
    """Without ties, and the lowest row a negative one: NannyML's figure of AUC depends on how rows of one score were sorted, and
    leaves out a positive row in the lowest place."""
    cases = []
    for rows, share in ((50, 0.3), (400, 0.7), (1000, 0.1)):
        labels = (random.random(rows) < share).astype(int)
        scores = 1 / (1 + np.exp(random.normal(0, 1, rows) - labels))
        lowest, highest = np.argmin(scores), np.argmax(scores)
        labels[lowest], labels[highest] = 0, 1
        assert len(np.unique(scores)) == rows
        deviation, fraction = errors.auroc_sampling_error_components(
            pandas.Series(labels), pandas.Series(scores)
        )
        cases.append(
            {
                "scores": scores.tolist(),
                "labels": "".join(map(str, labels)),
                "deviation": float(deviation),
                "share": float(fraction),
            }
        )
    return cases


def shuffles():
    state = np.random.RandomState(42)
    words = [int(w) for w in state.randint(0, 2**32, 5, dtype=np.uint32)]
    state = np.random.RandomState(42)
    permutations = [state.permutation(n).tolist() for n in (1, 2, 10, 40)]
    splits = []
    for counts in ((20, 20), (7, 4), (90, 15)):
        labels = np.array([0] * counts[0] + [1] * counts[1])
        labels = labels[np.random.RandomState(1).permutation(len(labels))]
        found = StratifiedShuffleSplit(n_splits=3, test_size=0.1, random_state=42).split(labels, labels)
        splits.append({"labels": labels.tolist(), "splits": [[np.sort(a).tolist(), np.sort(b).tolist()] for a, b in found]})
    return {"words": words, "permutations": permutations, "splits": splits}


random = np.random.default_rng(20261125)
result = {
    "made": {m.__name__: m.__version__ for m in (nannyml, sklearn, np, scipy)},
    "carLoan": car_loan(),
    "multiclass": multiclass(),
    "isotonic": isotonic(random),
    "decisions": decisions(random),
    "samplingErrors": sampling_errors(random),
    "shuffles": shuffles(),
}
(here / "reference.json").write_text(json.dumps(result) + "\n")
for name in ("carLoan", "multiclass"):
    print(name, result[name]["needsCalibration"])
    for metric, figures in result[name]["analysis"].items():
        print(metric, np.round(figures["estimate"], 6), np.round(figures["realised"], 6), figures["lower"], figures["upper"], figures["alerts"], figures["samplingError"][0])
print([case["needed"] for case in result["decisions"]])
