"""Evidently's preset of drift with its defaults on the second half of a Parquet file, beside the first; prints one JSON line."""
import time

began = time.perf_counter()
import json
import resource
import sys

sys.path.pop(0)  # A file beside this one bears the name of the package.
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

imported = time.perf_counter()
path, *columns = sys.argv[1:]
rows = pd.read_parquet(path, columns=columns)
half = len(rows) // 2
seen = Report([DataDriftPreset()]).run(rows.iloc[half:], rows.iloc[:half]).dict()["metrics"]
drifted = []
for metric in seen:
    if "ValueDrift" not in metric["metric_name"]:
        continue
    by_p = "p_value" in metric["metric_name"]
    limit = metric["config"].get("threshold") or (0.05 if by_p else 0.1)
    if (metric["value"] < limit) if by_p else (metric["value"] >= limit):
        drifted.append(metric["config"]["column"])
print(
    json.dumps(
        {
            "imports": imported - began,
            "work": time.perf_counter() - imported,
            "cpu": time.process_time(),
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "drifted": drifted,
        }
    )
)
