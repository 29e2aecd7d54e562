"""From an ended span to a destination: a queue, one thread that keeps spans safe, and one that sends them.

`pipeline` is the one processor that a provider gets; behind it stands a `processor` for each destination, which takes
ended spans on the hot path and leaves them in a `queue`. The destination's `worker` thread takes them out, encodes
them (`encoding`) and writes them to the outbox; its `sender` thread hands what waits to a `sink`, tries again what
can't be taken now, and buries what is refused. They meet in `batch` and `holding` alone, so that a server that hangs
keeps nothing from the disk. `reports` says once what is wrong. `lifecycle` sees to exit, fork and `multiprocessing`.
"""
