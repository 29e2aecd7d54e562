"""The outbox: spans on disk between the program and a destination, so that neither's end loses them.

A destination has one folder, named by `key`; in it every process has one of its own (`folder`), which it keeps locked
(`lock`) for as long as it lives: what lies in a folder that nobody has locked is a dead process's, and the next one
that sends to the same destination takes it over (`outbox`). `files` says what a file of spans looks like, `running`
how spans that haven't ended yet are kept.
"""
