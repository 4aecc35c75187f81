# SPDX-License-Identifier: Apache-2.0
"""The demo: photographs are committed, two pipelines keep up with them, a failure is mended. `make demo` runs it.

With `--execution container` (`make demo EXECUTION=container`) both pipelines run in images of their own, which are made
here of what this machine has (`../roots.py`); a container engine must be running.

Everything that happens is a command that is shown with its output and can be typed by hand; what the text says about
the outcome is checked, and the demo ends with 1 where it is not so. The user code is `edges.py` (Python) and
`montage.pl` (Perl); how commands are run and checked is in `stage.py`.
"""

import argparse
import itertools
import math
import random
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from string import Template
from types import FrameType
from typing import Any

from skimage import io
from stage import BIN, Stage, Wrong, chapter, say, verify

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]

# Photographs that the wheel of scikit-image brings along.
PHOTOGRAPHS = [
    *("astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "clock_motion.png", "coffee.png"),
    *("coins.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png", "retina.jpg"),
]
ONE_MORE = "rocket.jpg"
TORN = "torn.png"

IMAGES = {"edges": ["shell", "python:scikit-image"], "montage": ["shell", "perl"]}

SIDE, GAP = 256, 8  # of the tiles of the montage: as edges.py and montage.pl have them


def main(folder: Path, execution: str) -> None:
    prepare(folder, execution)
    with Stage(folder) as stage:
        chapter(f"1. A server, on the fresh folder {folder}")
        stage.start_server(*(["--execution", execution] if execution else []))
        commit_photographs(stage)
        create_pipelines(stage)
        add_one_photograph(stage)
        commit_a_bad_image(stage)
        mend_the_code(stage)
        ask_where_it_came_from(stage)
        get_the_montage(stage)
    go_on(folder)


def commit_photographs(stage: Stage) -> None:
    chapter(f"2. {len(PHOTOGRAPHS)} photographs, in one commit")
    stage.show("howdah", "create", "repo", "images")
    stage.show("howdah", "put", "file", "images@master:/", "-r", "-f", "photographs")
    stage.show("howdah", "list", "file", "images@master")
    verify("every photograph is there", len(PHOTOGRAPHS), len(stage.ask("list", "file", "images@master")))


def create_pipelines(stage: Stage) -> None:
    chapter("3. Two pipelines: edges.py (Python) for each image, then montage.pl (Perl) for all edges")
    stage.show("cat", "edges.yaml")
    stage.show("howdah", "create", "pipeline", "-f", "edges.yaml", *image_for(stage, "edges"))
    stage.show("howdah", "create", "pipeline", "-f", "montage.yaml", *image_for(stage, "montage"))
    stage.show("howdah", "wait", "commit", "montage@master")
    stage.show("howdah", "list", "job")
    verify("each photograph was one datum of edges", (len(PHOTOGRAPHS), 0, 0), counts(newest_job(stage, "edges")))
    verify("all edges were one datum of montage", (1, 0, 0), counts(newest_job(stage, "montage")))


def add_one_photograph(stage: Stage) -> None:
    chapter("4. One more photograph: only its datum runs, the others are carried over")
    stage.show("howdah", "put", "file", f"images@master:/{ONE_MORE}", "-f", ONE_MORE)
    stage.show("howdah", "wait", "commit", "montage@master")
    stage.show("howdah", "list", "job", "-p", "edges", "-n", "1")
    job = newest_job(stage, "edges")
    stage.show("howdah", "inspect", "job", f"edges@{job_id(job)}")
    verify(f"1 datum ran, {len(PHOTOGRAPHS)} were carried over, none failed", (1, len(PHOTOGRAPHS), 0), counts(job))


def commit_a_bad_image(stage: Stage) -> None:
    chapter("5. A bad image: its datum is tried three times and fails; the log says why")
    stage.show("howdah", "put", "file", f"images@master:/{TORN}", "-f", TORN)
    stage.show("howdah", "list", "job", "-p", "edges", "-n", "1")
    name = f"edges@{job_id(newest_job(stage, 'edges'))}"
    stage.show("howdah", "wait", "job", name, exit_code=10)
    stage.show("howdah", "list", "datum", name, "--state", "failed")
    (datum,) = stage.ask("list", "datum", name, "--state", "failed")
    log = stage.show("howdah", "logs", "-j", name, "--datum", datum["id"])
    verify("the log names the image", True, f"{TORN} is not an image" in log)
    verify("1 datum failed, none else ran", (0, len(PHOTOGRAPHS) + 1, 1), counts(newest_job(stage, "edges")))


def mend_the_code(stage: Stage) -> None:
    chapter("6. The mended code: only the datum that had failed runs")
    stage.show("diff", "edges.py", "edges_mended.py", exit_code=1)
    stage.show("diff", "edges.yaml", "edges-mended.yaml", exit_code=1)
    stage.show("howdah", "update", "pipeline", "-f", "edges-mended.yaml", *image_for(stage, "edges"))
    stage.show("howdah", "wait", "commit", "montage@master")
    stage.show("howdah", "list", "job", "-p", "edges", "-n", "1")
    job = newest_job(stage, "edges")
    stage.show("howdah", "inspect", "job", f"edges@{job_id(job)}")
    verify(
        f"1 datum ran, {len(PHOTOGRAPHS) + 1} were carried over, none failed", (1, len(PHOTOGRAPHS) + 1, 0), counts(job)
    )


def ask_where_it_came_from(stage: Stage) -> None:
    chapter("7. Where did this file come from?")
    say("An output of the first version of the code, and the one of the second:")
    for path, version in ("/astronaut.pgm", 1), ("/torn.pgm", 2):
        stage.show("howdah", "inspect", "file", f"edges@master:{path}", "--provenance")
        found = stage.ask("inspect", "file", f"edges@master:{path}", "--provenance")
        verify(f"{path} was made by version {version} of the pipeline", version, found["pipeline_version"])


def get_the_montage(stage: Stage) -> None:
    chapter("8. The picture")
    stage.show("howdah", "get", "file", "montage@master:/montage.pgm", "-o", "montage.pgm")
    picture = io.imread(stage.folder / "montage.pgm")
    path = stage.folder / "montage.png"
    io.imsave(path, picture, check_contrast=False)
    height, width = io.imread(path).shape
    tiles = len(PHOTOGRAPHS) + 2
    verify(f"the montage has the size of {tiles} tiles", montage_size(tiles), (width, height))
    say(f"{path}: {width} x {height} pixels")


def go_on(folder: Path) -> None:
    chapter("The demo is over. Its server has ended, its lake is still there. To go on by hand:")
    print(f"""
    cd {folder}
    export PATH="{BIN}:$PATH"
    unset HOWDAH_ADDRESS
    howdah server --root lake 2> server.log &       # wait until it says that it is ready

    howdah list pipeline
    howdah list commit images
    howdah diff file edges@master edges@master^     # what the last commit brought
    howdah logs -p montage
    howdah delete file images@master:/{TORN}    # nothing runs: what is left had succeeded before
    howdah list job -n 2

    kill %1""")


def prepare(folder: Path, execution: str) -> None:
    """Put what a user would bring into a new folder: photographs, code, and the specs that name the code's place."""
    skimage = find_spec("skimage")
    if skimage is None or skimage.origin is None or shutil.which("perl") is None:
        raise Wrong("the demo needs scikit-image (`make demo` installs it) and perl (apt-get install perl-base)")
    wheel = Path(skimage.origin).parent / "data"
    (folder / "photographs").mkdir(parents=True)
    for name in PHOTOGRAPHS:
        shutil.copy(wheel / name, folder / "photographs")
    shutil.copy(wheel / ONE_MORE, folder)
    (folder / TORN).write_bytes(random.Random(TORN).randbytes(10_000))
    for code in ("edges.py", "edges_mended.py", "montage.pl"):
        shutil.copy(HERE / code, folder)
    places = {"PYTHON": sys.executable, "CODE": str(folder)}
    if execution == "container":
        prepare_images(folder)
        places = {"PYTHON": "python3", "CODE": "/code"}
    for spec in ("edges.yaml", "edges-mended.yaml", "montage.yaml"):
        text = Template((HERE / spec).read_text()).substitute(places)
        (folder / spec).write_text(text)


def prepare_images(folder: Path) -> None:
    """Make a folder for each image: what runs the code, the code, and a Dockerfile."""
    for pipeline, programs in IMAGES.items():
        image = folder / "images" / pipeline
        roots = HERE.parent / "roots.py"
        subprocess.run([sys.executable, roots, image / "root", *programs], check=True)
        for code in (*folder.glob("*.py"), *folder.glob("*.pl")):
            (image / "root" / "code").mkdir(exist_ok=True)
            shutil.copy(code, image / "root" / "code")
        (image / "Dockerfile").write_text("FROM scratch\nCOPY root /\nENV PATH=/usr/bin:/bin\n")


def image_for(stage: Stage, pipeline: str) -> list[str]:
    """The option that has the image of a pipeline made; none where it runs without one."""
    folder = Path("images") / pipeline
    return ["--build", str(folder)] if (stage.folder / folder).exists() else []


def newest_job(stage: Stage, pipeline: str) -> dict[str, Any]:
    """The job of a pipeline that was made last, as `howdah list job` has it."""
    job: dict[str, Any] = stage.ask("list", "job", "-p", pipeline)[0]
    return job


def job_id(job: dict[str, Any]) -> str:
    return str(job["job"]).partition("@")[2]


def counts(job: dict[str, Any]) -> tuple[int, int, int]:
    """How many datums of a job were processed, carried over from earlier jobs, and failed."""
    return job["processed"], job["carried_over"], job["failed"]


def montage_size(images: int) -> tuple[int, int]:
    """Width and height of a square grid of tiles with a gap around each."""
    columns = math.ceil(math.sqrt(images))
    rows = math.ceil(images / columns)
    return columns * (SIDE + GAP) + GAP, rows * (SIDE + GAP) + GAP


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Photographs through two pipelines, every command shown and checked.")
    parser.add_argument("folder", nargs="?", help="a new folder for all of it; build/demo, or the next that is free")
    parser.add_argument(
        "--execution", choices=["auto", "process", "container"], default="", help="where user code runs"
    )
    return parser.parse_args()


def fresh_folder(word: str | None) -> Path:
    """The folder named on the command line, or build/demo, build/demo-2, …: the lake of an earlier demo is kept."""
    if word:
        folder = Path(word).absolute()
        if folder.exists():
            raise Wrong(f"{folder} is there already; name a new folder")
        return folder
    numbered = (CHECKOUT / "build" / f"demo-{number}" for number in itertools.count(2))
    return next(each for each in itertools.chain([CHECKOUT / "build" / "demo"], numbered) if not each.exists())


def interrupt(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


if __name__ == "__main__":
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, interrupt)
    chosen = options()
    try:
        main(fresh_folder(chosen.folder), chosen.execution)
    except Wrong as wrong:
        sys.stdout.flush()
        sys.exit(f"\nthe demo went wrong: {wrong}\n(its server's log is server.log in the demo's folder)")
    except KeyboardInterrupt:
        print("\ninterrupted; the server has ended", file=sys.stderr)
        sys.exit(130)
