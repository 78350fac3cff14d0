"""River's detectors with their defaults on streams of 0 and 1, one text a stream on standard input; prints one JSON line."""
import json
import sys

sys.path.pop(0)  # This file bears the name of the package.
from river import drift
from river.drift import binary

DETECTORS = {
    "adwin": drift.ADWIN,
    "page-hinkley": drift.PageHinkley,
    "ddm": binary.DDM,
    "hddm-a": binary.HDDM_A,
    "hddm-w": binary.HDDM_W,
}


def changes(detector, stream):
    found = []
    for i, value in enumerate(stream):
        detector.update(int(value))
        if detector.drift_detected:
            found.append(i)
    return found


streams = sys.stdin.read().split()
print(json.dumps({name: [changes(make(), stream) for stream in streams] for name, make in DETECTORS.items()}))
