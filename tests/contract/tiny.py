"""A tiny random BERT as transformers saves one: what classifiers/hub.py loads, without a download."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

NO_TORCH = "PyTorch is not installed here: docs/classifiers.md says how to run these tests with it"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = (
    *SPECIAL,
    "you",
    "are",
    "an",
    "idiot",
    "what",
    "time",
    "is",
    "the",
    "fair",
    "lovely",
    "show",
    ".",
    "?",
    "!",
)
#: Tokens that it takes.
LONGEST = 64


def torch() -> Any:
    """PyTorch, or the test is skipped."""
    return pytest.importorskip("torch", reason=NO_TORCH)


def save_tiny(
    folder: Path,
    labels: Sequence[str],
    problem_type: str | None = "multi_label_classification",
    *,
    head: bool = True,
    seed: int = 1,
) -> Path:
    """A model for these labels with its tokenizer; without `head` it is a language model and no classifier."""
    torch().manual_seed(seed)
    from transformers import BertConfig, BertForSequenceClassification, BertModel

    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=LONGEST,
        initializer_range=1.0,  # so that texts differ in their scores
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
        problem_type=problem_type,
    )
    (BertForSequenceClassification if head else BertModel)(config).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordPiece({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", WORDS.index("[CLS]")), ("[SEP]", WORDS.index("[SEP]"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=LONGEST,
    )
