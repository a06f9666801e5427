"""Tests of the room jobs. As in the product, idle threads sleep before an OpenMP of any library is loaded."""

from config.machine import let_idle_threads_sleep

let_idle_threads_sleep()
