# SPDX-License-Identifier: Apache-2.0
"""The README's commands, typed in as they stand there: only the server's ports are those that are free."""

import pytest

from tests.docs.pages import Page, Shell
from tests.house.house import ROOT

README = (ROOT / "README.md").read_text()
SERVER = 'howdah server --root "$HOME/first-lake" 2> server.log &\n'
SERVER_HERE = SERVER.replace("2> server.log", "--grpc 127.0.0.1:0 --http 127.0.0.1:0 > ready 2> server.log")
WAIT = """
until grep -q ready ready; do kill -0 $!; sleep 0.1; done
export HOWDAH_ADDRESS=$(sed 's/.*grpc \\([^,]*\\),.*/\\1/' ready)
"""


@pytest.fixture
def shell(tmp_path):
    opened = Shell(tmp_path, {}, {"make install\n": "", 'export PATH="$PWD': '# "$PWD', SERVER: SERVER_HERE + WAIT})
    yield opened
    opened.run("trap - ERR; kill %1 2> /dev/null || true")
    opened.close()


@pytest.mark.slow
def test_the_sixty_seconds_work_as_written(shell):
    """Each command of the section prints what stands there; of the second commit only the new file ran."""
    section = README.split("\n## Sixty seconds by hand\n")[1].split("\n## ")[0]

    wrong, _ = Page(section).run(shell)

    assert SERVER in section
    assert [] == wrong
