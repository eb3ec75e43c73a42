# SPDX-License-Identifier: Apache-2.0
"""ResNets of freeatm whose stem or strides transformers' own ResNet does not have: its classes, with those exchanged.

AutoModel.from_pretrained(folder, trust_remote_code=True)
"""
from torch import nn
from transformers import ResNetConfig, ResNetForImageClassification, ResNetModel


class FreeatmResNetConfig(ResNetConfig):
    """Beside ResNetConfig's keys: stem_stride (of a 3x3 convolution without max-pool; 0: the usual stem) and, of each
    stage, strides, first_dilations (of the 3x3 that sees the stage before) and dilations."""

    model_type = "freeatm_resnet"


def exchange(resnet, config):
    if config.stem_stride:
        resnet.embedder.embedder.convolution = nn.Conv2d(
            config.num_channels, config.embedding_size, 3, stride=config.stem_stride, padding=1, bias=False)
        resnet.embedder.pooler = nn.Identity()
    for i, stage in enumerate(resnet.encoder.stages):
        first = config.first_dilations[i]
        for layer in stage.layers:
            for convolution in (module for module in layer.modules() if isinstance(module, nn.Conv2d)):
                if max(convolution.stride) > config.strides[i]:
                    convolution.stride = (1, 1)
                if convolution.kernel_size == (3, 3):
                    convolution.dilation = convolution.padding = (first, first)
                    first = config.dilations[i]


class FreeatmResNetModel(ResNetModel):
    config_class = FreeatmResNetConfig

    def __init__(self, config):
        super().__init__(config)
        exchange(self, config)


class FreeatmResNetForImageClassification(ResNetForImageClassification):
    config_class = FreeatmResNetConfig

    def __init__(self, config):
        super().__init__(config)
        exchange(self.resnet, config)
