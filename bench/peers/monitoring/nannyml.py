"""NannyML with its defaults on the rows in the folder that is named; prints one JSON line."""
import json
import sys

from rows import Made

sys.path.pop(0)  # This file bears the name of the package.
import warnings

import pandas as pd
import nannyml as nml

warnings.filterwarnings("ignore")


def alerts(reference, later, rows, kinds=None):
    """One row a chunk of `later`, one column a feature: whether it alarmed."""
    names = list(reference.columns)
    calculator = nml.UnivariateDriftCalculator(column_names=names, chunk_size=rows, **(kinds or {}))
    calculator.fit(reference)
    seen = calculator.calculate(later).filter(period="analysis").to_df()
    return pd.concat([seen[name].xs("alert", axis=1, level=1).any(axis=1).rename(name) for name in names], axis=1)


made = Made(sys.argv[1])
# The chi-square that it offers for categories; by default it takes a distance. A reference of one chunk has no thresholds.
alarms = 0
for reference, window in made.categories():
    frames = [pd.DataFrame({"c": pd.Series(side, dtype="category")}) for side in (reference, window)]
    alarms += bool(alerts(*frames, len(window), {"categorical_methods": ["chi2"]}).to_numpy().any())
ever, caught = 0, 0
for run in range(made.about["runs"]):
    reference, windows = made.windows(run)
    seen = alerts(reference, pd.concat(windows, ignore_index=True), made.about["rows"])
    ever += bool(seen.iloc[:-2].to_numpy().any())
    caught += bool(seen.iloc[-2:, : made.about["shifted"]].to_numpy().any())
reference, window = made.small()
small = bool(alerts(reference, window, len(window) // 10).to_numpy().any())
print(json.dumps({"categorical": alarms, "ever": ever, "caught": caught, "small": small}))
