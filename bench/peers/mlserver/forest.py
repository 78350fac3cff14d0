"""Makes two forests of 50 trees, as scikit-learn and as ONNX, and answers of the first one: forest.py FOLDER."""

import json
import sys
from pathlib import Path

import joblib
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

COLUMNS = 10

folder = Path(sys.argv[1])
rows, labels = make_classification(
    n_samples=4_000, n_features=COLUMNS, n_informative=6, class_sep=0.8, random_state=7
)
rows = rows.astype("float32")

for name, seed in (("champion", 7), ("candidate", 8)):
    forest = RandomForestClassifier(n_estimators=50, max_depth=6, random_state=seed, n_jobs=1)
    forest.fit(rows, labels)
    joblib.dump(forest, folder / f"{name}.joblib")
    onnx = to_onnx(
        forest,
        initial_types=[("x", FloatTensorType([None, COLUMNS]))],
        options={id(forest): {"zipmap": False}},
        target_opset=17,
    )
    (folder / f"{name}.onnx").write_bytes(onnx.SerializeToString())
    if name == "champion":
        probabilities = forest.predict_proba(rows[:200]).tolist()

(folder / "rows.json").write_text(
    json.dumps({"rows": rows[:200].tolist(), "probabilities": probabilities})
)
