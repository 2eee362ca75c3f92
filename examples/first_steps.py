# %% [markdown]
# # First steps with LiVOS
#
# This notebook tracks three objects through the bundled clip. It needs no GPU. Run it in the folder `examples`, or in
# the one above.

# %%
from pathlib import Path

import numpy as np
from PIL import Image

from livos import VideoSegmenter, read_labels, segment_video, write_labels

DEMO = next(folder for folder in (Path("examples/demo"), Path("demo")) if folder.is_dir())
FRAMES = DEMO / "JPEGImages" / "launch-pad-cafe"
MASKS = DEMO / "GivenMasks" / "launch-pad-cafe"

# %% [markdown]
# ## A mask
#
# A mask file says which object each pixel belongs to: 0 is the background, other numbers are the ids of objects. Here,
# object 1 is the astronaut and object 2 is the cat.

# %%
mask = read_labels(MASKS / "00000.png")
print(mask.labels.shape, mask.labels.dtype, "objects", mask.ids)


def overlay(image, labels):
    """The objects in their colours over the frame."""
    colours = np.frombuffer(mask.coding.palette, np.uint8).reshape(-1, 3)[labels]
    return Image.fromarray(np.where(labels[..., None] > 0, image // 2 + colours // 2, image))


overlay(np.asarray(Image.open(FRAMES / "00000.jpg")), mask.labels)

# %% [markdown]
# ## Tracking the objects
#
# `segment_video` takes a video file, a folder, a camera or arrays, and yields one frame after another. `confidence`
# says how much each mask can be trusted: it is the expected overlap (J) with the true mask.

# %%
SIZE, END = 320, 19  # short side at which the network works; the last frame
segmenter = VideoSegmenter("lite", size=SIZE)

for result in segment_video(FRAMES, MASKS / "00000.png", segmenter, end=END):
    if result.number % 5 == 0:
        print(result.number, {i: round(j, 2) for i, j in result.confidence.items()})
overlay(result.image, result.labels)

# %% [markdown]
# ## More masks
#
# Masks can be given for any frame. A new id adds an object; a known id corrects it. In this clip, a cup (object 3)
# slides in on frame 20. We start a few frames earlier.

# %%
masks = {18: read_labels(DEMO / "Annotations" / "launch-pad-cafe" / "00018.png").labels, 20: MASKS / "00020.png"}
results = list(segment_video(FRAMES, masks, segmenter, start=18, end=22))
print("objects:", results[0].object_ids, "and later", results[-1].object_ids)
overlay(results[-1].image, results[-1].labels)

# %% [markdown]
# ## Saving masks
#
# Masks are written with the same coding as yours.

# %%
output = Path("results/first_steps")
output.mkdir(parents=True, exist_ok=True)
for result in results:
    write_labels(output / f"{result.number:05d}.png", result.labels, mask.coding)
print(sorted(path.name for path in output.glob("*.png")))
