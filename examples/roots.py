# SPDX-License-Identifier: Apache-2.0
"""Root folders of images, made of programs that this machine has: `python3 roots.py FOLDER WHAT…`.

    shell            busybox, by all its names (package busybox-static)
    perl             the interpreter and its base modules (package perl-base)
    python[:DIST]    this interpreter and its standard library; with a distribution also that and what it needs

An image is usually made from one of a registry. These need no network: a Dockerfile with `FROM scratch` and
`COPY root /` is all that is missing.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

LEFT_OUT = shutil.ignore_patterns("__pycache__", "test", "tests", "idlelib", "ensurepip", "site-packages", "*.a")


def main(words: list[str]) -> None:
    """Fill the folder that is named first with what is named behind it."""
    if len(words) < 2:
        sys.exit(__doc__)
    root = Path(words[0])
    for word in words[1:]:
        what, _, more = word.partition(":")
        make = MAKERS.get(what)
        if make is None:
            sys.exit(f"roots.py knows no {what}; it knows {', '.join(MAKERS)}")
        make(root, more)


def shell(root: Path, _: str = "") -> None:
    """A static shell with its usual commands."""
    busybox = found("busybox")
    put(root, busybox, Path("bin/busybox"))
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout
    for name in set(listed.split()) - {"busybox"}:
        link(root / "bin" / name, "busybox")
    furnish(root)


def perl(root: Path, _: str = "") -> None:
    """Perl with the modules of its base package."""
    program(root, found("perl"))
    listed = subprocess.run(["dpkg", "-L", "perl-base"], capture_output=True, text=True, check=True).stdout
    for each in map(Path, listed.split()):
        if each.is_file() and ("perl-base" in each.parts or "perl5" in each.parts):
            put(root, each)
            libraries(root, each)
    furnish(root)


def python(root: Path, wanted: str = "") -> None:
    """This Python and, with a distribution, all that it imports."""
    interpreter = Path(sys.executable).resolve()
    program(root, interpreter)
    standard = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(standard, under(root, standard), symlinks=True, dirs_exist_ok=True, ignore=LEFT_OUT)
    for name in ("python3", "python"):
        link(root / "usr/bin" / name, str(interpreter))
    site = Path(sysconfig.get_path("purelib", vars={"base": sys.base_prefix}))
    for each in needed(wanted) if wanted else ():
        for file in each.files or ():
            place = Path(str(each.locate_file(file)))
            if ".." not in file.parts and "tests" not in file.parts and place.is_file():
                put(root, place, under(root, site).relative_to(root) / file)
    for each in sorted(root.rglob("*.so*")):
        if each.is_file() and not each.is_symlink():
            libraries(root, each)
    furnish(root)


MAKERS: dict[str, Callable[[Path, str], None]] = {"shell": shell, "perl": perl, "python": python}


def needed(name: str, seen: set[str] | None = None) -> Iterator[Distribution]:
    """A distribution and those that it requires, as far as they are installed."""
    seen = set() if seen is None else seen
    if name.lower() in seen:
        return
    seen.add(name.lower())
    try:
        one = distribution(name)
    except PackageNotFoundError:
        return
    yield one
    for line in one.requires or ():
        if "extra ==" not in line:
            yield from needed(re.split(r"[^\w.-]", line, maxsplit=1)[0], seen)


def program(root: Path, path: Path) -> None:
    """A program and the libraries that it loads."""
    put(root, path)
    libraries(root, path)


def libraries(root: Path, path: Path) -> None:
    """What the loader finds for a file; nothing for one that is static."""
    said = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    for word in said.split():
        if word.startswith("/") and not under(root, Path(word)).exists() and not Path(word).is_relative_to(root):
            put(root, Path(word))


def furnish(root: Path) -> None:
    """What every root has."""
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    put_text(root / "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")


def found(name: str) -> Path:
    """Where a program is."""
    path = shutil.which(name) or shutil.which(name, path="/bin:/usr/bin:/sbin:/usr/sbin")
    if path is None:
        sys.exit(f"{name} is not on this machine; install it (packages busybox-static, perl-base, python3)")
    return Path(path).resolve()


def put(root: Path, path: Path, place: Path | None = None) -> None:
    """Copy a file to the same place below the root, or to another one."""
    target = under(root, path) if place is None else root / place
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy(path, target)


def put_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_symlink():
        os.symlink(target, path)


def under(root: Path, path: Path) -> Path:
    """The place of an absolute path below a root."""
    return root / path.relative_to(path.anchor)


if __name__ == "__main__":
    main(sys.argv[1:])
