"""The network: MiniLM read over a text and the comment it answers, pooled over the text, a logit per label."""

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel
from transformers.utils import logging

from classifiers.training.samples import LABELS

logging.set_verbosity_error()
logging.disable_progress_bar()


class Network(nn.Module):
    """(input_ids, attention_mask, token_type_ids), all (batch, tokens) -> logits (batch, outputs): 12, in the first
    pass an emotion's beside.

    Tokens of type 0 are the text, of type 1 the comment it answers: the latter is attended to and not pooled, so it
    colours what is said and does not speak for it.
    """

    def __init__(self, base: Path, outputs: int = len(LABELS)) -> None:
        super().__init__()
        config = AutoConfig.from_pretrained(base)
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0  # twice as fast on a CPU
        self.encoder = AutoModel.from_pretrained(
            base, config=config, add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32
        )
        self.head = nn.Linear(2 * config.hidden_size, outputs)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.constant_(self.head.bias, -2.0)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        spoken = (attention_mask * (1 - token_type_ids)).unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * spoken).sum(1) / spoken.sum(1).clamp(min=1.0)
        most = (hidden - (1 - spoken) * 1e4).amax(1)
        logits: Tensor = self.head(torch.cat([mean, most], dim=1))
        return logits
