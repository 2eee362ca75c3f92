"""The sizes that define one network, and the rule of its memory."""

from dataclasses import dataclass, field


@dataclass
class ModelConfig:
    """Every number that changes the shape of a weight or a result. The defaults are the published `base` network."""

    image_encoder: str = "resnet50"  # resnet18, resnet50, convnext_tiny, convnext_small, convnext_base or timm/<name>
    mask_encoder: str = "resnet18"  # resnet10 (one block per stage) or resnet18
    mask_encoder_width: int = 64  # its channels at stride 4; two and four times as many at strides 8 and 16
    key_dim: int = 64  # K
    value_dim: int = 256  # V, shared by pixel feature, value, gate, sensory memory, readout and queries
    num_queries: int = 16  # Q, half look at the foreground, half at the background
    num_blocks: int = 3  # blocks of the object transformer
    num_heads: int = 8
    ffn_dim: int = 2048  # width between the two linear layers of a query's feed-forward part
    decoder_dims: list[int] = field(default_factory=lambda: [256, 128, 128])  # decoder widths at strides 16, 8 and 4
    sensory_kernel: int = 3  # size of the convolution that updates the sensory memory
    memory_cap: int | None = None  # frames after which the memory's normaliser grows only as its state; None: never
