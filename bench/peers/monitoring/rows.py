"""Reads what bench/detect/made.ts writes: rows of numbers, eight bytes each, little-endian."""
import json
from pathlib import Path

import numpy as np
import pandas as pd


class Made:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.about = json.loads((self.folder / "about.json").read_text())

    def table(self, name, columns):
        values = np.fromfile(self.folder / f"{name}.bin", dtype="<f8").reshape(-1, columns)
        return pd.DataFrame(values, columns=[f"f{i}" for i in range(columns)])

    def categories(self):
        """Pairs of reference and window, as texts."""
        for reference, window in self.about["categories"]:
            yield tuple(np.repeat([f"c{i}" for i in range(len(side))], side) for side in (reference, window))

    def windows(self, run):
        """The reference, and one window after the other."""
        rows, columns = self.about["rows"], self.about["features"]
        reference, later = self.table(f"reference-{run}", columns), self.table(f"windows-{run}", columns)
        return reference, [later.iloc[i : i + rows].reset_index(drop=True) for i in range(0, len(later), rows)]

    def small(self):
        return self.table("small-reference", 1), self.table("small-window", 1)
