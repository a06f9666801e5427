"""What people do today instead: each peer is a program of its own and gets the same drop, split, net and threads.

None is a strawman: each is written as someone who knows its libraries would write it.
"""

from config.machine import let_idle_threads_sleep

let_idle_threads_sleep()  # before torch and LightGBM bring their OpenMP
