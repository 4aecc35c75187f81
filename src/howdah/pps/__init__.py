# SPDX-License-Identifier: Apache-2.0
"""Pipelines: from a new commit to exactly the work that it makes necessary, and one output commit.

    pps          `Pps`: all of it in one object; `infos` are its answers, `subjects` what its events are about
    pipelines    specs, versions, repos          following   a job for each output commit
    scheduler    brings jobs from state to state, by
      starting     inputs -> plan -> what is to be done (`inputs`, `plan`, `done`, `sharing`)
      claims       what workers are given and give (`paths_written`, `results`)
      finishing    results -> what is done for ever, output and meta commit (`compose`)
    jobs, datums   what people ask
    logs         lines of user code, workers and the scheduler (`log_query`, `log_patterns`, `log_reader`, `log_mover`)
    *_rows       owners of tables; `records`, `rewriting` are how filesets are made here

Times and ids are parameters, and nothing here runs user code.
"""

__all__ = ["infos", "pps", "subjects"]

from howdah.pps import infos, pps, subjects
