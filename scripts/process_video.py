"""Segment your own videos: `livos track` under its earlier name.

python scripts/process_video.py --video video.mp4 --masks mask.png --output results/video
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the repository, if LiVOS is not installed

from livos.commands.track import main

if __name__ == "__main__":
    sys.exit(main())
