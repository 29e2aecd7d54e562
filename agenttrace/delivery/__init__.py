"""From an ended span to a destination: a bounded queue, one worker thread, and what the worker sends with.

`processor` takes ended spans on the hot path and keeps them in a `queue`; a `courier` on one daemon thread hands them
on in batches to a `sink`, tries again what a backend couldn't take now, and says once what is wrong. `lifecycle` sees
to exit, fork and `multiprocessing`.
"""
