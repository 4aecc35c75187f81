# SPDX-License-Identifier: Apache-2.0
"""Find the edges of photographs: edges.py IN OUT writes OUT/<name>.pgm for each image in the folder IN.

User code of the pipeline `edges`. It knows nothing of howdah: it reads files in one folder and writes files in another.
"""

import sys
from pathlib import Path

import numpy as np
from skimage import color, filters, io, transform

SIDE = 256  # the longer side of what is written


def main(folder: Path, out: Path) -> None:
    for path in sorted(folder.iterdir()):
        try:
            edges = find_edges(io.imread(path))
        except OSError:
            sys.exit(f"{path.name} is not an image")
        write_pgm(out / f"{path.stem}.pgm", edges)
        print(f"{path.name}: {edges.shape[1]} x {edges.shape[0]} pixels of edges")


def find_edges(image: np.ndarray) -> np.ndarray:
    """Bright where the image changes quickly; grey bytes, shrunk to fit into a square."""
    grey = image / 255 if image.ndim == 2 else color.rgb2gray(image[..., :3])
    scale = SIDE / max(grey.shape)
    small = transform.resize(grey, [round(scale * length) for length in grey.shape], anti_aliasing=True)
    edges = filters.sobel(small)
    return (255 * np.clip(edges / np.quantile(edges, 0.99), 0, 1)).astype(np.uint8)


def write_pgm(path: Path, image: np.ndarray) -> None:
    height, width = image.shape
    path.write_bytes(b"P5 %d %d 255\n" % (width, height) + image.tobytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
