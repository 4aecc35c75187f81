# SPDX-License-Identifier: Apache-2.0
"""Servers that cannot start say why on one line, with an exit code for scripts, and touch nothing."""

import os
import socket

import pytest

from tests.bad_input.starts import in_mount, server_words, start_in_vain

BUSY, REFUSED, USAGE = 7, 6, 2

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("option", ["--grpc", "--http"])
def test_an_address_that_others_reach_is_refused(tmp_path, option):
    """Who reaches it could run commands; the error says how to allow that. No lake is made."""
    root = tmp_path / "lake"

    ended = start_in_vain(server_words(root, option, "0.0.0.0:0"))

    assert REFUSED == ended.code
    assert f"howdah: {option[2:]} address 0.0.0.0:0 is open to other machines" in ended.words
    assert "--allow-open" in ended.words
    assert not root.exists()


def test_a_second_server_of_a_lake_is_refused_by_process(world, unchanged):
    """The first one is named by its process id, and goes on."""
    ended = start_in_vain(server_words(world.server.root))

    assert REFUSED == ended.code
    assert f"lake {world.server.root} is served by another howdah server, process {os.getpid()};" in ended.words


@pytest.mark.parametrize("option", ["--grpc", "--http"])
def test_a_port_that_is_taken_is_named(tmp_path, option):
    """With the way out; the other port is not listened on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        ended = start_in_vain(server_words(tmp_path / "lake", option, address))

    assert ended.code in (REFUSED, BUSY)
    assert address in ended.words
    assert "; " in ended.words


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:70000"])
def test_an_address_that_is_none_is_refused(tmp_path, address):
    """The error shows how one is written."""
    ended = start_in_vain(server_words(tmp_path / "lake", "--grpc", address))

    assert USAGE == ended.code
    assert f"address {address} is not host:port; write 127.0.0.1:30650" in ended.words


def test_a_root_that_is_a_file_is_refused(tmp_path):
    """It is not a folder, and stays what it is."""
    root = tmp_path / "lake"
    root.write_text("mine")

    ended = start_in_vain(server_words(root))

    assert REFUSED == ended.code
    assert f"folder {root} cannot be made" in ended.words
    assert "mine" == root.read_text()


def test_a_root_that_cannot_be_written_is_refused(tmp_path):
    """On a read-only file system; the error names the folder and the way out."""
    root = tmp_path / "lake"
    root.mkdir()
    mount = f"mount -t tmpfs -o ro tmpfs {root}"

    ended = start_in_vain(in_mount(root, mount, server_words(root)))

    assert REFUSED == ended.code
    assert f"lake {root} cannot be locked (read-only file system); " in ended.words
