# SPDX-License-Identifier: Apache-2.0
"""A thread of comments as it was after each day: day-1/comments.json, day-2/comments.json, …"""

import json
from pathlib import Path

DAYS = [
    [("ana", "The new library is a great place, I love the light."), ("ben", "Nice, but the chairs are bad.")],
    [("cho", "Terrible noise today. I hate it."), ("ben", "The chairs are still bad.")],
    [("ana", "They were quick: new chairs, good ones!"), ("dov", "Happy to see it full. Great work.")],
]

thread: list[dict[str, str]] = []
for number, day in enumerate(DAYS, 1):
    thread += [{"by": name, "text": text} for name, text in day]
    folder = Path(f"day-{number}")
    folder.mkdir(exist_ok=True)
    (folder / "comments.json").write_text(json.dumps(thread, indent=1) + "\n")
