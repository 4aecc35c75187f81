# SPDX-License-Identifier: Apache-2.0
"""300 scans of handwritten digits, 8 by 8 pixels, from scikit-learn: digits/0042_7.pgm is number 42, a seven."""

from pathlib import Path

from sklearn.datasets import load_digits

digits = load_digits()
Path("digits").mkdir(exist_ok=True)
for number, (image, label) in enumerate(zip(digits.images[:300], digits.target[:300], strict=True)):
    pixels = " ".join(str(int(value)) for value in image.flat)
    Path("digits", f"{number:04}_{label}.pgm").write_text(f"P2 8 8 16\n{pixels}\n")
