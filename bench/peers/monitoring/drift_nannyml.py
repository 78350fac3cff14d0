"""NannyML's drift a column, in ten chunks, on one Parquet file beside another; prints one JSON line."""
import time

began = time.perf_counter()
import json
import resource
import sys
import warnings

sys.path.pop(0)  # A file beside this one bears the name of the package.
import pandas as pd
import nannyml as nml

warnings.filterwarnings("ignore")
imported, importing = time.perf_counter(), time.process_time()
*paths, names = sys.argv[1:]
columns = names.split(",")
reference, later = (pd.read_parquet(path, columns=columns) for path in paths)
calculator = nml.UnivariateDriftCalculator(column_names=columns, chunk_number=10)
calculator.fit(reference)
seen = calculator.calculate(later).filter(period="analysis").to_df()
drifted = [name for name in columns if seen[name].xs("alert", axis=1, level=1).to_numpy().any()]
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
