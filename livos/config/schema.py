"""Every setting of the programs, with its type and default. The YAML files explain the numbers.

The keys of a test set (`dataset=...`) are at the top level, so that each can be overridden separately:
`python livos/eval.py dataset=d17-val size=720`.
"""

from dataclasses import dataclass, field

from omegaconf import MISSING

from livos.config.choices import Archive, AuxiliaryClips, BatchNorm, ColourMasks, Precision, Resume, Schedule
from livos.files.bundled import bundled_dir
from livos.model.config import ModelConfig


@dataclass
class TestSetConfig:
    """Where a test set is, which masks are given, and what to save. One YAML file per set in config/dataset/."""

    dataset_name: str = MISSING  # names the folder of the results
    data_root: str = ".."  # the folder that contains DAVIS/, YouTube/, MOSE/, LVOS/, BURST/
    repository_dir: str = str(bundled_dir())  # the folder that contains examples/, for the demo
    # Folders and files. Alternatives are separated by `|`: the first that exists is used.
    image_directory: str = ""  # contains a folder of frames for each video
    mask_directory: str = ""  # the same for the given masks
    annotation_file: str | None = None  # BURST: JSON with the given masks and the names of the annotated frames
    truth_directory: str | None = None  # masks on every frame, if public: for score=true
    video_list: str | None = None  # text file with a video's name in each line; None: every folder
    frame_list: str | None = None  # meta.json with the frames that a server requests
    # What the files mean.
    size: int | None = (
        None  # short side in pixels at which the network works; -1: that of the frames; None: the weights'
    )
    use_all_masks: bool = False  # use the masks of every frame that has one, not only of the first
    void_id: int | None = None  # value in mask files that means "not annotated" and is treated as background
    colour_masks: ColourMasks = ColourMasks.auto  # what RGB masks contain: palette (colours of DAVIS), ids or auto
    # What to write.
    save_all: bool = True  # save every frame, not only the frames that the set's server requests
    archive: Archive | None = None  # for the server: inside (zip of videos), folder (of Annotations/) or burst (JSON)
    # For messages if something is wrong.
    num_videos: int | None = None  # in the official set
    source: str | None = None  # where to get the set


@dataclass
class EvalConfig(TestSetConfig):
    """Settings of livos/eval.py."""

    model: ModelConfig = field(default_factory=ModelConfig)
    weights: str | None = (
        None  # checkpoint to segment with; "untrained": random weights; default: bundled for model=lite
    )
    output_dir: str | None = None  # default: ./results/<dataset_name>
    videos: list[str] | None = None  # only these videos
    device: str = "auto"  # auto, cpu, cuda, cuda:1, mps
    precision: Precision = Precision.float32  # float32, tf32 (on recent NVIDIA GPUs), bfloat16 or float16
    amp: bool = False  # the published name for precision=float16 (bfloat16 without a GPU)
    chunk_size: int = -1  # objects processed at a time, to bound memory; -1: all
    flip_aug: bool = False  # average with the prediction on the mirrored frame
    compile: bool = False  # torch.compile the parts of the network
    engine: str = "torch"  # torch; on the CPU also onnxruntime, openvino or auto (docs/performance.md)
    visualize: bool = False  # also save overlays
    save_scores: bool = False  # also save probabilities, for merging runs
    score: bool = False  # score while running, if truth_directory is known
    resume: bool = True  # skip videos that are complete


# Training data: which sets, which frames of them, and how a clip is warped and coloured.


@dataclass
class VideoSetConfig:
    """A set of training videos: `<folder>/<images>/<video>/<frame>.jpg` with `<folder>/<masks>/<video>/<frame>.png`."""

    folders: list[str] = MISSING  # below data.root; the first one that contains `images` is used
    images: str = "JPEGImages"
    masks: str = "Annotations"
    video_list: str | None = None  # text file in the folder with a video's name in each line; None: every video
    frame_interval: int = 1  # frames from one kept frame to the next: max_skip is divided by it
    repeat: int = 1  # times that each video is used in a pass; 0 disables the set
    binary_masks: bool = False  # one object, 0 or 255 (greyscale) or 0 or not (palette); else ids, and 255 is void
    sparse_masks: bool = False  # skip frames without a mask, instead of refusing to train


@dataclass
class ImageSetConfig:
    """A set of still images: `<folder>/<images>/**/<name>.jpg` with `<folder>/<masks>/**/<name>.png`."""

    folder: str = MISSING  # below data.root
    images: str = "."
    masks: str = "."
    repeat: int = 1  # times that each image is used in a pass; 0 disables the set
    binary_masks: bool = True  # as in VideoSetConfig


@dataclass
class VideoWarpConfig:
    """The random transform that all frames of a video clip share."""

    flip_probability: float = 0.5  # left-right
    rotation: float = 25.0  # degrees, either way
    shear: float = 20.0  # degrees, either way, along x
    crop_scale: list[float] = field(default_factory=lambda: [0.36, 1.0])  # area of the crop relative to the frame's
    crop_ratio: list[float] = field(default_factory=lambda: [0.75, 4 / 3])  # width / height of the crop
    zoom: float = (
        1.0  # largest factor, either way, by which the view zooms evenly from a clip's first frame to its last
    )
    pan: float = 0.0  # how far the view moves evenly during the clip, at most, in sides of the crop


@dataclass
class ImageWarpConfig:
    """The random transforms that turn one still image into a clip: one for all frames, then one for each."""

    flip_probability: float = 0.5
    clip_scale: list[float] = field(default_factory=lambda: [0.8, 1.5])  # the same for all frames
    rotation: float = 20.0  # degrees, each frame its own
    shear: float = 10.0
    frame_scale: list[float] = field(default_factory=lambda: [0.9, 1.1])
    bend_probability: float = 1 / 3  # clips whose frames are also bent by thin-plate splines
    bend_points: int = 12
    bend_sigma: float = 0.02  # of a control point's shift, in sides of the crop
    steady: bool = False  # interpolate from the first frame's transform to the last one's; else each frame is random


@dataclass
class ColourConfig:
    """Largest change of each: factors in [1 - x, 1 + x], hue in turns of the colour wheel."""

    brightness: float = 0.1
    contrast: float = 0.03
    saturation: float = 0.03
    hue: float = 0.0


@dataclass
class FlightConfig:
    """How objects that are pasted into a clip move on their own, from frame to frame."""

    probability: float = 0.0  # of pasted objects that fly according to these settings; others move by merge_motion
    speed: list[float] = field(default_factory=lambda: [0.0, 0.25])  # sides of the crop
    spin: float = 30.0  # degrees, either way
    growth: float = 1.15  # largest factor, growing or shrinking
    return_probability: float = 0.25  # of flights that lead out of the frame and back
    exposure: float = 0.5  # share of a frame's time during which motion blurs
    twin_probability: float = 0.0  # of clips in which a copy of an object, which is not tracked, flies about
    occluder_probability: float = 0.0  # of clips in which an object that is not tracked passes in front of one that is


@dataclass
class DegradationConfig:
    """What degrades frames. Probabilities are per clip; strengths are drawn between the limits."""

    blur_probability: float = 0.0  # all frames along one direction, each with its own length
    blur: list[float] = field(default_factory=lambda: [0.0, 0.05])  # sides of the crop
    dark_probability: float = 0.0
    darkness: list[float] = field(default_factory=lambda: [0.15, 0.6])  # factor of the brightness
    noise: list[float] = field(default_factory=lambda: [0.0, 0.04])  # of dark clips: standard deviation, of full scale
    jpeg_probability: float = 0.0
    jpeg_quality: list[int] = field(default_factory=lambda: [8, 40])


@dataclass
class DataConfig:
    """The clips of a training stage. One YAML file per mixture in config/data/."""

    root: str = ".."  # the folder that contains DAVIS/, YouTube/, MOSE/, static/ …
    video_sets: dict[str, VideoSetConfig] = field(default_factory=dict)
    image_sets: dict[str, ImageSetConfig] = field(default_factory=dict)
    num_frames: int = 8  # frames in a clip
    size: int = 480  # side of the square crop, a multiple of 16
    shapes: list[list[int]] = field(default_factory=list)  # [[num_frames, size], …]: instead, one of these per batch
    max_objects: int = 3  # objects of the first frame that are tracked, chosen at random
    min_object_pixels: int = 1  # an object of the first frame counts if its crop shows this many pixels of it
    max_skip: list[int] = field(default_factory=lambda: [5, 10, 15, 5])  # frames, before division by frame_interval
    max_skip_from: list[float] = field(default_factory=lambda: [0.0, 0.1, 0.3, 0.8])  # completed share of iterations
    seed_frames: int = 5  # seed frames to try in a video whose clip's first frame shows no object
    tries_per_seed: int = 100
    crop_tries: int = 5  # until the first frame's crop shows an object
    merge_probability: float = 0.5  # that objects of another clip are pasted into a clip with room for more
    max_merges: int = 1  # how often this is tried on a clip
    merge_across_sets: bool = False  # paste objects from any set of the mixture, not only from the clip's own
    merge_motion: float = 0.0  # how far pasted objects move on their own over the clip, at most, in sides of the crop
    merge_blur_size: int = 5  # pixels; the pasted objects' edge
    merge_blur_sigma: float = 1.0
    flight: FlightConfig = field(default_factory=FlightConfig)
    degradation: DegradationConfig = field(default_factory=DegradationConfig)
    grey_probability: float = 0.05  # clips without colour
    video_warp: VideoWarpConfig = field(default_factory=VideoWarpConfig)
    image_warp: ImageWarpConfig = field(default_factory=ImageWarpConfig)
    clip_colour: ColourConfig = field(default_factory=ColourConfig)
    frame_colour: ColourConfig = field(default_factory=lambda: ColourConfig(0.01, 0.01, 0.01, 0.0))


# Training: stages, loss, what is written and when.


@dataclass
class StageConfig:
    """One of the two training stages: how long, how many clips at a time, how fast."""

    enabled: bool = True
    iterations: int = 125_000
    batch_size: int = 16  # clips in an iteration, over all processes and accumulated portions
    accumulation: int = 1  # portions that each process computes one after the other, to use less memory
    num_points: int = 12_544  # points of a frame at which the loss is computed
    gradient_frames: int | None = None  # at the end of a longer clip; those before them only fill the memory
    learning_rate: float = 1e-4
    schedule: Schedule = Schedule.step  # constant, poly or step
    steps: list[int] = field(default_factory=lambda: [100_000, 115_000])  # step: iterations at which the rate drops
    step_factor: float = 0.1  # step: by this factor
    poly_power: float = 0.9  # poly: rate x (1 - done) ^ power
    warmup: int = 0  # iterations in which the rate grows linearly from 0
    weight_decay: float = 1e-3
    embedding_weight_decay: float = 0.0  # of query_init and query_emb
    backbone_learning_rate_ratio: float = 1.0  # learning rate of the image encoder relative to the others'
    clip_gradient_norm: float = 3.0


@dataclass
class LossConfig:
    """Weights of the auxiliary losses, relative to that of the masks."""

    sensory_weight: float = 0.01
    query_weight: float = 0.01  # of each level
    auxiliary_clips: AuxiliaryClips = AuxiliaryClips.all  # all, or last: only the last of a portion, as published


@dataclass
class ValidationConfig:
    """Segmenting a test set with true masks at intervals. The best weights are kept."""

    every: int = 0  # iterations; 0: never
    dataset: TestSetConfig | None = None
    videos: list[str] | None = None  # only these
    max_frames: int | None = None  # only the beginning of each video, to save time


@dataclass
class TrainConfig:
    """Settings of livos/train.py."""

    exp_id: str = MISSING  # names the experiment and its folder
    output_dir: str | None = None  # default: ./model_<mmdd_yyyy>/<exp_id>
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)  # clips of main_training
    image_data: DataConfig = field(default_factory=DataConfig)  # clips of pre_training
    pre_training: StageConfig = field(default_factory=StageConfig)  # on still images
    main_training: StageConfig = field(default_factory=StageConfig)  # on videos
    loss: LossConfig = field(default_factory=LossConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    pretrained: bool = True  # start the encoders from ImageNet weights, which their library downloads
    weights: str | None = None  # start from these instead, to fine-tune
    resume: Resume = Resume.never  # auto: continue from this experiment's newest checkpoint, if it has one
    checkpoint: str | None = None  # continue from this one
    seed: int = 0  # for the initial weights, the clips and the points of the loss
    device: str = "auto"  # auto, cpu, cuda, mps
    precision: Precision = Precision.float32  # as in evaluation; float16 with loss scaling
    batch_norm: BatchNorm = BatchNorm.train  # train: statistics of each process's portion; sync: of all; frozen: kept
    padding_objects: bool = False  # let empty slots take part in the softmax, as the published code did
    num_workers: int = 4  # processes that prepare clips, for each training process
    channels_last: bool = False
    compile: bool = False
    activation_checkpointing: bool = False  # compute each frame twice instead of storing its activations
    average_decay: float = 0.0  # of an exponential moving average of the weights; 0: none
    max_skipped: int = 5  # consecutive steps without a finite loss and gradient before training stops
    keep_checkpoints: int = 3  # the newest; older ones are deleted
    # Iterations from one to the next; 0: never, though weights and a checkpoint are always written at the end.
    log_every: int = 100
    picture_every: int = 1_000
    weights_every: int = 10_000
    checkpoint_every: int = 10_000
