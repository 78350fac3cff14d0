"""Evidently with its defaults on the rows in the folder that is named; prints one JSON line."""
import json
import sys

from rows import Made

sys.path.pop(0)  # This file bears the name of the package.
import pandas as pd
from evidently import Report
from evidently.metrics import ValueDrift


def drifted(window, reference):
    """Names of the columns that drifted."""
    seen = Report([ValueDrift(column=name) for name in window.columns]).run(window, reference).dict()["metrics"]
    found = []
    for metric in seen:
        config, value = metric["config"], metric["value"]
        by_p = "p_value" in metric["metric_name"]
        limit = 0.05 if by_p else 0.1
        if (value < limit) if by_p else (value >= limit):
            found.append(config["column"])
    return found


made = Made(sys.argv[1])
alarms = sum(
    bool(drifted(pd.DataFrame({"c": window}), pd.DataFrame({"c": reference})))
    for reference, window in made.categories()
)
ever, caught = 0, 0
for run in range(made.about["runs"]):
    reference, windows = made.windows(run)
    *still, first, second = windows
    ever += any(drifted(window, reference) for window in still)
    shifted = [f"f{i}" for i in range(made.about["shifted"])]
    caught += any(set(drifted(window, reference)) & set(shifted) for window in (first, second))
reference, window = made.small()
print(json.dumps({"categorical": alarms, "ever": ever, "caught": caught, "small": bool(drifted(window, reference))}))
