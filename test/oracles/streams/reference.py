"""Writes reference.json: where river's detectors see changes, in Bernoulli and normal streams and in the errors of frozen trees.

python3 -m venv ENV && ENV/bin/pip install river==0.23.0 'numpy<2.3'
ENV/bin/python test/oracles/streams/reference.py
"""

import json
import math
import sys
from itertools import islice
from pathlib import Path

import river
from river import drift, tree
from river.datasets import synth

sys.path.append(str(Path(__file__).parent.parent))
from mulberry32 import mulberry32  # noqa: E402


def bernoulli(seed, levels):
    uniform = mulberry32(seed)
    return [1 if next(uniform) < p else 0 for p in levels for _ in range(1000)]


def normal(seed, levels):
    uniform = mulberry32(seed)

    def one():
        u, v = 1 - next(uniform), next(uniform)
        return math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v)

    return [mean + sd * one() for mean, sd in levels for _ in range(1000)]


def errors(train, before, after):
    """Errors of a tree that learns from the first 1,000 rows and then sees 4,000 of one concept and 5,000 of another."""
    model = tree.HoeffdingTreeClassifier()
    for x, y in islice(iter(train), 1000):
        model.learn_one(x, y)
    rows = list(islice(iter(before), 4000)) + list(islice(iter(after), 5000))
    return [int(model.predict_one(x) != y) for x, y in rows]


streams = {
    "S1": bernoulli(7, [0.2, 0.4, 0.1]),
    "S2": normal(11, [(0, 1), (1, 1), (1, 2)]),
    "SEA": errors(synth.SEA(0, noise=0.1, seed=42), synth.SEA(0, noise=0.1, seed=43), synth.SEA(3, noise=0.1, seed=44)),
    "SEA, no change": errors(
        synth.SEA(0, noise=0.1, seed=42), synth.SEA(0, noise=0.1, seed=43), synth.SEA(0, noise=0.1, seed=44)
    ),
    "Agrawal": errors(synth.Agrawal(0, seed=42), synth.Agrawal(0, seed=43), synth.Agrawal(2, seed=44)),
    "STAGGER": errors(synth.STAGGER(0, seed=42), synth.STAGGER(0, seed=43), synth.STAGGER(1, seed=44)),
}
detectors = {
    "ADWIN": drift.ADWIN,
    "ADWIN, clock 1": lambda: drift.ADWIN(clock=1),
    "Page-Hinkley": drift.PageHinkley,
    "Page-Hinkley, threshold 20": lambda: drift.PageHinkley(threshold=20),
    "DDM": drift.binary.DDM,
    "HDDM_A": drift.binary.HDDM_A,
    "HDDM_A, two-sided": lambda: drift.binary.HDDM_A(two_sided_test=True),
    "HDDM_W": drift.binary.HDDM_W,
    "HDDM_W, two-sided": lambda: drift.binary.HDDM_W(two_sided_test=True),
}


def changes(make, values):
    detector, found = make(), []
    for index, value in enumerate(values):
        detector.update(value)
        if detector.drift_detected:
            found.append(index)
    return found


result = {"made": {"river": river.__version__}, "streams": {}}
for name, values in streams.items():
    binary = set(values) <= {0, 1}
    result["streams"][name] = {
        "values": "".join(map(str, values)) if binary else values,
        "changes": {
            key: changes(make, values)
            for key, make in detectors.items()
            if binary or key.startswith(("ADWIN", "Page"))
        },
    }
path = Path(__file__).with_name("reference.json")
path.write_text(json.dumps(result) + "\n")
for name, stream in result["streams"].items():
    print(name, stream["changes"])
