"""Tests of the room jobs. As in the product, idle threads sleep before an OpenMP of any library is loaded."""

from config.machine import tame_threads

tame_threads()
