"""What an output folder says about the job that wrote it, and folders that cannot be written to."""

import pytest

from livos.files.folder_lock import folder_in_use, make_folder
from livos.pipeline.job_record import Begun, JobRecord


def test_a_job_that_failed_before_it_wrote_anything_blocks_no_other(tmp_path):
    JobRecord(tmp_path, {"masks": "wrong.png"}).begin(False, tmp_path / "masks")
    (tmp_path / "masks").mkdir()
    assert JobRecord(tmp_path, {"masks": "right.png"}).begin(False, tmp_path / "masks") == Begun()
    assert "right.png" in (tmp_path / "job.json").read_text()


@pytest.mark.parametrize("name", ["masks/000000.png", "overlay.mp4", ".resume/1-0.pt"])
def test_results_of_another_job_are_not_replaced_unasked(tmp_path, name):
    JobRecord(tmp_path, {"masks": "first.png"}).begin(False, tmp_path / "masks")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match="results of another job"):
        JobRecord(tmp_path, {"masks": "second.png"}).begin(False, tmp_path / "masks")
    assert (tmp_path / name).exists()


def test_a_file_in_place_of_the_output_folder_is_named(tmp_path):
    (tmp_path / "mask.png").touch()
    with (
        pytest.raises(FileExistsError, match=r"mask\.png is a file: expected a folder"),
        folder_in_use(tmp_path / "mask.png", "a test"),
    ):
        pass
    with pytest.raises(OSError, match=r"the folder .*inside cannot be created"):
        make_folder(tmp_path / "mask.png" / "inside")
