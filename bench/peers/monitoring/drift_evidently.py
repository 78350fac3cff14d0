"""Evidently's preset of drift with its defaults on one Parquet file beside another; prints one JSON line."""
import time

began = time.perf_counter()
import json
import resource
import sys

sys.path.pop(0)  # A file beside this one bears the name of the package.
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

imported, importing = time.perf_counter(), time.process_time()
*paths, names = sys.argv[1:]
columns = names.split(",")
reference, later = (pd.read_parquet(path, columns=columns) for path in paths)
seen = Report([DataDriftPreset()]).run(later, reference).dict()["metrics"]
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
            "cpu": time.process_time() - importing,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "drifted": drifted,
        }
    )
)
