"""What people do today instead: each peer is a program of its own and gets the same drop, split, net and threads.

None is a strawman: each is written as someone who knows its libraries would write it.
"""
