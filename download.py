"""Downloads the released weights into ./weights: `livos download` under its published name.

python ./download.py                              # all of them
python ./download.py nomose-480p nomose-ft-480p   # these
"""

import sys

from livos.commands.download import main

if __name__ == "__main__":
    sys.exit(main())
