"""A network small enough to run in milliseconds, with the parts and the rules of the large ones."""

from livos.build import build_model
from livos.model.config import ModelConfig
from livos.model.network import LiVOS

TINY = ModelConfig(
    image_encoder="resnet18",
    mask_encoder="resnet10",
    mask_encoder_width=8,
    key_dim=8,
    value_dim=16,
    num_queries=4,
    num_blocks=1,
    num_heads=2,
    ffn_dim=32,
    decoder_dims=[16, 16, 8],
    sensory_kernel=1,
)


def tiny_network(seed: int = 0) -> LiVOS:
    return build_model(TINY, seed=seed)
