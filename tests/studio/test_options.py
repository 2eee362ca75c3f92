"""The options of `livos studio`."""

import pytest
from running_studio import need_packages

from livos.commands import studio as studio_command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "99999"], "99999: expected a port from 0 to 65535"),
        (["--size", "5"], "short side of 16 to 4096 pixels, not 5"),
        (["--weights", "nope"], "no weights at nope"),
        (["--precision", "half"], "'half' is not available"),
        (["--device", "tpu"], "device=tpu is not on this machine"),
    ],
)
def test_options_are_checked_before_the_page_opens(arguments, said, capsys):
    need_packages()
    try:
        status = studio_command.main(["--no-browser", *arguments])
    except SystemExit as left:
        status = left.code
    assert status == 2 and said in capsys.readouterr().err
