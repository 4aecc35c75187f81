# SPDX-License-Identifier: Apache-2.0
"""Writing through the server: operations become the messages of one ModifyFile stream, sent as they are made.

A thread of gRPC sends; a few messages wait for it at most, so the caller is held back when the server is slow.
A server that gives up is noticed with the next message.
"""

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

import grpc

from howdah.client.channel import MESSAGE_BYTES, Wire
from howdah.client.sources import file_path, pieces_of
from howdah.client.values import Progress, Transferred, Written
from howdah.client.ways import Excluded, LocalPath, Source
from howdah.errors import BadRequest, ErrorKind
from howdah.model import paths
from howdah.model.refs import Commitish, File
from howdah.storage.tree_put import scan
from howdah.wire.convert import commit_message, file_message
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["ThroughWriter"]

_WAITING_MAX: Final = 8 * MESSAGE_BYTES
_SMALL: Final = 256  # a message is held for this at least, whatever it carries


class ThroughWriter:
    """One stream; everything in it is applied when it ends well, and nothing before."""

    def __init__(self, wire: Wire, target: Commitish, progress: Progress | None) -> None:
        self._wire = wire
        self._progress = progress
        self._files = self._bytes = 0
        self._outbox = _Outbox()
        self._outbox.add(pb.ModifyFileRequest(set_commit=commit_message(target)))
        self._call = wire.pfs.ModifyFile.future(iter(self._outbox))
        self._call.add_done_callback(lambda _: self._outbox.end())

    def put(self, path: str, source: Source, append: bool) -> None:
        """Send a file: what the path has is removed first, unless it is to be appended to."""
        clean = file_path(path)
        if not append:
            self._send(pb.ModifyFileRequest(delete_file=pb.DeleteFile(path=clean)))
        sent = False
        for piece in pieces_of(source):
            view = memoryview(piece).cast("B")
            for at in range(0, len(view), MESSAGE_BYTES):
                part = bytes(view[at : at + MESSAGE_BYTES])
                self._send(pb.ModifyFileRequest(add_file=pb.AddFile(path=clean, raw={"value": part})), len(part))
                self._done(len(part), 0)
                sent = True
        if not sent:
            self._send(pb.ModifyFileRequest(add_file=pb.AddFile(path=clean, raw={})))
        self._done(0, 1)

    @property
    def written(self) -> Written:
        """What was sent; which of it was there already only the server knows."""
        return Written(self._files, self._bytes, 0)

    def put_all(self, files: Iterable[tuple[str, bytes]], append: bool) -> None:
        """Send many files, one after the other."""
        for path, data in files:
            self.put(path, data, append)

    def put_url(self, path: str, url: str, recursive: bool, concurrency: int, append: bool) -> None:
        """Have the server fetch what is under a URL."""
        clean = paths.clean(path) if recursive else file_path(path)
        if not append:
            if clean == "/":
                text = "all files would be removed to make place for those under the URL; name a directory, or append"
                raise BadRequest(ErrorKind.BAD_PATH, text)
            self.delete(clean + "/" if recursive else clean)
        source = pb.AddFile.URLSource(URL=url, recursive=recursive, concurrency=concurrency)
        self._send(pb.ModifyFileRequest(add_file=pb.AddFile(path=clean, url=source)))
        self._done(0, 1)

    def put_folder(self, path: str, folder: LocalPath, append: bool, excluded: Excluded | None) -> Transferred:
        """Send all files of a folder, one after the other."""
        base = paths.clean(path).rstrip("/")
        files = total = 0
        for batch in scan(folder, excluded=excluded):
            for file in batch:
                self.put(f"{base}/{file.path}", f"{os.fspath(folder)}/{file.path}", append)
                files, total = files + 1, total + file.size
        return Transferred(files, total)

    def delete(self, path: str) -> None:
        """Remove a file or, if the path ends in a slash, a directory."""
        if path.endswith("/"):
            clean = paths.clean(path)
            wanted = clean if clean == "/" else clean + "/"
        else:
            wanted = file_path(path)
        self._send(pb.ModifyFileRequest(delete_file=pb.DeleteFile(path=wanted)))

    def copy(self, source: File, path: str, append: bool) -> None:
        """Let the server copy by reference."""
        copy = pb.CopyFile(src=file_message(source), dst=paths.clean(path), append=append)
        self._send(pb.ModifyFileRequest(copy_file=copy))

    def finish(self) -> None:
        """End the stream and wait until it is applied."""
        self._outbox.end()
        try:
            self._call.result()
        except grpc.RpcError as error:
            raise self._wire.error(error) from error
        except grpc.FutureCancelledError:
            self._raise()

    def close(self) -> None:
        """Break the stream off, unless it has ended: nothing of it is applied."""
        self._call.cancel()
        self._outbox.end()

    def _send(self, request: pb.ModifyFileRequest, size: int = 0) -> None:
        if not self._outbox.add(request, size):
            self._raise()

    def _raise(self) -> None:
        error = self._call.exception()
        raise self._wire.error(error) if isinstance(error, grpc.RpcError) else RuntimeError("the stream has ended")

    def _done(self, size: int, files: int) -> None:
        self._bytes += size
        self._files += files
        if self._progress is not None:
            self._progress(size, files)


class _Outbox:
    """Messages on their way from the caller's thread to that of gRPC."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[tuple[pb.ModifyFileRequest, int]] = deque()
        self._bytes = 0
        self._ended = False

    def add(self, request: pb.ModifyFileRequest, size: int = 0) -> bool:
        """Wait for room and add a message; False if the stream has ended."""
        size += _SMALL
        with self._changed:
            while self._bytes > _WAITING_MAX and not self._ended:
                self._changed.wait()
            if self._ended:
                return False
            self._waiting.append((request, size))
            self._bytes += size
            self._changed.notify_all()
            return True

    def end(self) -> None:
        """No more messages; ending again does nothing."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[pb.ModifyFileRequest]:
        while True:
            with self._changed:
                while not self._waiting and not self._ended:
                    self._changed.wait()
                if not self._waiting:
                    return
                request, size = self._waiting.popleft()
                self._bytes -= size
                self._changed.notify_all()
            yield request
