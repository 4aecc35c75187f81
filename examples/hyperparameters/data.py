# SPDX-License-Identifier: Apache-2.0
"""Measurements of 178 wines of three growers (scikit-learn), split in two, and a grid of 10 by 10 parameters."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

wine = load_wine()
rows = np.column_stack([wine.data, wine.target])
train, test = train_test_split(rows, test_size=0.4, random_state=0, stratify=wine.target)
Path("wines").mkdir(exist_ok=True)
np.savetxt("wines/train.csv", train, delimiter=",", fmt="%g")
np.savetxt("wines/test.csv", test, delimiter=",", fmt="%g")
for name, exponents in (("c", range(-3, 7)), ("gamma", range(-8, 2))):
    Path(name).mkdir(exist_ok=True)
    for exponent in exponents:
        Path(name, f"{exponent}.txt").write_text(f"{2.0**exponent}\n")
