"""Winnow against the field on generated drops; RESULTS.md is written by `make bench`."""

from config.machine import let_idle_threads_sleep

let_idle_threads_sleep()  # before torch and LightGBM bring their OpenMP
