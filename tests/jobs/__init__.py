"""Tests of the room jobs. As in the product, idle threads sleep before a library with an OpenMP of its own is loaded."""

from config.machine import let_idle_threads_sleep

let_idle_threads_sleep()
