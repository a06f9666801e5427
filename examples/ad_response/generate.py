"""Writes a raw drop for ad_response: see ../game_logs.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from game_logs import main

if __name__ == "__main__":
    main("clicked", positive_share=0.02)
