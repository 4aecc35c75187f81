# SPDX-License-Identifier: Apache-2.0
"""The README's commands, typed in as they stand there: only the server's ports are those that are free."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.house import ROOT

README = (ROOT / "README.md").read_text()
SERVER = 'howdah server --root "$HOME/first-lake" 2> server.log &\n'
SERVER_HERE = SERVER.replace("2> server.log", "--grpc 127.0.0.1:0 --http 127.0.0.1:0 > ready 2> server.log")
WAIT = """
until grep -q ready ready; do kill -0 %1; sleep 0.1; done
export HOWDAH_ADDRESS=$(sed 's/.*grpc \\([^,]*\\),.*/\\1/' ready)
"""


def typed_in(title):
    """All that a reader of a section types, as one script: Python goes to the interpreter."""
    section = README.split(f"\n## {title}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```(sh|python)\n(.*?)```", section, re.DOTALL)
    return "\n".join(text if kind == "sh" else f"python <<'END'\n{text}END\n" for kind, text in blocks)


def run(script, folder):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "HOME": str(folder), "PATH": path}
    done = subprocess.run(
        ["bash", "-e", "-m", "-c", f"trap 'kill %1 2> /dev/null || true' EXIT\n{script}"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (0, "") == (done.returncode, "" if done.returncode == 0 else done.stdout + done.stderr)
    return done.stdout


@pytest.mark.slow
def test_the_sixty_seconds_work_as_written(tmp_path):
    """Each command of the section succeeds; words are counted, and of the second commit only the new file."""
    script = typed_in("Sixty seconds by hand").replace("make install\n", "").replace('export PATH="$PWD', '# "$PWD')

    output = run(script.replace(SERVER, SERVER_HERE + WAIT), tmp_path)

    assert SERVER in script
    assert "\n6\n" in output
    assert "1 ran, 1 carried over of 2" in output
    assert "texts default/texts@" in output
    assert output.endswith("/hamlet.txt 2\n/moby-dick.txt 2\n")


def test_every_link_leads_somewhere():
    """Files and folders that the README points to are there."""
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]

    assert [] == [link for link in links if not (ROOT / link).exists()]
