"""Writes a raw drop for lookalike: see ../game_logs.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from game_logs import main

if __name__ == "__main__":
    main("is_seed", positive_share=0.05)
