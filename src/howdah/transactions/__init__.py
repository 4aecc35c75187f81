# SPDX-License-Identifier: Apache-2.0
"""Several changes of metadata as one: collected under an id, then made together or not at all.

    transactions       `Transactions`: start, append, finish, and what there is
    running            a list of `model.operations` made in one `pfs.work.Work`
    transaction_rows   owner of the tables

It stands above `pps`, since a list may hold changes of repos and of pipelines. What a request looks like is the
business of the API that takes it: here it is bytes, which a function of that API reads.
"""

__all__ = ["running", "transactions"]

from howdah.transactions import running, transactions
