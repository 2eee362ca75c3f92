"""Show a segmented video as an overlay video and a contact sheet, with the true masks if there are any.

python scripts/make_demo_report.py --images frames --masks results/demo/Annotations/clip --output results/demo
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the repository, if LiVOS is not installed

from livos.commands.demo_report import main

if __name__ == "__main__":
    main()
